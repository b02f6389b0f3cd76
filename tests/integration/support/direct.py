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
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ansible.module_utils

from tests.integration.support.ansible import PLAY_SECONDS, Call, Result
from tests.integration.support.machine import ROOT, Machine

FOLDER = "/opt/greenlight-test-calls"
PROGRAM = "tests.integration.support.remote.calls"
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


@dataclass(frozen=True)
class Calling:
    """Calls under way on the droplet."""

    process: subprocess.Popen[str]
    calls: int

    def end(self) -> list[Result]:
        """Wait for the end and return the results."""
        output, errors = self.process.communicate(timeout=PLAY_SECONDS)
        results = [Result(json.loads(line)) for line in output.splitlines()]
        assert len(results) == self.calls, output + errors
        return results


def parameters(call: Call) -> dict[str, object]:
    """The parameters of a call as the module gets them, with what Ansible itself adds."""
    own = {
        "_ansible_check_mode": call.check,
        "_ansible_diff": True,
        "_ansible_module_name": call.module,
    }
    return {**call.args, **own}


def begin(machine: Machine, calls: Sequence[Call]) -> Calling:
    """Begin to make the calls, one after another."""
    assert not any(call.python for call in calls), "another Python is Ansible's to start"
    pairs = json.dumps([(call.module, parameters(call)) for call in calls])
    process = machine.start(f"cd {FOLDER} && exec python3 -B -m {PROGRAM}")
    assert process.stdin is not None
    process.stdin.write(pairs)
    process.stdin.close()
    # communicate() must not write to what is closed.
    process.stdin = None
    return Calling(process, len(calls))
