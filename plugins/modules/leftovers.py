#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module leftovers: what others have set on a host that is not fresh."""

from __future__ import annotations

DOCUMENTATION = r"""
module: leftovers
short_description: Find what others have set that ours cannot stand beside
version_added: 0.1.0
description:
  - Looks at a host that is not fresh before a role changes it. What the role cannot stand beside is
    refused, each thing by name and place; what people should know is a warning. Changes nothing.
  - With O(of=sshd) sshd itself says what comes of its files together with ours, for each user.
  - With O(of=haproxy) a configuration that is neither ours nor the package's is refused, unless it
    may be replaced.
  - With O(of=fail2ban) jails that would keep the service from starting are found.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  of:
    description: Whose settings to look at.
    type: str
    choices: [fail2ban, haproxy, sshd]
    required: true
  text:
    description: For sshd, our file as it will be.
    type: str
    default: ''
  users:
    description: For sshd, the users that have to come in.
    type: list
    elements: str
    default: []
  address:
    description: For sshd, the address that they come from.
    type: str
    default: ''
  take_over:
    description: For haproxy, that a configuration of others may be replaced.
    type: bool
    default: false
  jails:
    description: For fail2ban, our jails by name, with the values that they cannot work without.
    type: dict
    default: {}
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.docker_daemon
"""

EXAMPLES = r"""
---
- name: See whether somebody else's proxy is there
  greenlight.droplet.leftovers:
    of: haproxy
"""

RETURN = r"""
foreign:
  description: Whether a file of others stands where ours will.
  returned: success
  type: bool
  sample: false
corrections:
  description: Text of a file that takes the harm out of what stays; empty when nothing does harm.
  returned: success
  type: str
  sample: ''
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._leftovers import (
    fail2ban,
    haproxy,
    sshd,
)


def main() -> None:
    """Look, refuse, and tell."""
    module = AnsibleModule(
        argument_spec={
            "of": {"type": "str", "choices": ["fail2ban", "haproxy", "sshd"], "required": True},
            "text": {"type": "str", "default": ""},
            "users": {"type": "list", "elements": "str", "default": []},
            "address": {"type": "str", "default": ""},
            "take_over": {"type": "bool", "default": False},
            "jails": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params = module.params
    with reported(module):
        if params["of"] == "sshd":
            address = params["address"] or "127.0.0.1"
            found = sshd.find(params["text"], params["users"], address)
        elif params["of"] == "haproxy":
            found = haproxy.find(params["take_over"])
        else:
            found = fail2ban.find(params["jails"])
        if found.refused:
            raise SpecError(f"{' '.join(found.refused)} Nothing was changed.")
    module.exit_json(
        changed=False,
        warnings=list(found.notes),
        foreign=found.foreign,
        corrections=found.corrections,
    )


if __name__ == "__main__":
    main()
