# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ufw_rules."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ufw_rules
short_description: Render firewall rules as UFW prints them
version_added: 0.1.0
description:
  - One line for each source of each rule, in the form of C(ufw show added), so that what is there
    and what is wanted can be compared.
options:
  _input:
    description: Rules with port, sources, comment, and protocol if it is not tcp.
    type: list
    required: true
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show the commands
  ansible.builtin.debug:
    msg: "{{ rules | greenlight.droplet.ufw_rules }}"
  vars:
    rules:
      - port: 22
        sources:
          - 198.51.100.0/24
        comment: ssh
"""

RETURN = r"""
_value:
  description: The commands.
  type: list
  elements: str
  sample: ["ufw allow from 198.51.100.0/24 to any port 22 proto tcp comment 'ssh'"]
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.module_utils import networks


def ufw_rules_filter(value: list[dict[str, t.Any]]) -> list[str]:
    """Adapt ufw_rules of module_utils/networks.py; raises AnsibleFilterError."""
    try:
        return networks.ufw_rules(value)
    except (KeyError, ValueError) as exc:
        message = str(exc) if isinstance(exc, ValueError) else f"a rule lacks {exc}"
        raise AnsibleFilterError(f"greenlight.droplet.ufw_rules: {message}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"ufw_rules": ufw_rules_filter}
