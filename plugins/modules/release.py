#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module release: one health-gated blue-green release of an application, or the way back."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._release.host_side import (
    run_module,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.options import OPTIONS


def main() -> None:
    """Run the transaction."""
    module = AnsibleModule(
        argument_spec={
            **OPTIONS,
            "sha": {"type": "str", "default": ""},
            "release": {"type": "str", "default": ""},
            "action": {"type": "str", "choices": ["release", "rollback"], "default": "release"},
        },
        supports_check_mode=True,
    )
    run_module(module)


if __name__ == "__main__":
    main()
