# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter status_table."""

from __future__ import annotations

DOCUMENTATION = r"""
name: status_table
short_description: Render the releases of all hosts as a table
version_added: 0.1.0
description:
  - Reads what module M(greenlight.droplet.release_info) has returned on each host.
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
- name: Show the releases
  ansible.builtin.debug:
    msg: "{{ hostvars | greenlight.droplet.status_table(ansible_play_hosts) }}"
"""

RETURN = r"""
_value:
  description: The table.
  type: str
  sample: HOST  STATE  SHA
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import fleet


def status_table_filter(hostvars: fleet.HostVars, hosts: list[str]) -> str:
    """Adapt status_table of plugin_utils/fleet.py; raises AnsibleFilterError."""
    try:
        return fleet.status_table(hostvars, hosts)
    except (KeyError, ValueError) as exc:
        message = str(exc) if isinstance(exc, ValueError) else f"a host lacks {exc}"
        raise AnsibleFilterError(f"greenlight.droplet.status_table: {message}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"status_table": status_table_filter}
