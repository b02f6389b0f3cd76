# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files: what a crash, a torn line or a second process leaves behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import (
    files,
    identity,
    listening,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import (
    Clock,
    wait_until,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FileError,
    LockedError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.journal import (
    Journal,
    parse,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.lock import HostLock, Lease


class FrozenClock(Clock):
    """A clock that moves only by sleep."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.set_forward = 0.0

    def now(self) -> float:
        """Seconds since some moment."""
        return self.time

    def wall(self) -> float:
        """The same."""
        return self.time

    def uptime(self) -> float:
        """The same, unless a test sets the wall clock."""
        return self.time - self.set_forward

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.time += seconds


def test_write_replaces_and_sets_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "live.map"
    files.write_atomic(str(path), "one\n", 0o600)
    files.write_atomic(str(path), "two\n", 0o644)
    assert path.read_text() == "two\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in tmp_path.iterdir()] == ["live.map"]


def test_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "live.map"
    path.write_text("old\n")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"No space left.*The old file is untouched"):
        files.write_atomic(str(path), "new\n")
    assert path.read_text() == "old\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["live.map"]


def test_append_closes_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "live"}\n{"event": "to')
    files.append_lines(str(path), ['{"event": "next"}'])
    entries, damaged = parse(path.read_text())
    assert [entry.event for entry in entries] == ["live", "next"]
    assert damaged == 1


def test_missing_file_is_none_and_a_folder_is_an_error(tmp_path: Path) -> None:
    assert files.read_text(str(tmp_path / "none")) is None
    with pytest.raises(FileError, match="Cannot read"):
        files.read_text(str(tmp_path))
    assert files.list_stems(str(tmp_path / "none"), ".json") == []


def test_listening_port_and_its_owner_are_found() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert listening.listening_ports(os.getpid())[port] is False
        assert listening.port_owners(port) == [Path("/proc/self/comm").read_text().strip()]
    assert listening.port_owners(port) == []


def test_a_folder_is_known_again_by_whatever_path_it_is_reached(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (tmp_path / "alias").symlink_to(one)
    assert identity.identity(str(one)) == identity.identity(str(tmp_path / "alias"))
    assert identity.identity(str(one)) != identity.identity(str(other))
    with pytest.raises(FileError, match="Cannot look at"):
        identity.identity(str(tmp_path / "none"))


def test_journal_reads_what_it_wrote(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path), FrozenClock())
    journal.write("live", "run-1", release="r1", sha="a", action="release")
    head, entry = journal.read().entries
    assert head.data["format"] == 1
    assert (entry.event, entry.run, entry.time) == ("live", "run-1", "1970-01-01T00:16:40Z")


def test_second_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    script = (
        "import fcntl, json, os, sys, time\n"
        f"d = os.open({str(tmp_path / 'lock')!r}, os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(d, fcntl.LOCK_EX)\n"
        "os.write(d, json.dumps({'action': 'release', 'holder': 'ann@ci', 'pid': 77,"
        " 'since': 'noon'}).encode())\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        lock = HostLock(str(tmp_path), FrozenClock())
        with pytest.raises(LockedError, match=r"release by ann@ci \(process 77, since noon\)"):
            lock.acquire("run", "bob", "release", 1.0)
        other.kill()
        other.stdin.close()
        other.wait()
    lock.acquire("run", "bob", "release", 0.0)
    lock.release()
    assert (tmp_path / "lock").read_text() == ""


def test_lease_belongs_to_its_run_and_runs_out(tmp_path: Path) -> None:
    clock = FrozenClock()
    lock = HostLock(str(tmp_path), clock)
    lock.write_lease(Lease("run-1", "ann@ci", "release", "a" * 40, 300))
    assert lock.check_lease("run-1") is not None
    with pytest.raises(LockedError, match=r"ann@ci \(release of aaaaaaa, run run-1\) until"):
        lock.check_lease("run-2")
    clock.time += 301
    assert lock.check_lease("run-2") is None


def test_setting_the_clock_neither_ends_nor_prolongs_a_lease(tmp_path: Path) -> None:
    clock = FrozenClock()
    lock = HostLock(str(tmp_path), clock)
    lock.write_lease(Lease("run-1", "ann@ci", "release", "a" * 40, 300))
    clock.time += 86_400
    clock.set_forward = 86_400
    assert lock.read_lease() is not None
    clock.time -= 2 * 86_400
    clock.set_forward -= 2 * 86_400
    assert lock.read_lease() is not None
    clock.time += 301
    assert lock.read_lease() is None


def test_a_lease_of_an_earlier_boot_ends_soon_after_the_boot(tmp_path: Path) -> None:
    clock = FrozenClock()
    lock = HostLock(str(tmp_path), clock)
    lock.write_lease(Lease("run-1", "ann@ci", "release", "a" * 40, 300))
    path = tmp_path / "lease.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"boot": "another"}))
    clock.time = 299.0
    assert lock.read_lease() is not None
    clock.time = 301.0
    assert lock.read_lease() is None


def test_temporary_files_of_a_killed_process_are_removed_with_the_lock(tmp_path: Path) -> None:
    for name in (".live.map.abc", ".lease.json.x1", ".journal.jsonl.zz", ".freeze.json.q", "kept"):
        (tmp_path / name).write_text("half")
    lock = HostLock(str(tmp_path), FrozenClock())
    lock.acquire("run", "bob", "release", 0.0)
    lock.release()
    assert {entry.name for entry in tmp_path.iterdir()} == {".freeze.json.q", "kept", "lock"}


def test_a_full_disk_does_not_keep_the_lock_from_being_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    lock = HostLock(str(tmp_path), FrozenClock())
    lock.acquire("run", "bob", "release", 0.0)
    with pytest.raises(LockedError, match="Another run holds the lock"):
        HostLock(str(tmp_path), FrozenClock()).acquire("2", "ann", "release", 0.0)
    lock.release()


def test_who_is_refused_hears_until_when_and_what_to_set(tmp_path: Path) -> None:
    clock = FrozenClock()
    first, second = HostLock(str(tmp_path), clock), HostLock(str(tmp_path), clock)
    first.acquire("run-1", "ann@ci", "release", 0.0)
    first.write_lease(Lease("run-1", "ann@ci", "release", "a" * 40, 300, working=True))
    with pytest.raises(LockedError) as caught:
        second.acquire("run-2", "bob", "release", 0.0)
    assert "a lease until 1970-01-01T00:21:40Z" in str(caught.value)
    assert "set app_lock_wait" in str(caught.value)
    # The lease that a dead run has left says nothing of who is at work.
    first.write_lease(Lease("run-0", "eve", "release", "a" * 40, 300))
    with pytest.raises(LockedError) as caught:
        second.acquire("run-2", "bob", "release", 0.0)
    assert "until" not in str(caught.value).partition("Wait")[0]
    first.release()


def test_only_its_own_run_ends_a_lease(tmp_path: Path) -> None:
    lock = HostLock(str(tmp_path), FrozenClock())
    lock.write_lease(Lease("run-1", "ann@ci", "release", "a" * 40, 300))
    assert not lock.end_own_lease("run-2")
    assert lock.read_lease() is not None
    assert lock.end_own_lease("run-1")
    assert not (tmp_path / "lease.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": 1}'])
def test_damaged_lease_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "lease.json").write_text(text)
    assert HostLock(str(tmp_path), FrozenClock()).read_lease() is None


def test_wait_observes_once_more_at_the_limit() -> None:
    clock = FrozenClock()
    outcome = wait_until(clock.now, lambda now: now >= 1002.0, 2.0, 0.75, clock)
    assert outcome.done
    late = wait_until(clock.now, lambda _now: False, 1.0, 0.4, clock)
    assert not late.done
    assert late.seconds == pytest.approx(1.0)
