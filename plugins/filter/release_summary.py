# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter release_summary."""

from __future__ import annotations

DOCUMENTATION = r"""
name: release_summary
short_description: Say why a release failed, and what every host serves now
version_added: 0.2.0
description:
  - Reads what role P(greenlight.droplet.app#role) has registered on each host; the reason comes
    first, the command to run next last.
options:
  _input:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: All hosts of the play, in order.
    type: list
    elements: str
    required: true
  host:
    description: The host that asks. One host alone gets the text, the others are referred to it.
    type: str
    required: true
  settling:
    description: Whether the release was final already when it failed.
    type: bool
    default: false
positional: hosts, host
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show what came of a release that failed
  ansible.builtin.debug:
    msg: >-
      {{ hostvars
         | greenlight.droplet.release_summary(ansible_play_hosts_all, inventory_hostname) }}
"""

RETURN = r"""
_value:
  description: The text, of several lines.
  type: str
  sample: "3f9c2ab was not released: api-1 failed."
"""

import typing as t

from ansible_collections.greenlight.droplet.plugins.plugin_utils import fleet_report


def release_summary_filter(
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]],
    hosts: list[str],
    host: str,
    settling: bool = False,
) -> str:
    """Adapt release_summary and settle_summary of plugin_utils/fleet_report.py."""
    tell = fleet_report.settle_summary if settling else fleet_report.release_summary
    return tell(hostvars, hosts, host)


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"release_summary": release_summary_filter}
