#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module application: what set-up makes for one application on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: application
short_description: Prepare a host for the releases of one application
version_added: 0.1.0
description:
  - Creates the application's bridge network with a fixed address for each slot, which Docker gives
    to no other container, its state folder with the map file that is the pointer to the live slot,
    and the descriptor that the modules M(greenlight.droplet.release) and
    M(greenlight.droplet.release_info) read.
  - Refuses a host on which another container has a slot's address. Of a network that was made
    without keeping them a warning says so; it stays as it is, for containers are attached to it.
  - Never touches a map file that is there. Which slot is live is decided by releases alone.
  - Run it before HAProxy's configuration is checked, since HAProxy reads the map file at start.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  app:
    description: Name of the application. A letter, then up to 20 of the characters a-z, 0-9 and
      C(-).
    type: str
    default: api
  port:
    description: Port of the host on which HAProxy serves the application. Refused when another
      process listens on it.
    type: int
    required: true
  container_port:
    description: Port on which the application listens inside its container. V(0) means the same as
      O(port).
    type: int
    default: 0
  subnet:
    description:
      - IPv4 network of the application's bridge. The first address is the host's, the second and
        third are the slots'; other containers get theirs from its upper half.
      - Must not overlap the network of any host, such as a VPC, that the host talks to.
    type: str
    default: 172.31.10.0/24
  state_dir:
    description: Folder below which the application's state is kept.
    type: path
    default: /var/lib/greenlight
  socket:
    description: HAProxy's runtime socket.
    type: path
    default: /run/haproxy/admin.sock
  mtu:
    description: Largest packet of the application's network in bytes. V(0) leaves it to Docker.
    type: int
    default: 0
requirements:
  - python3-docker
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.release
"""

EXAMPLES = r"""
---
- name: Prepare the host for the application api
  greenlight.droplet.application:
    app: api
    port: 3002
    subnet: 172.31.10.0/24
"""

RETURN = r"""
application:
  description: The descriptor, as the other modules read it.
  returned: success
  type: dict
  sample:
    app: api
    port: 3002
    container_port: 3002
    network: greenlight-api
changes:
  description: Names of what was, or in check mode would be, made.
  returned: success
  type: list
  elements: str
  sample: [network]
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import diff_of
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    RUNTIME_SOCKET,
    STATE_FOLDER,
    design_application,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release import provision


def main() -> None:
    """Compare, apply unless in check mode, and say what changed."""
    module = AnsibleModule(
        argument_spec={
            "app": {"type": "str", "default": "api"},
            "port": {"type": "int", "required": True},
            "container_port": {"type": "int", "default": 0},
            "subnet": {"type": "str", "default": "172.31.10.0/24"},
            "state_dir": {"type": "path", "default": STATE_FOLDER},
            "socket": {"type": "path", "default": RUNTIME_SOCKET},
            "mtu": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    params = module.params
    port = params["port"]
    with reported(module):
        application = design_application(
            *(params["app"], port, params["container_port"] or port),
            *(params["subnet"], params["state_dir"], params["socket"]),
        )
        engine = provision.open_engine(module.check_mode)
        changes = provision.find_changes(application, engine)
        notes = provision.find_notes(application, engine)
        if not module.check_mode:
            provision.apply_changes(application, engine, changes, params["mtu"])
    module.exit_json(
        warnings=notes,
        changed=bool(changes),
        application=json.loads(application.to_json()),
        changes=[change.name for change in changes],
        diff=diff_of((change.name, change.before, change.after) for change in changes),
    )


if __name__ == "__main__":
    main()
