# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module calls through ansible-playbook: a list of calls in, a list of results out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.support.machine import ROOT, Machine

CALLBACKS = Path(__file__).resolve().parent / "callback"
PLAY_SECONDS = 180.0


@dataclass(frozen=True)
class Call:
    """One module call, in check mode or for real."""

    module: str
    args: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    python: str = ""

    def task(self, name: str) -> dict[str, Any]:
        """The call as a task; a failure is recorded and does not end the play."""
        module = self.module if "." in self.module else f"greenlight.droplet.{self.module}"
        task: dict[str, Any] = {"name": name, module: dict(self.args), "check_mode": self.check}
        task["diff"] = True
        if self.python:
            task["vars"] = {"ansible_python_interpreter": self.python}
        return {"block": [task], "rescue": [{"ansible.builtin.meta": "noop"}]}


@dataclass(frozen=True)
class Result:
    """What a call returned."""

    raw: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        """Return one value; the message of a failed call is in the error when it lacks it."""
        assert key in self.raw, self.raw
        return self.raw[key]

    @property
    def changed(self) -> bool:
        """Whether the call says that it changed something."""
        return bool(self.raw.get("changed"))

    @property
    def failed(self) -> bool:
        """Whether the call failed."""
        return bool(self.raw.get("failed"))

    @property
    def msg(self) -> str:
        """The error message on one line; fails the test when there is none."""
        assert self.failed, self.raw
        return " ".join(str(self["msg"]).split())

    def ok(self) -> Result:
        """Return it, or fail the test with its message."""
        assert not self.failed, self.raw.get("msg", self.raw)
        return self

    @property
    def steps(self) -> list[str]:
        """The names of the steps that were carried out."""
        return [step["step"] for step in self["steps"]]


def inventory(machines: Sequence[Machine], variables: Mapping[str, Any]) -> dict[str, Any]:
    """An inventory of these droplets, in the same group as real ones."""
    hosts = {
        machine.name: {
            "ansible_host": machine.connection["host"],
            "ansible_port": machine.connection["port"],
            "ansible_user": machine.connection["user"],
            "ansible_ssh_private_key_file": machine.connection["key"],
            "ansible_ssh_common_args": " ".join(machine.options()),
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        for machine in machines
    }
    return {"all": {"children": {"api": {"hosts": hosts, "vars": dict(variables)}}}}


class Ansible:
    """Runs plays against the droplets of one inventory."""

    def __init__(self, folder: Path, hosts: dict[str, Any]) -> None:
        self._folder = folder
        self._inventory = folder / "inventory.json"
        self._inventory.write_text(json.dumps(hosts), encoding="utf-8")
        self._inventory.chmod(0o600)
        self._count = 0

    def playbook(self, playbook: Path, *arguments: str, record: Path | None = None) -> str:
        """Run a playbook and return its output; the test fails when the play does."""
        done = self.start(playbook, *arguments, record=record)
        output, _none = done.communicate(timeout=PLAY_SECONDS)
        assert done.returncode == 0, output
        return output

    def start(
        self, playbook: Path, *arguments: str, record: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start a playbook and return its process."""
        environment = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        if record is not None:
            environment |= {
                "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
                "ANSIBLE_CALLBACKS_ENABLED": "integration_recorder",
                "INTEGRATION_RECORD": str(record),
            }
        program = str(Path(sys.executable).parent / "ansible-playbook")
        return subprocess.Popen(
            [program, "-i", str(self._inventory), *arguments, str(playbook)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def play(self, calls: Sequence[Call], host: str, *arguments: str) -> Played:
        """Make the calls one after another on one host, in one play."""
        started = self.begin(calls, host, *arguments)
        return started.end()

    def begin(self, calls: Sequence[Call], host: str, *arguments: str) -> Playing:
        """Start such a play without waiting for it."""
        self._count += 1
        path = self._folder / f"play-{self._count}.json"
        tasks = [call.task(f"call {number}") for number, call in enumerate(calls)]
        play = {"name": "Calls", "hosts": host, "gather_facts": False, "tasks": tasks}
        path.write_text(json.dumps([play]), encoding="utf-8")
        path.chmod(0o600)
        record = self._folder / f"record-{self._count}.jsonl"
        return Playing(self.start(path, *arguments, record=record), record, len(calls))


@dataclass(frozen=True)
class Played:
    """The results of a play, and all that it printed."""

    results: list[Result]
    output: str
    seconds: list[float]
    """Wall-clock seconds of each task, the way to the host included."""


@dataclass(frozen=True)
class Playing:
    """A play that runs."""

    process: subprocess.Popen[str]
    record: Path
    calls: int

    def end(self) -> Played:
        """Wait for its end and read what it recorded."""
        output, _none = self.process.communicate(timeout=PLAY_SECONDS)
        assert self.record.exists(), output
        lines = self.record.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        results = [Result(entry["result"]) for entry in records]
        names = [entry["task"] for entry in records]
        assert names == [f"call {number}" for number in range(self.calls)], output
        return Played(results, output, [entry["seconds"] for entry in records])
