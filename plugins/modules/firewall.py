#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module firewall: the whole rule set of UFW, and an nftables table that guards containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall
short_description: Own the whole rule set of UFW
version_added: 0.1.0
description:
  - Makes UFW's rules exactly those of O(rules), in that order, in IPv4 and IPv6. What is not listed
    goes, unless its comment carries the mark of O(keep).
  - Rules are loaded in one transaction of the kernel for each address family. Established
    connections are not touched.
  - An nftables table of its own drops whatever comes from outside and would be forwarded to a
    container, also to a port that Docker publishes. Resets of UFW and Docker leave it alone.
  - Sources may name sets of networks. A set of more than 64 networks becomes a set of the kernel.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  rules:
    description: The rules, in the order in which they are tried.
    type: list
    elements: dict
    required: true
    suboptions:
      comment:
        description: What the rule is for; UFW shows it.
        type: str
        required: true
      action:
        description: What becomes of a packet that fits. V(limit) lets a source open six connections
          in thirty seconds.
        type: str
        choices: [allow, limit, deny, reject]
        default: allow
      direction:
        description: Which way the connection is opened.
        type: str
        choices: [in, out]
        default: in
      port:
        description: A port, a range such as V(3000:3010), or several of them with commas.
        type: str
        default: ''
      protocol:
        description: Protocol; V(any) takes no port.
        type: str
        choices: [tcp, udp, any]
        default: tcp
      sources:
        description: Addresses, networks and names of sets; the word V(any) stands for everybody.
        type: list
        elements: str
        required: true
      destination:
        description: Address or network that is reached; everything without it.
        type: str
        default: ''
      interface:
        description: Interface by which the packet comes or goes; any without it.
        type: str
        default: ''
  sets:
    description: Lists of networks by the name of the set.
    type: dict
    default: {}
  documents:
    description: Names of sets whose networks the host reads from a document by itself; role
      firewall installs what does that.
    type: list
    elements: str
    default: []
  outgoing:
    description: What becomes of connections from the host itself that no rule names.
    type: str
    choices: [allow, deny]
    default: allow
  forward_interfaces:
    description: Interfaces, such as those of a VPN, from which containers may be reached.
    type: list
    elements: str
    default: []
  keep:
    description: Rules of others stay when their comment is this word, or begins with it and a
      colon. An empty word keeps none.
    type: str
    default: keep
  admin_address:
    description: Address that must be able to reach O(ssh_port) afterwards, or nothing is changed.
    type: str
    default: ''
  ssh_port:
    description: Port of SSH.
    type: int
    default: 22
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.way_in
  - module: community.general.ufw
"""

EXAMPLES = r"""
---
- name: Let people in by SSH and the load balancer in to the application
  greenlight.droplet.firewall:
    admin_address: 198.51.100.7
    sets:
      admin:
        - 198.51.100.0/24
      balancer:
        - 10.20.0.10
    rules:
      - comment: ssh
        port: "22"
        sources:
          - admin
      - comment: api
        port: "3002"
        sources:
          - balancer
"""

RETURN = r"""
changes:
  description: Files and parts that were, or in check mode would be, changed.
  returned: success
  type: list
  elements: str
  sample: [/etc/ufw/user.rules]
rules:
  description: Number of rules in UFW afterwards, both address families.
  returned: success
  type: int
  sample: 2
guarded:
  description: Whether a guard of M(greenlight.droplet.way_in) stands, as after an interrupted run.
  returned: success
  type: bool
  sample: false
networks:
  description: Number of networks in sets of the kernel that were given as networks.
  returned: success
  type: int
  sample: 0
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._access import guard
from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import NotSetUpError
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import diff_of
from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import apply, ufw
from ansible_collections.greenlight.droplet.plugins.module_utils._firewall.policy import (
    build_policy,
    refuse_lock_out,
)

RULE: dict[str, t.Any] = {
    "comment": {"type": "str", "required": True},
    "action": {"type": "str", "choices": ["allow", "limit", "deny", "reject"], "default": "allow"},
    "direction": {"type": "str", "choices": ["in", "out"], "default": "in"},
    "port": {"type": "str", "default": ""},
    "protocol": {"type": "str", "choices": ["tcp", "udp", "any"], "default": "tcp"},
    "sources": {"type": "list", "elements": "str", "required": True},
    "destination": {"type": "str", "default": ""},
    "interface": {"type": "str", "default": ""},
}

ARGUMENTS: dict[str, t.Any] = {
    "rules": {"type": "list", "elements": "dict", "required": True, "options": RULE},
    "sets": {"type": "dict", "default": {}},
    "documents": {"type": "list", "elements": "str", "default": []},
    "outgoing": {"type": "str", "choices": ["allow", "deny"], "default": "allow"},
    "forward_interfaces": {"type": "list", "elements": "str", "default": []},
    "keep": {"type": "str", "default": "keep"},
    "admin_address": {"type": "str", "default": ""},
    "ssh_port": {"type": "int", "default": 22},
}


def main() -> None:
    """Compare, load unless in check mode, and say what changed."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    with reported(module):
        policy = build_policy(params)
        if params["admin_address"]:
            refuse_lock_out(policy, params["admin_address"], params["ssh_port"])
        wall = apply.Firewall(policy)
        if not wall.installed and not module.check_mode:
            raise NotSetUpError("UFW is not installed on this host: install the package ufw first.")
        changes = wall.find_changes()
        if changes and not module.check_mode:
            wall.apply(changes)
    module.exit_json(
        changed=bool(changes),
        changes=[change.name for change in changes],
        rules=sum(len(ufw.entries(policy, version)) for version in (4, 6)),
        guarded=guard.is_guarded(),
        networks=sum(len(found) for found in policy.kernel_sets.values()),
        **({"diff": diff_of((c.name, c.before, c.after) for c in changes)} if module._diff else {}),
    )


if __name__ == "__main__":
    main()
