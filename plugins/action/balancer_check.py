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

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import boundary
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import GreenlightError
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import printable_value
from ansible_collections.greenlight.droplet.plugins.module_utils._health.balancer import verify
from ansible_collections.greenlight.droplet.plugins.plugin_utils.controller_action import (
    Arguments,
    ControllerAction,
)

ARGUMENTS: t.Final[Arguments] = {
    "url": {"type": "str", "required": True},
    "host_header": {"type": "str", "default": ""},
    "expected": {"type": "dict", "required": True},
    "headers": {"type": "dict", "default": {}},
    "status": {"type": "list", "elements": "int", "default": [200]},
    "others": {"type": "list", "elements": "str", "default": []},
    "attempts": {"type": "int", "default": 10},
    "delay": {"type": "float", "default": 3.0},
    "timeout": {"type": "float", "default": 5.0},
}


class ActionModule(ControllerAction):
    """Asks until all are seen, or fails with what was seen."""

    def arguments(self) -> Arguments:
        """Return the argument spec of this action."""
        return ARGUMENTS

    def work(self, options: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what was seen."""
        try:
            with boundary("A defect in balancer_check; please report it"):
                outcome = verify(Clock(), **options)
        except GreenlightError as exc:
            raise AnsibleActionFail(str(exc)) from exc
        result: dict[str, t.Any] = printable_value(
            {
                "seen": outcome.seen,
                "attempts": outcome.attempts,
                "failed": bool(outcome.missing),
                "changed": False,
                "msg" if outcome.missing else "message": outcome.missing or outcome.message,
            }
        )
        return result
