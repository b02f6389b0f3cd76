#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module way_in: guard firewall and sshd while they change, and end the guard once proved."""

from __future__ import annotations

DOCUMENTATION = r"""
module: way_in
short_description: Guard the way into a host while it changes
version_added: 0.1.0
description:
  - Copies files that decide who gets in, and starts a timer on the host that puts the copies back.
  - After the change a fresh connection must succeed; V(proved) then ends the timer and removes the
    copies. Without it, the host returns to the old way in by itself, also after a reboot.
  - While a guard stands, another V(guarded) adds its paths, keeps the copies that are there, and
    lets the time begin anew.
  - The timer calls the command C(greenlight), which M(greenlight.droplet.host_command) installs; a
    guard is refused while that command does not start.
  - The guard is the file C(/var/lib/greenlight/way_in/guard.json). A play that compares before it
    changes must take an unfinished guard for a difference, or what is to be put back would look
    finished.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  state:
    description: V(guarded) before the change, V(proved) after a fresh connection through it.
    type: str
    choices: [guarded, proved]
    required: true
  paths:
    description:
      - Files and folders to copy and to put back. What does not exist is removed when put back.
      - Required with V(guarded).
    type: list
    elements: str
    default: []
  services:
    description:
      - What has to read the files again once they are put back.
      - V(ssh) is reloaded, V(ufw) is reloaded or switched off as it was, and V(nftables) is our
        table C(inet greenlight), which is loaded by C(greenlight-firewall.service) or removed as
        it was.
    type: list
    elements: str
    choices: [ssh, ufw, nftables]
    default: []
  seconds:
    description: Seconds until the copies are put back.
    type: int
    default: 120
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.files
"""

EXAMPLES = r"""
---
- name: Guard the way in
  greenlight.droplet.way_in:
    state: guarded
    paths:
      - /etc/ssh
    services:
      - ssh

- name: Forget the connection that is open
  ansible.builtin.meta: reset_connection

- name: Come in anew
  ansible.builtin.wait_for_connection:
    timeout: 30

- name: Keep the new way in
  greenlight.droplet.way_in:
    state: proved
"""

RETURN = r"""
message:
  description: One line for people.
  returned: success
  type: str
  sample: /etc/ssh is put back in 120 s unless the new way in is proved
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._access import guard
from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported


def main() -> None:
    """Guard the way in or end the guard."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["guarded", "proved"], "required": True},
            "paths": {"type": "list", "elements": "str", "default": []},
            "services": {
                "type": "list",
                "elements": "str",
                "choices": ["ssh", "ufw", "nftables"],
                "default": [],
            },
            "seconds": {"type": "int", "default": 120},
        },
        required_if=[("state", "guarded", ["paths"])],
        supports_check_mode=True,
    )
    wanted = module.params["state"] == "guarded"
    paths, seconds = module.params["paths"], module.params["seconds"]
    before = guard.is_guarded()
    with reported(module):
        if module.check_mode:
            changed = before != wanted
        elif wanted:
            changed = guard.guard(paths, module.params["services"], seconds)
        else:
            changed = guard.prove()
    text = f"{', '.join(paths)} is put back in {seconds} s unless the new way in is proved"
    module.exit_json(
        changed=changed,
        message=text if wanted else "the way in is proved; nothing will be put back",
        diff={"before": _line(before), "after": _line(wanted)},
    )


def _line(guarded: bool) -> str:
    return f"way in: {'guarded' if guarded else 'proved'}\n"


if __name__ == "__main__":
    main()
