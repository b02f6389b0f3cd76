#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module login_info: how Ansible came in to the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: login_info
short_description: Tell as whom, from where and by which port Ansible comes in
version_added: 0.1.0
description:
  - What a host must go on letting in, whichever connection plugin is used, over a jump host or not,
    also when the task becomes another user.
  - Fails when that cannot be known, so that nothing that closes a way in goes on without it.
  - A connection that needs no network, such as V(local), has no address and no port.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  connection:
    description: The name of the connection plugin, as in C(ansible_connection).
    type: str
    required: true
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.way_in
  - module: greenlight.droplet.firewall
"""

EXAMPLES = r"""
---
- name: Read how we came in
  greenlight.droplet.login_info:
    connection: "{{ ansible_connection }}"
  register: login
"""

RETURN = r"""
user:
  description: The user of the session; empty when it is none of SSH.
  returned: success
  type: str
  sample: ops
address:
  description: The address that we come from, as the host sees it; empty when not over the network.
  returned: success
  type: str
  sample: 198.51.100.7
port:
  description: The host's own port that we came in by; V(0) when not over the network.
  returned: success
  type: int
  sample: 22
session:
  description: What tells this connection from others, as sshd says it; empty when not by SSH.
  returned: success
  type: str
  sample: 198.51.100.7 50514 10.0.0.5 22
"""

import dataclasses

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._access import login
from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported


def main() -> None:
    """Find the session that we run in and tell whose it is."""
    module = AnsibleModule(
        argument_spec={"connection": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    with reported(module):
        found = login.find(module.params["connection"])
    module.exit_json(changed=False, **dataclasses.asdict(found))


if __name__ == "__main__":
    main()
