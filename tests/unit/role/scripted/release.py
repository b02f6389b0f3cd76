# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module release: answers as the script in the environment says, keeps each call.

The script maps `host state` or `host state number` (of the call of that state, from 0) to how the
call ends: unreachable, killed, failed, outdated, or a result. What it does not name goes well.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

NEW, OLD = "c" * 40, "a" * 40
BEFORE_CUTOVER = ("planned", "staged", "reverted")


class ActionModule(ActionBase):
    """Answers in place of the host."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: object = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Keep the call, then end as the script says."""
        super().run(tmp, task_vars)
        arguments, host = self._task.args, str((task_vars or {})["inventory_hostname"])
        state, script = arguments["state"], json.loads(os.environ["SCRIPT"])
        log = Path(os.environ["CALLS"]) / host
        calls = log.read_text(encoding="utf-8").split() if log.exists() else []
        log.write_text(" ".join([*calls, state]), encoding="utf-8")
        number = calls.count(state)
        how = script.get(f"{host} {state} {number}", script.get(f"{host} {state}", ""))
        if how == "unreachable":
            raise AnsibleConnectionFailure("no route to host")
        if how == "killed":
            return {"failed": True, "rc": 137, "msg": "MODULE FAILURE"}
        found = {"changed": False, "run": arguments["run"], "outdated_command": False}
        if how == "failed":
            return {**found, "failed": True, "msg": f"{state} went wrong"}
        if how == "outdated" and not arguments.get("archive"):
            return {**found, "needed": False, "outdated_command": True, "steps": []}
        live = {"sha": OLD if state in BEFORE_CUTOVER else NEW, "state": "running", "slot": "blue"}
        answer = {"needed": True, "sha": NEW, "digest": "sha256:1", "release": "r", "live": live}
        more = how if isinstance(how, dict) else {}
        outdated = how == "outdated" and state == "planned"
        return {**found, **answer, "steps": [], "outdated_command": outdated, **more}
