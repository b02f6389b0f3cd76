# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What actions have in common that work in the controller's own process and connect to no host."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

Arguments = dict[str, dict[str, t.Any]]


class ControllerAction(ActionBase):
    """Checks the options of a task and hands them to `work`."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def arguments(self) -> Arguments:
        """Return the argument spec of the action."""
        raise NotImplementedError

    def work(self, options: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do what the task asks for; return its result. Raises AnsibleActionFail."""
        raise NotImplementedError

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Run the task, as Ansible asks for it."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(argument_spec=self.arguments())
        result.update(self.work(options, task_vars or {}))
        return result
