# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks on one host with the seconds of each, by Ansible over an SSH connection that is open."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import playbooks
from tests.integration.support.ansible import CALLBACKS

Task = Mapping[str, Any]
# The first task of a play finds out what the connection needs; its seconds are nobody's.
OPEN: Task = {"name": "Open the connection", "ansible.builtin.command": {"argv": ["true"]}}


@dataclass(frozen=True)
class Timed:
    """What a task returned, and its wall-clock seconds with the way to the host."""

    result: dict[str, Any]
    seconds: float


class TimedTasks:
    """Runs tasks on one host of an inventory; nothing is gathered and nothing is retried."""

    def __init__(
        self, inventory: Path, host: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Keep where to run, and what Ansible's environment is to have besides a user's."""
        self._inventory = inventory
        self._host = host
        self._environment = dict(environment or {})

    def run(self, tasks: Sequence[Task]) -> list[Timed]:
        """Run tasks in one play, in their order; return one outcome for each.

        Raises AssertionError with the end of the output when one of them fails.
        """
        play = {"hosts": self._host, "gather_facts": False, "tasks": [OPEN, *tasks]}
        with tempfile.TemporaryDirectory(prefix="timed-") as folder:
            playbook, record = Path(folder, "play.json"), Path(folder, "record.jsonl")
            playbook.touch(mode=0o600)
            playbook.write_text(json.dumps([play]), encoding="utf-8")
            recorder = {
                "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
                "ANSIBLE_CALLBACKS_ENABLED": "integration_recorder",
                "INTEGRATION_RECORD": str(record),
            }
            playbooks.run(
                *("ansible-playbook", "-i", str(self._inventory), str(playbook)),
                env=playbooks.environment({**recorder, **self._environment}),
            ).ok()
            lines = record.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        assert len(found) == len(tasks) + 1, [entry["task"] for entry in found]
        return [Timed(entry["result"], entry["seconds"]) for entry in found[1:]]
