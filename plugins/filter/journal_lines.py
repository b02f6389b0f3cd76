# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter journal_lines."""

from __future__ import annotations

DOCUMENTATION = r"""
name: journal_lines
short_description: Render the journals of all hosts as JSON lines
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
positional: hosts
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Print the audit log
  ansible.builtin.debug:
    msg: "{{ hostvars | greenlight.droplet.journal_lines(ansible_play_hosts) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: str
  sample: '{"event": "live", "host": "api-1"}'
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import audit


def journal_lines_filter(hostvars: audit.HostVars, hosts: list[str]) -> str:
    """Adapt journal_lines of plugin_utils/audit.py; raises AnsibleFilterError."""
    try:
        return audit.journal_lines(hostvars, hosts)
    except KeyError as exc:
        raise AnsibleFilterError(f"greenlight.droplet.journal_lines: a host lacks {exc}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"journal_lines": journal_lines_filter}
