# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter hosts_in_need."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hosts_in_need
short_description: Tell which hosts a release has to change
version_added: 0.1.0
description:
  - Reads the plan that each host has returned, and refuses hosts that mean different releases.
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
positional: hosts
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Remember which hosts need the release
  ansible.builtin.set_fact:
    hosts_to_change: "{{ hostvars | greenlight.droplet.hosts_in_need(ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  description: The hosts whose plan has steps.
  type: list
  elements: str
  sample: [api-1]
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import fleet


def hosts_in_need_filter(hostvars: fleet.HostVars, hosts: list[str]) -> list[str]:
    """Adapt hosts_in_need of plugin_utils/fleet.py; raises AnsibleFilterError."""
    try:
        return fleet.hosts_in_need(hostvars, hosts)
    except (KeyError, ValueError) as exc:
        message = str(exc) if isinstance(exc, ValueError) else f"a host lacks {exc}"
        raise AnsibleFilterError(f"greenlight.droplet.hosts_in_need: {message}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"hosts_in_need": hosts_in_need_filter}
