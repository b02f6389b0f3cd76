# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter runs_table."""

from __future__ import annotations

DOCUMENTATION = r"""
name: runs_table
short_description: Render the last runs of all hosts as a table
version_added: 0.1.0
description:
  - Reads what module M(greenlight.droplet.release_info) has returned on each host.
  - Used by role P(greenlight.droplet.app#role).
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
  limit:
    description: How many runs of each host.
    type: int
    default: 5
positional: hosts, limit
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show who released what
  ansible.builtin.debug:
    msg: "{{ hostvars | greenlight.droplet.runs_table(ansible_play_hosts) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: str
  sample: HOST  BEGAN  ACTION
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import audit


def runs_table_filter(hostvars: audit.HostVars, hosts: list[str], limit: int = 5) -> str:
    """Adapt runs_table of plugin_utils/audit.py; raises AnsibleFilterError."""
    try:
        return audit.runs_table(hostvars, hosts, limit)
    except KeyError as exc:
        raise AnsibleFilterError(f"greenlight.droplet.runs_table: a host lacks {exc}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"runs_table": runs_table_filter}
