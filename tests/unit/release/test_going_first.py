# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollback always gets through: past a release that hangs with the lock, and past its lease."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import processes
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import LockedError
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import Host
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Outcome
from ansible_collections.greenlight.droplet.plugins.module_utils._release.revert import (
    revert_at_console,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.transaction import (
    Transaction,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.lock import HostLock, Lease
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import order_for, release, rollback, sha_of
from tests.unit.release.world import World

A, B, C = sha_of("a"), sha_of("b"), sha_of("c")

_HANGING = """
import fcntl, json, os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
holder = {"run": "run-1", "action": sys.argv[2], "holder": "ann@ci", "since": "noon"}
os.write(descriptor, json.dumps({**holder, "pid": os.getpid()}).encode())
print("held", flush=True)
time.sleep(60)
"""


@contextlib.contextmanager
def process_with_lock(folder: Path, action: str) -> t.Iterator[subprocess.Popen[str]]:
    """Let a real process hold the lock of a run that never comes to its end."""
    command = [sys.executable, "-c", _HANGING, str(folder / "lock"), action]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def host_in(world: World, folder: Path) -> Host:
    """The droplet in memory, with a real lock and lease."""
    return dataclasses.replace(make_host(world), lock=HostLock(str(folder), Clock()))


def run(host: Host, world: World, action: t.Literal["release", "rollback"], sha: str) -> Outcome:
    """One call on the host with the real lock."""
    order, goal = order_for(world, sha, action)
    return Transaction(host, order).run(goal, "settled")


@pytest.fixture(name="hung")
def fixture_hung(world: World, tmp_path: Path) -> Host:
    """A release of C that is live and unfinished, after A and B; its process has the lease."""
    release(world, A)
    release(world, B)
    release(world, C, run="run-1", phase="live")
    host = host_in(world, tmp_path)
    host.lock.write_lease(Lease("run-1", "ann@ci", "release", C, 600.0, working=True))
    return host


def live(world: World) -> str:
    """The SHA that serves."""
    found = world.serving()
    return found.sha if found else ""


def test_a_rollback_ends_the_release_that_hangs_with_the_lock(
    world: World, hung: Host, tmp_path: Path
) -> None:
    with process_with_lock(tmp_path, "release") as process:
        outcome = run(hung, world, "rollback", "")
        assert process.wait(5) == -9
    assert live(world) == B
    assert any(
        "another release by ann@ci" in note and "was ended" in note for note in outcome.notes
    )
    (noted,) = [json.loads(line) for line in world.journal if "process-ended" in line]
    assert noted["reason"] == "a rollback goes before a release"


def test_a_plan_of_a_rollback_that_is_a_preview_ends_nothing(
    world: World, hung: Host, tmp_path: Path
) -> None:
    order, goal = order_for(world, "", "rollback")
    with process_with_lock(tmp_path, "release") as process:
        assert Transaction(hung, order).preview(goal, "settled").plan.steps
        assert process.poll() is None


@pytest.mark.parametrize("held", ["rollback", "watchdog"])
def test_a_rollback_ends_neither_another_one_nor_the_hosts_own_work(
    world: World, hung: Host, tmp_path: Path, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ansible_collections.greenlight.droplet.plugins.module_utils._release.preconditions"
        "._patience",
        lambda _order: 0.2,
    )
    with process_with_lock(tmp_path, held) as process:
        with pytest.raises(LockedError, match=f"Another {held} by ann@ci"):
            run(hung, world, "rollback", "")
        assert process.poll() is None
    assert live(world) == C


@pytest.mark.parametrize(
    ("action", "held"), [("release", "release"), ("rollback", "release"), ("rollback", "rollback")]
)
def test_a_reason_to_break_the_lease_ends_a_run_that_hangs(
    world: World, hung: Host, tmp_path: Path, action: t.Literal["release", "rollback"], held: str
) -> None:
    order, goal = order_for(world, B, action, break_lease="it hangs")
    with process_with_lock(tmp_path, held) as process:
        Transaction(hung, order).run(goal, "settled")
        assert process.wait(5) == -9
    assert live(world) == B


def test_no_release_ends_a_rollback(world: World, hung: Host, tmp_path: Path) -> None:
    order, goal = order_for(world, B, break_lease="the process that led it has ended")
    with process_with_lock(tmp_path, "rollback") as process:
        with pytest.raises(LockedError, match=r"Another rollback with a reason ends it: -e '\{"):
            Transaction(hung, order).run(goal, "settled")
        assert process.poll() is None


def test_a_release_without_a_reason_waits_for_its_turn(
    world: World, hung: Host, tmp_path: Path
) -> None:
    with process_with_lock(tmp_path, "release") as process:
        with pytest.raises(LockedError, match="app_break_lease"):
            run(hung, world, "release", A)
        assert process.poll() is None


def test_a_rollback_that_has_begun_ends_nobody_who_came_after_it(
    world: World, tmp_path: Path
) -> None:
    release(world, A)
    release(world, B)
    rollback(world, run="run-2", phase="staged")
    host = host_in(world, tmp_path)
    order, goal = order_for(world, "", "rollback", run="run-2")
    with process_with_lock(tmp_path, "release") as process:
        with pytest.raises(LockedError, match="Another release"):
            Transaction(host, order).run(goal, "live")
        assert process.poll() is None


def test_revert_at_the_console_ends_the_release_that_hangs(
    world: World, hung: Host, tmp_path: Path
) -> None:
    with process_with_lock(tmp_path, "release") as process:
        revert_at_console(hung, "", "root@api-1 (console)")
        assert process.wait(5) == -9
    assert live(world) == B


def test_revert_of_another_run_at_the_console_ends_nobody(hung: Host, tmp_path: Path) -> None:
    with process_with_lock(tmp_path, "release") as process:
        with pytest.raises(LockedError):
            revert_at_console(hung, "mistyped", "root@api-1 (console)")
        assert process.poll() is None


def test_a_process_that_does_not_hold_the_lock_is_let_alone(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with process_with_lock(tmp_path, "release") as process:
        assert not processes.end_holder(process.pid, str(tmp_path / "another"))
        other = tmp_path / "lock-of-nobody"
        other.touch()
        assert not processes.end_holder(process.pid, str(other))
        assert process.poll() is None
    assert not processes.end_holder(process.pid, str(tmp_path / "lock"))


def test_a_rollback_goes_past_the_lease_of_a_release_between_its_phases(world: World) -> None:
    release(world, A)
    release(world, B)
    release(world, C, run="run-1", phase="live")
    rollback(world)
    assert live(world) == B
    assert world.lease is None
    assert any("lease-broken" in line for line in world.journal)


def test_a_rollback_waits_for_another_one_between_its_phases(world: World) -> None:
    release(world, A)
    release(world, B)
    rollback(world, run="run-1", phase="staged")
    with pytest.raises(LockedError, match="A release is under way"):
        rollback(world, B)
