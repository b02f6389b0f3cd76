# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback console: a release, one line a step, and the reason first when it fails."""

from __future__ import annotations

DOCUMENTATION = r"""
name: console
type: stdout
short_description: Ansible's default output, with releases in one line a step
version_added: 0.1.0
description:
  - The same as the default output, but results of this collection's modules are printed one line a
    step with its seconds, and an error of theirs is printed as the text it is, not as a structure.
  - Messages of M(ansible.builtin.debug) and M(ansible.builtin.fail) with several lines are printed
    as lines.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
author:
  - Greenlight contributors (@greenlight)
requirements:
  - Set as stdout in the configuration of Ansible.
"""

import typing as t

from ansible import constants as C
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

from ansible_collections.greenlight.droplet.plugins.plugin_utils.console import (
    failure_text,
    is_ours,
    is_plumbing,
    result_lines,
)


class CallbackModule(DefaultCallback):
    """Prints what Greenlight's modules did in the words they use; all else as usual."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "greenlight.droplet.console"

    def __init__(self) -> None:
        """Begin with no failure told of any host."""
        super().__init__()
        self._last_failures: dict[str, str] = {}

    def _print(self, host: str, lines: list[str], color: str) -> None:
        for line in lines:
            self._display.display(f"{host:<12} {line}", color=color)

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """Print the title of a release's step before its work, so that waiting has a name."""
        super().v2_playbook_on_task_start(task, is_conditional)
        if is_ours(task.action) and self._last_task_banner != task._uuid:
            self._print_task_banner(task)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        """Leave out which files a role includes, unless asked for more."""
        if self._display.verbosity > 0:
            super().v2_playbook_on_include(included_file)

    def _announce(self, result: t.Any) -> None:
        # Without this the lines would stand below an earlier task's title.
        if self._last_task_banner != result._task._uuid:
            self._print_task_banner(result._task)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Print the steps of a release, or what the default prints."""
        if is_plumbing(result._task.action) and self._display.verbosity == 0:
            return
        lines = result_lines(result._task.action, result._result)
        if lines is None:
            super().v2_runner_on_ok(result)
            return
        self._announce(result)
        changed = result._result.get("changed", False)
        self._print(result._host.get_name(), lines, C.COLOR_CHANGED if changed else C.COLOR_OK)
        if self._display.verbosity > 1:
            super().v2_runner_on_ok(result)
        else:
            self._handle_warnings(result._result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Print the reason first, or what the default prints."""
        text = failure_text(result._task.action, result._result)
        if text is None or self._display.verbosity > 1:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        ours, host = is_ours(result._task.action), result._host.get_name()
        if not ours and text == self._last_failures.get(host):
            # Whoever caught it fails with the same words; they stand above.
            return
        if not ignore_errors:
            self._last_failures[host] = text
        self._announce(result)
        steps = (result_lines(result._task.action, result._result) or []) if ours else []
        self._print(result._host.get_name(), steps, C.COLOR_OK)
        self._print(result._host.get_name(), text.split("\n"), C.COLOR_ERROR)
        self._handle_warnings(result._result)
