# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard of the way in: what is kept, what is put back, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._access import guard
from ansible_collections.greenlight.droplet.plugins.module_utils._access import restore as program
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    NotSetUpError,
    SpecError,
    TimerError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state import timers


class Calls:
    """Commands that would have run; each ends well."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, *command: str, **_limits: float) -> subprocess.CompletedProcess[str]:
        """Note the command."""
        self.seen.append(" ".join(command))
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture(name="calls")
def fixture_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """A guard below a folder of the test, without systemd."""
    calls = Calls()
    state = tmp_path / "way_in"
    for name, path in {
        "FOLDER": state,
        "GUARD": state / "guard.json",
        "RECORD": state / "put_back.json",
        "COPIES": state / "copies",
        "LOCK": state / "lock",
        "AT_BOOT": tmp_path / "units/timers.target.wants/greenlight-way-in.timer",
    }.items():
        monkeypatch.setattr(program, name, str(path))
    monkeypatch.setattr(guard, "LAUNCHER", sys.executable)
    (tmp_path / "units").mkdir()
    for name in ("TIMER", "SERVICE"):
        monkeypatch.setattr(guard, name, str(tmp_path / "units" / name.lower()))
    monkeypatch.setattr(timers, "call", calls)

    def ssh_answers(_guard: dict[str, t.Any]) -> bool:
        calls.seen.append("ssh")
        return True

    monkeypatch.setitem(program.SERVICES, "ssh", ssh_answers)
    return calls


@pytest.fixture(name="settings")
def fixture_settings(tmp_path: Path) -> Path:
    """A folder of settings with a file, a folder and a link."""
    folder = tmp_path / "etc" / "ssh"
    (folder / "more").mkdir(parents=True)
    (folder / "config").write_text("old")
    (folder / "config").chmod(0o600)
    (folder / "more" / "drop-in").write_text("old too")
    (folder / "link").symlink_to("config")
    return folder


def test_copies_come_back_as_they_were(calls: Calls, settings: Path, tmp_path: Path) -> None:
    absent = tmp_path / "etc" / "not-there"
    assert guard.guard([str(settings), str(absent)], ["ssh"], 60)
    (settings / "config").write_text("new")
    (settings / "config").chmod(0o644)
    (settings / "link").unlink()
    (settings / "more" / "drop-in").unlink()
    (settings / "more" / "added").write_text("added")
    absent.mkdir()
    (absent / "file").write_text("added")
    assert program.main() == 0
    assert (settings / "config").read_text() == "old"
    assert (settings / "config").stat().st_mode & 0o777 == 0o600
    assert str((settings / "link").readlink()) == "config"
    assert [path.name for path in (settings / "more").iterdir()] == ["drop-in"]
    assert not absent.exists()
    assert calls.seen[-1] == "ssh"
    assert not guard.is_guarded()


def test_second_guard_keeps_the_first_copies(calls: Calls, settings: Path) -> None:
    assert guard.guard([str(settings)], ["ssh"], 60)
    (settings / "config").write_text("unproved")
    assert not guard.guard([str(settings)], ["ssh", "ufw"], 60)
    stored = json.loads(Path(program.GUARD).read_text())
    assert [item["path"] for item in stored["paths"]] == [str(settings)]
    assert stored["services"] == ["ssh", "ufw"]
    stored["services"] = []
    assert program.put_back(stored) == []
    assert (settings / "config").read_text() == "old"
    assert calls.seen.count("systemctl restart greenlight-way-in.timer") == 2


def test_proof_leaves_the_new_and_removes_the_guard(calls: Calls, settings: Path) -> None:
    guard.guard([str(settings)], ["ssh"], 60)
    (settings / "config").write_text("new")
    assert guard.prove()
    assert not guard.prove()
    assert program.main() == 0
    assert (settings / "config").read_text() == "new"
    assert not Path(guard.TIMER).exists()
    assert not os.path.lexists(program.AT_BOOT)
    assert "systemctl stop greenlight-way-in.timer" in calls.seen


def test_proof_that_comes_too_late_is_an_error(calls: Calls, settings: Path) -> None:
    guard.guard([str(settings)], ["ssh"], 60)
    program.main()
    assert calls.seen[-1] == "ssh"
    with pytest.raises(TimerError, match="was put back at"):
        guard.prove()


def test_what_fails_stays_guarded_and_the_rest_is_put_back(
    calls: Calls, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard.guard([str(settings)], ["ssh", "ufw"], 60)
    (settings / "config").write_text("new")
    monkeypatch.setitem(program.SERVICES, "ufw", lambda _guard: False)
    assert program.main() == 1
    assert (settings / "config").read_text() == "old"
    assert guard.is_guarded()
    assert json.loads(Path(program.RECORD).read_text())["failed"] == ["service ufw"]
    assert "ssh" in calls.seen


@pytest.mark.parametrize("path", ["etc/ssh", "/etc", "/", "/etc/../ssh", "/etc/ssh/"])
def test_path_that_is_too_wide_is_refused(calls: Calls, path: str) -> None:
    with pytest.raises(SpecError, match="cannot be guarded"):
        guard.guard([path], ["ssh"], 60)
    assert calls.seen == []


def test_time_that_is_too_short_is_refused(calls: Calls, settings: Path) -> None:
    with pytest.raises(SpecError, match="seconds is 4"):
        guard.guard([str(settings)], ["ssh"], 4)
    assert calls.seen == []


def test_without_the_command_nothing_is_guarded(
    calls: Calls, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "LAUNCHER", "/nowhere/greenlight")
    with pytest.raises(NotSetUpError, match="/nowhere/greenlight is not installed"):
        guard.guard([str(settings)], ["ssh"], 60)
    assert calls.seen == []
    assert not guard.is_guarded()


@pytest.mark.usefixtures("calls")
def test_a_command_that_does_not_start_guards_nothing(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = subprocess.CompletedProcess[str]([], 1, "", "not installed whole")
    monkeypatch.setattr(timers, "call", lambda *_command, **_limits: refused)
    with pytest.raises(NotSetUpError, match="not installed whole"):
        guard.guard([str(settings)], ["ssh"], 60)
    assert not guard.is_guarded()


def test_the_timer_starts_the_command(calls: Calls, settings: Path) -> None:
    guard.guard([str(settings)], ["ssh"], 60)
    unit = Path(guard.SERVICE).read_text()
    assert "ExecStart=/usr/local/sbin/greenlight restore-access\n" in unit
    assert calls.seen[0] == "/usr/local/sbin/greenlight restore-access --check"
