# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter slot_address."""

from __future__ import annotations

DOCUMENTATION = r"""
name: slot_address
short_description: Return the fixed address of a slot
version_added: 0.1.0
description:
  - The second address of the application's subnet is blue, the third is green; the first is the
    host's.
options:
  _input:
    description: The application's subnet.
    type: str
    required: true
  slot:
    description: The slot, V(blue) or V(green).
    type: str
    required: true
positional: slot
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show where the blue slot is
  ansible.builtin.debug:
    msg: "{{ '172.31.10.0/24' | greenlight.droplet.slot_address('blue') }}"
"""

RETURN = r"""
_value:
  description: The address.
  type: str
  sample: 172.31.10.2
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import networks


def slot_address_filter(value: str, slot: str) -> str:
    """Adapt slot_address of module_utils/_firewall/networks.py; raises AnsibleFilterError."""
    try:
        return networks.slot_address(value, slot)
    except (KeyError, ValueError) as exc:
        message = str(exc) if isinstance(exc, ValueError) else f"a rule lacks {exc}"
        raise AnsibleFilterError(f"greenlight.droplet.slot_address: {message}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"slot_address": slot_address_filter}
