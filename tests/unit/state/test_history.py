# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state machine of a run and the journal that feeds it: damage, rotation, newer formats."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import files
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import FileError
from ansible_collections.greenlight.droplet.plugins.module_utils._state.history import (
    FOLLOWING,
    Entry,
    State,
    fold,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.journal import (
    KEPT_FILES,
    KEPT_TURNS,
    ROTATE_BYTES,
    Journal,
    tail,
)
from tests.unit.state.test_state_files import FrozenClock


def event(name: str, run: str = "1", release: str = "A", **data: t.Any) -> Entry:
    """One entry of a run."""
    return Entry(name, run, "noon", {"event": name, "run": run, "release": release, **data})


def whole(run: str, release: str) -> list[Entry]:
    """The entries of a run that ended well."""
    names = ("begin", "start", "staged", "live", "settled")
    return [event(name, run, release) for name in names]


def test_a_run_goes_through_its_states() -> None:
    states = [fold(whole("1", "A")[:n]).run("1").state.name.lower() for n in range(6)]
    assert states == ["absent", "begun", "started", "staged", "live", "settled"]
    assert fold(whole("1", "A")).irregular == []


@pytest.mark.parametrize("state", list(State))
def test_a_move_that_the_table_lacks_is_irregular(state: State) -> None:
    ways = {
        State.ABSENT: [],
        State.BEGUN: ["begin"],
        State.STARTED: ["begin", "start"],
        State.STAGED: ["begin", "staged"],
        State.LIVE: ["begin", "staged", "live"],
        State.PROVED: ["begin", "staged", "live", "proved"],
        State.COMMITTED: ["begin", "staged", "live", "committed"],
        State.SETTLED: ["begin", "settled"],
        State.REVERTED: ["begin", "reverted"],
    }
    before = [event(name) for name in ways[state]]
    for following in set(State) - {State.ABSENT}:
        history = fold([*before, event(following.value)])
        allowed = following is State.BEGUN or following in FOLLOWING[state]
        assert bool(history.irregular) != allowed, (state, following)


def test_what_was_taken_back_was_never_live() -> None:
    entries = [*whole("1", "A"), *whole("2", "B")[:4], event("reverted", "2", "B")]
    assert [turn.release for turn in fold(entries).turns] == ["A"]


def test_a_run_that_begins_anew_keeps_what_it_settled_before() -> None:
    entries = [*whole("1", "A"), *whole("1", "B")[:4], event("reverted", "1", "B")]
    history = fold(entries)
    assert [turn.release for turn in history.turns] == ["A"]
    assert history.run("1").state is State.REVERTED
    assert history.run("1").started == set()
    assert fold(entries[:-1]).run("1").started == {"B"}


def test_the_action_of_a_release_whose_run_died_is_that_of_its_gate() -> None:
    entries = [
        event("begin"),
        event("staged", action="rollback"),
        event("begin", "2"),
        event("recovered", "2"),
    ]
    (turn,) = fold(entries).turns
    assert turn.action == "rollback"


def test_an_unfinished_run_is_the_last_one_only() -> None:
    half = whole("1", "A")[:3]
    unfinished = fold(half).unfinished()
    assert unfinished is not None
    assert unfinished.identifier == "1"
    assert fold([*half, *whole("2", "B")]).unfinished() is None
    assert fold([*half, *whole("2", "B")]).overtaken_by("1") == "2"
    assert fold([*whole("2", "B"), *half]).overtaken_by("1") == ""
    assert fold([*half, *whole("2", "B"), event("begin", "1")]).overtaken_by("1") == ""


def test_seconds_of_all_phases_add_up() -> None:
    entries = [
        event("begin"),
        event("phase", seconds={"gate": 0.5}),
        event("settled", seconds={"gate": 0.25, "drain": 1.0}),
    ]
    assert fold(entries).run("1").seconds == {"gate": 0.75, "drain": 1.0}


def test_damaged_lines_are_counted_put_aside_and_written_anew(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path), FrozenClock())
    journal.write("begin", "1", sha="a")
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b"\xff\xfe not json\n[1]\n")
    journal.write("settled", "1", sha="a")
    assert journal.read().damaged == 2
    aside = Path(journal.mend())
    assert b"not json" in aside.read_bytes()
    again = journal.read()
    assert again.damaged == 0
    assert again.run("1").state is State.SETTLED
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "\n\n", "\x00" * 40])
def test_an_empty_journal_is_no_damage(tmp_path: Path, content: str) -> None:
    (tmp_path / "journal.jsonl").write_text(content)
    history = Journal(str(tmp_path), FrozenClock()).read()
    assert (history.damaged, history.turns) == (0, [])


def test_a_newer_journal_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"event": "journal", "format": 2}\n')
    with pytest.raises(FileError, match=r"has format 2; this version .* knows 1\. Install"):
        Journal(str(tmp_path), FrozenClock()).read()


def test_a_full_disk_leaves_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(str(tmp_path), FrozenClock())
    journal.write("begin", "1", sha="a")
    before = (tmp_path / "journal.jsonl").read_bytes()
    write = os.write

    def half(descriptor: int, content: bytes) -> int:
        if len(content) <= 20:
            raise OSError(28, "No space left on device")
        return write(descriptor, content[:20])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(FileError, match="No space left"):
        journal.write("start", "1", release="A" * 4000)
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_rotation_keeps_the_last_turns_and_a_few_files(tmp_path: Path) -> None:
    clock = FrozenClock()
    journal = Journal(str(tmp_path), clock)
    journal.rotate()
    assert list(tmp_path.iterdir()) == []
    for round_number in range(KEPT_FILES + 2):
        lines = [json.dumps(e.data) for n in range(150) for e in whole(f"{n}", f"R{n}")]
        padding = json.dumps({"event": "phase", "run": "0", "text": "x" * ROTATE_BYTES})
        files.write_atomic(journal.path, "\n".join([padding, *lines]) + "\n")
        clock.time += 60 * (round_number + 1)
        journal.rotate()
        history = journal.read()
        assert [turn.release for turn in history.turns] == [f"R{n}" for n in range(50, 150)]
        assert history.irregular == []
        assert Path(journal.path).stat().st_size < ROTATE_BYTES
    assert len(list(tmp_path.glob("journal-*.jsonl"))) == KEPT_FILES
    assert not list(tmp_path.glob("*.new"))


def test_a_short_journal_is_kept_whole_by_a_rotation() -> None:
    entries = [*whole("1", "A"), *whole("2", "B")]
    assert tail(entries, KEPT_TURNS) == entries
