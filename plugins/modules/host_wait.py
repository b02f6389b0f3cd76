#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module host_wait: let a host that has just begun come to rest."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_wait
short_description: Wait for cloud-init and for whoever installs packages
version_added: 0.1.0
description:
  - On a fresh cloud image cloud-init is still at work, and unattended-upgrades holds the locks of
    dpkg and apt for minutes. This waits until neither is, at most O(seconds), and tells for whom.
  - Takes no lock and changes nothing, in check mode as well.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  seconds:
    description: Seconds of the whole wait; the module fails when it is over.
    type: float
    default: 600
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: ansible.builtin.wait_for
"""

EXAMPLES = r"""
---
- name: Let the host come to rest
  greenlight.droplet.host_wait:
    seconds: 900
"""

RETURN = r"""
message:
  description: For whom and how long it waited; empty when it did not.
  returned: success
  type: str
  sample: "Waited 42 s: cloud-init is setting up this host."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._leftovers import at_work


def main() -> None:
    """Wait, and tell for whom."""
    module = AnsibleModule(
        argument_spec={"seconds": {"type": "float", "default": 600}},
        supports_check_mode=True,
    )
    with reported(module):
        said = at_work.wait(module.params["seconds"], Clock())
    module.exit_json(changed=False, message=said, warnings=[said] if said else [])


if __name__ == "__main__":
    main()
