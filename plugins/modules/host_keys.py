#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module host_keys: strong keys and groups for sshd."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_keys
short_description: Give sshd strong host keys and groups
version_added: 0.1.0
description:
  - Makes the host keys that are missing, and an RSA key anew when it is too short.
  - Takes groups that are too small out of C(/etc/ssh/moduli).
  - Keys of other kinds stay where they are; which keys sshd offers is said in its configuration.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  kinds:
    description: The keys that must be there.
    type: list
    elements: str
    choices: [ed25519, rsa]
    default: [ed25519, rsa]
  rsa_bits:
    description: Least size of the RSA key in bits, and the size of a new one.
    type: int
    default: 3072
  moduli_bits:
    description: Least size of a group in bits, as the moduli file counts, which is one less.
    type: int
    default: 3071
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.way_in
"""

EXAMPLES = r"""
---
- name: Give sshd strong keys
  greenlight.droplet.host_keys:
    kinds:
      - ed25519
      - rsa
"""

RETURN = r"""
changes:
  description: Paths that were, or in check mode would be, made or written.
  returned: success
  type: list
  elements: str
  sample: [/etc/ssh/moduli]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._access import host_keys
from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import diff_of


def main() -> None:
    """Compare, make what is missing unless in check mode, and say what changed."""
    module = AnsibleModule(
        argument_spec={
            "kinds": {
                "type": "list",
                "elements": "str",
                "choices": ["ed25519", "rsa"],
                "default": ["ed25519", "rsa"],
            },
            "rsa_bits": {"type": "int", "default": 3072},
            "moduli_bits": {"type": "int", "default": 3071},
        },
        supports_check_mode=True,
    )
    params = module.params
    with reported(module):
        found = host_keys.find_differences(
            params["kinds"], params["rsa_bits"], params["moduli_bits"]
        )
        if not module.check_mode:
            host_keys.apply(found, params["rsa_bits"])
    module.exit_json(
        changed=bool(found),
        changes=[one.path for one in found],
        diff=diff_of((one.path, f"{one.before}\n", f"{one.after}\n") for one in found),
    )


if __name__ == "__main__":
    main()
