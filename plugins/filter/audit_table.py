# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter audit_table."""

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_table
short_description: Render the audits of all hosts as a table
version_added: 0.2.0
description:
  - Reads what module M(greenlight.droplet.audit) has returned on each host.
  - Used by role P(greenlight.droplet.audit#role).
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
  minimum:
    description: The least hardening index of Lynis, to stand beside the one found.
    type: int
    required: true
positional: hosts, minimum
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show what the audit has found
  ansible.builtin.debug:
    msg: "{{ hostvars | greenlight.droplet.audit_table(ansible_play_hosts, 90) }}"
"""

RETURN = r"""
_value:
  description: The table.
  type: str
  sample: STATUS  RULE  HOST  FOUND
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import audit_table


def audit_table_filter(hostvars: audit_table.HostVars, hosts: list[str], minimum: int) -> str:
    """Adapt audit_table of plugin_utils/audit_table.py; raises AnsibleFilterError."""
    try:
        return audit_table.audit_table(hostvars, hosts, minimum)
    except KeyError as exc:
        raise AnsibleFilterError(f"greenlight.droplet.audit_table: a host lacks {exc}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"audit_table": audit_table_filter}
