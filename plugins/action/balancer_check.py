# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action balancer_check: ask through the load balancer, from the controller's own process.

A module would first be packed and started as a program of its own, which takes longer than the
requests do.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import boundary
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import GreenlightError
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import printable_value
from ansible_collections.greenlight.droplet.plugins.module_utils._health.balancer import verify

ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {
    "url": {"type": "str", "required": True},
    "host_header": {"type": "str", "default": ""},
    "expected": {"type": "dict", "required": True},
    "status": {"type": "list", "elements": "int", "default": [200]},
    "others": {"type": "list", "elements": "str", "default": []},
    "attempts": {"type": "int", "default": 10},
    "delay": {"type": "float", "default": 3.0},
    "timeout": {"type": "float", "default": 5.0},
}


class ActionModule(ActionBase):
    """Works on the controller alone; no host is connected to."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Ask until all are seen, or fail with what was seen."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            with boundary("A defect in balancer_check; please report it"):
                outcome = verify(Clock(), **options)
        except GreenlightError as exc:
            raise AnsibleActionFail(str(exc)) from exc
        result.update(
            printable_value(
                {
                    "seen": outcome.seen,
                    "attempts": outcome.attempts,
                    "failed": bool(outcome.missing),
                    "changed": False,
                    "msg" if outcome.missing else "message": outcome.missing or outcome.message,
                }
            )
        )
        return result
