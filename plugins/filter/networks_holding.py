# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter networks_holding."""

from __future__ import annotations

DOCUMENTATION = r"""
name: networks_holding
short_description: Tell which networks hold one of some addresses
version_added: 0.1.0
description:
  - Keeps of a list of networks those that hold at least one of the addresses, IPv4 or IPv6.
options:
  _input:
    description: The networks.
    type: list
    required: true
  addresses:
    description: The addresses.
    type: list
    elements: str
    required: true
positional: addresses
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Refuse a network that holds an address of this host
  ansible.builtin.assert:
    that: "['172.30.0.0/16'] | greenlight.droplet.networks_holding(['10.20.0.11']) | length == 0"
"""

RETURN = r"""
_value:
  description: The networks that hold one.
  type: list
  elements: str
  sample: [10.20.0.0/20]
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import networks


def networks_holding_filter(value: list[str], addresses: list[str]) -> list[str]:
    """Adapt networks_holding of module_utils/_firewall/networks.py; raises AnsibleFilterError."""
    try:
        return networks.networks_holding(value, addresses)
    except (KeyError, ValueError) as exc:
        message = str(exc) if isinstance(exc, ValueError) else f"a rule lacks {exc}"
        raise AnsibleFilterError(f"greenlight.droplet.networks_holding: {message}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"networks_holding": networks_holding_filter}
