#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module freeze: hold releases back with a message, or let them through again."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import printable
from ansible_collections.greenlight.droplet.plugins.module_utils._state.freeze import (
    Freeze,
    change_freeze,
)


def _line(freeze: Freeze | None) -> str:
    return printable(f"{freeze.reason} ({freeze.holder})") + "\n" if freeze else ""


def main() -> None:
    """Set or lift the freeze."""
    module = AnsibleModule(
        argument_spec={
            "app": {"type": "str", "default": "api"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "reason": {"type": "str", "default": ""},
            "holder": {"type": "str", "default": "unknown"},
        },
        supports_check_mode=True,
    )
    params = module.params
    with reported(module):
        if params["state"] == "present" and not params["reason"].strip():
            raise SpecError(
                "reason is empty. Say why releases are held back, for example with"
                """ -e '{"reason": "the sale"}'"""
            )
        wanted = Freeze(params["reason"].strip(), params["holder"], "")
        before, after = change_freeze(
            params["app"], wanted if params["state"] == "present" else None, module.check_mode
        )
    text = printable(after.describe()) if after else ""
    module.exit_json(
        changed=before != after,
        freeze=text,
        message=f"releases are held back: {text}" if text else "releases are let through",
        diff={"before": _line(before), "after": _line(after)},
    )


if __name__ == "__main__":
    main()
