# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module calls without Ansible: the modules' own code on the droplet, over one SSH command.

For tests whose subject is what a module does. How Ansible brings it there takes a second or two for
each play, and is tested by those who call Ansible itself.
"""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Sequence
from pathlib import Path

import ansible.module_utils
import pytest

from tests.integration.support.ansible import PLAY_SECONDS, Call, Result
from tests.integration.support.machine import ROOT, Machine

FOLDER = "/opt/greenlight-test-calls"
PROGRAM = "tests.integration.support.remote.calls"
CLOSE_SECONDS = 20.0
REMOTE = "tests/integration/support/remote"


def archive(*folders: str) -> bytes:
    """What modules need on the host, and these folders of tests, as a gzipped tar file."""
    buffer = io.BytesIO()
    collection = "ansible_collections/greenlight/droplet/plugins"
    parts = {
        "ansible/module_utils": Path(next(iter(ansible.module_utils.__path__))),
        **{f"{collection}/{name}": ROOT / "plugins" / name for name in ("module_utils", "modules")},
        **{name: ROOT / name for name in (REMOTE, *folders)},
    }
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, path in parts.items():
            for file in sorted(path.rglob("*.py")):
                tar.add(file, f"{name}/{file.relative_to(path)}")
        # ansible-core asks where its package is.
        tar.addfile(tarfile.TarInfo("ansible/__init__.py"))
    return buffer.getvalue()


def install(machine: Machine, folder: str, *folders: str) -> None:
    """Put the archive into a new folder of the droplet, compiled: Ansible's own is so, too."""
    machine.sh(f"rm -rf {folder} && mkdir -p {folder}")
    machine.unpack(archive(*folders), folder)
    machine.sh(f"python3 -m compileall -q {folder}")


def parameters(call: Call) -> dict[str, object]:
    """The parameters of a call as the module gets them, with what Ansible itself adds."""
    assert not call.python, "another Python is Ansible's to start"
    own = {
        "_ansible_check_mode": call.check,
        "_ansible_diff": True,
        "_ansible_module_name": call.module,
    }
    return {**call.args, **own}


def result_of(line: str) -> Result:
    """The result that a module printed, with its warnings as texts, which Ansible makes of them."""
    raw = json.loads(line)
    warnings = raw.get("warnings", [])
    texts = [item["event"]["msg"] if isinstance(item, dict) else item for item in warnings]
    return Result({**raw, "warnings": texts} if texts else raw)


class Calling:
    """The program on the droplet, which makes calls one after another."""

    def __init__(self, machine: Machine) -> None:
        """Start it."""
        self.process = machine.start(f"cd {FOLDER} && exec python3 -B -m {PROGRAM}")
        self._calls = 0

    def begin(self, calls: Sequence[Call]) -> Calling:
        """Let it make the calls, without waiting for their end."""
        pairs = [(call.module, parameters(call)) for call in calls]
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(pairs) + "\n")
        self.process.stdin.flush()
        self._calls = len(calls)
        return self

    def results(self) -> list[Result]:
        """Wait until the calls have ended; it goes on running. Fails after PLAY_SECONDS."""
        assert self.process.stdout is not None
        alarm = threading.Timer(PLAY_SECONDS, self.process.kill)
        alarm.start()
        try:
            lines = [self.process.stdout.readline() for _call in range(self._calls)]
        finally:
            alarm.cancel()
        if not all(lines):
            pytest.fail(f"{lines} {self.process.communicate()[1]}")
        return [result_of(line) for line in lines]

    def end(self) -> list[Result]:
        """The same, and let it end."""
        results = self.results()
        self.close()
        return results

    def close(self) -> None:
        """Let it end."""
        self.process.communicate(timeout=CLOSE_SECONDS)


class Direct:
    """Calls on one droplet, by one program that stays for all of them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._kept: Calling | None = None

    def play(self, calls: Sequence[Call]) -> list[Result]:
        """Make calls one after another; the program is started when none runs."""
        if self._kept is None or self._kept.process.poll() is not None:
            self._kept = Calling(self._machine)
        return self._kept.begin(calls).results()

    def begin(self, calls: Sequence[Call]) -> Calling:
        """Begin to make calls beside all others; end() of what is returned waits for them."""
        return Calling(self._machine).begin(calls)

    def close(self) -> None:
        """Let the program end."""
        if self._kept is not None:
            self._kept.close()
        self._kept = None
