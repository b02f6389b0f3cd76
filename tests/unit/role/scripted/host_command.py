# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module host_command; the script's `host command` says how it ends."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Answers in place of the host."""

    _requires_connection = False

    def run(self, tmp: object = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """End as the script says."""
        super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        how = json.loads(os.environ["SCRIPT"]).get(f"{host} command", "")
        if how == "unreachable":
            raise AnsibleConnectionFailure("no route to host")
        if how == "failed":
            return {"failed": True, "msg": "disk full"}
        return {"changed": True, "version": "1"}
