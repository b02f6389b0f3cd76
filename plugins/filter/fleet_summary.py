# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter fleet_summary."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_summary
short_description: Say host by host what failed and what serves
version_added: 0.1.0
description:
  - The reason first, what serves now, and the command to run next.
  - Used by role P(greenlight.droplet.app#role) between the phases of a release.
options:
  _input:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts of the play, in order.
    type: list
    elements: str
    required: true
  settled:
    description: Whether the release is live everywhere and only its last phase failed.
    type: bool
    default: false
positional: hosts, settled
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Say what failed
  ansible.builtin.fail:
    msg: "{{ hostvars | greenlight.droplet.fleet_summary(ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  description: Lines for people.
  type: str
  sample: 3f9c2ab was not released
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import fleet


def fleet_summary_filter(hostvars: fleet.HostVars, hosts: list[str], settled: bool = False) -> str:
    """Adapt fleet_summary of plugin_utils/fleet.py; raises AnsibleFilterError."""
    try:
        return fleet.fleet_summary(hostvars, hosts, settled)
    except (KeyError, ValueError) as exc:
        message = str(exc) if isinstance(exc, ValueError) else f"a host lacks {exc}"
        raise AnsibleFilterError(f"greenlight.droplet.fleet_summary: {message}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"fleet_summary": fleet_summary_filter}
