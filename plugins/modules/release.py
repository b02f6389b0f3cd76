#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module release: one health-gated blue-green release of an application, or the way back."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._release.host_side import (
    run_module,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.options import OPTIONS

SHORTEST_HIDDEN: t.Final = 4
"""Characters from which on Ansible itself hides a secret: it does so inside words as well."""


class ReadableModule(AnsibleModule):
    """A module whose refusals can be read although a secret is as short as `e`.

    Ansible refuses a wrong type before any code of ours runs. Such a text has no value of a secret
    in it, and the parameters, which may have, are not returned with it.
    """

    def fail_json(self, msg: str, **result: t.Any) -> t.NoReturn:
        """Leave with an error."""
        short = {text for text in self.no_log_values if len(text) < SHORTEST_HIDDEN}
        if short:
            self.no_log_values -= short
            self.params: dict[str, t.Any] = {}
        super().fail_json(msg, **result)
        raise AssertionError("fail_json does not return")


def main() -> None:
    """Run the transaction."""
    module = ReadableModule(
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
