# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback that writes every task's result as one JSON line, for the integration tests."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: integration_recorder
type: notification
short_description: Write each task's result to a file
description:
  - One JSON object a line, with the task's name, to the file that the environment names.
"""


class CallbackModule(CallbackBase):
    """Appends to the file in INTEGRATION_RECORD."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "integration_recorder"

    _begin = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Begin to measure."""
        self._begin = time.monotonic()

    def _record(self, outcome: Any, **extra: bool) -> None:
        seconds = time.monotonic() - self._begin
        record = {
            "task": outcome.task.get_name(),
            "result": {**outcome.result, **extra},
            "seconds": seconds,
        }
        with Path(os.environ["INTEGRATION_RECORD"]).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record, default=str) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        """Keep a success."""
        self._record(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Keep a failure."""
        self._record(result, failed=True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Keep a host that was not reached."""
        self._record(result, unreachable=True, failed=True)
