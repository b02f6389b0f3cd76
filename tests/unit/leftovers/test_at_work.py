# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that has just begun is waited for: real locks of a real process, a bound, and a word."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    NotSetUpError,
    TimerError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._leftovers import at_work
from ansible_collections.greenlight.droplet.plugins.module_utils._state import timers

# dpkg and apt lock with fcntl(F_SETLK) as this does.
HOLD = """
import fcntl, sys
stream = open(sys.argv[1], "w")
fcntl.lockf(stream, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


class FastClock(Clock):
    """A clock on which a sleep takes no time."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        """Return the time slept."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.time += seconds


@pytest.fixture(name="held")
def fixture_held(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A lock that another process holds until its input ends."""
    path = str(tmp_path / "lock-frontend")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield path, process
        process.kill()


def test_who_holds_a_lock_is_found_and_named(
    held: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    path, process = held
    assert at_work.holder(path) == process.pid
    said = at_work.others(str(tmp_path), [str(tmp_path / "gone"), path])
    assert said.startswith("python")
    assert said.endswith(f"(process {process.pid}) holds {path}")
    process.communicate("")
    assert at_work.others(str(tmp_path), [path]) == ""


def test_the_wait_ends_with_who_was_waited_for(
    held: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    path, process = held
    looks = []

    def look() -> str:
        looks.append(1)
        if len(looks) == 4:
            process.communicate("")
        return at_work.others(str(tmp_path), [path])

    assert at_work.wait(60.0, FastClock(), look).startswith("Waited 2 s: python")


def test_the_wait_has_a_bound_and_says_who_is_still_at_work(
    held: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    clock = FastClock()
    with pytest.raises(NotSetUpError, match=r"holds .* waited 30 s .*base_wait_seconds"):
        at_work.wait(30.0, clock, lambda: at_work.others(str(tmp_path), [held[0]]))
    assert clock.time == 30.0


def test_a_host_at_rest_is_not_waited_for(tmp_path: Path) -> None:
    clock = FastClock()
    assert at_work.wait(30.0, clock, lambda: at_work.others(str(tmp_path), [])) == ""
    assert clock.time == 0.0


@pytest.mark.parametrize(
    ("files", "state", "busy"),
    [
        ([], "inactive", False),
        (["disabled"], "inactive", False),
        (["enabled"], "inactive starting", True),
        (["enabled"], "inactive degraded", False),
        (["enabled"], "activating", True),
        (["enabled", "result.json"], "active", False),
        (["enabled"], "failed", False),
        (["enabled"], "", True),
    ],
)
def test_cloud_init_is_at_work_from_its_begin_to_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], state: str, busy: bool
) -> None:
    for name in files:
        (tmp_path / name).touch()

    def call(*command: str, **_limits: float) -> subprocess.CompletedProcess[str]:
        if not state:
            raise TimerError("no answer")
        said = state.split()[-1 if command[1] == "is-system-running" else 0]
        return subprocess.CompletedProcess((), 0, f"{said}\n", "")

    monkeypatch.setattr(timers, "call", call)
    assert bool(at_work.others(str(tmp_path), [])) is busy
