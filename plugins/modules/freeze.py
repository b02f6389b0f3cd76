#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module freeze: hold releases back with a message, or let them through again."""

from __future__ import annotations

DOCUMENTATION = r"""
module: freeze
short_description: Hold releases of an application back, or let them through again
version_added: 0.1.0
description:
  - While a host is frozen, M(greenlight.droplet.release) refuses to begin and says O(reason).
  - A fleet release that has begun goes on, and a rollback is always allowed.
  - A release can go through all the same with a reason of its own, which is written to the journal.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  app:
    description: Name of the application, as set-up knows it.
    type: str
    default: api
  state:
    description: Whether releases are held back.
    type: str
    choices: [present, absent]
    default: present
  reason:
    description: Why, as everybody who tries to release will read it. Required with V(present).
    type: str
    default: ''
  holder:
    description: Who asks for it.
    type: str
    default: unknown
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.release
"""

EXAMPLES = r"""
---
- name: Hold releases back during the sale
  greenlight.droplet.freeze:
    app: api
    reason: no releases during the sale, ask ann
    holder: ann

- name: Let releases through again
  greenlight.droplet.freeze:
    app: api
    state: absent
"""

RETURN = r"""
freeze:
  description: The freeze after the call, in one line; empty when there is none.
  returned: success
  type: str
  sample: no releases during the sale (ann, since 2026-11-21T10:15:04Z)
message:
  description: One line for people.
  returned: success
  type: str
  sample: "releases are held back: no releases during the sale"
"""

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
                """reason is empty. Say why releases are held back: -e '{"reason": "the sale"}'."""
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
