# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files with valid text of another form: a person, or another version, was at work."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FileError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    parse_application,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.freeze import FreezeFile
from ansible_collections.greenlight.droplet.plugins.module_utils._state.journal import (
    Journal,
    parse,
)

GOOD: dict[str, t.Any] = {
    "event": "begin",
    "run": "r",
    "time": "2026-01-01T00:00:00Z",
    "action": "release",
    "sha": "a" * 40,
    "holder": "ann",
    "ci_run": "",
    "origin": {"release": "r-0", "sha": "b" * 40, "slot": "blue"},
    "seconds": {"gate": 1.5, "start": 2},
}


@pytest.mark.parametrize(
    "part",
    [{}, {"origin": None}, {"seconds": None}, {"ci_run": None}, {"back_seconds": None}, {"x": [1]}],
)
def test_a_line_of_ours_is_read(part: dict[str, t.Any]) -> None:
    entries, damaged = parse(json.dumps({**GOOD, **part}))
    assert (len(entries), damaged) == (1, 0)


@pytest.mark.parametrize(
    "part",
    [
        {"seconds": [1]},
        {"seconds": 5},
        {"seconds": {"gate": "1.5"}},
        {"seconds": {"gate": None}},
        {"time": 5},
        {"run": ["r"]},
        {"event": {}},
        {"event": None},
        {"sha": 7},
        {"holder": {"name": "ann"}},
        {"reason": ["a"]},
        {"origin": "r-0"},
        {"origin": {"sha": 5}},
        {"release": 1},
    ],
)
def test_a_line_with_a_wrong_type_is_damaged_and_the_rest_is_read(
    part: dict[str, t.Any], tmp_path: Path
) -> None:
    lines = [GOOD, {**GOOD, **part}, {**GOOD, "event": "staged", "release": "r-1"}]
    (tmp_path / "journal.jsonl").write_text(
        "".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8"
    )
    history = Journal(str(tmp_path), Clock()).read()
    assert (len(history.entries), history.damaged) == (2, 1)
    assert history.run("r").staged == {"r-1"}


@pytest.mark.parametrize(
    "line",
    ["[" * 100_000, '{"event":' * 100_000, '{"event": "x", "n": NaN}', "[]", "5", "null", "\xff"],
)
def test_a_line_that_is_no_line_of_ours_is_damaged(line: str) -> None:
    assert parse(f"{json.dumps(GOOD)}\n{line}\n")[1] == 1


def test_what_is_written_moves_no_terminal(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path), Clock())
    said = "\x1b[2J\x7f\x9b\u202e\nand more"
    journal.write("begin", "r", reason=said)
    text = (tmp_path / "journal.jsonl").read_text(encoding="utf-8")
    assert all(line.isprintable() for line in text.splitlines())
    assert journal.read().entries[-1].data["reason"] == said


def test_a_folder_where_a_file_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    (tmp_path / "freeze.json").mkdir()
    journal = Journal(str(tmp_path), Clock())
    with pytest.raises(FileError, match=r"journal\.jsonl"):
        journal.read()
    with pytest.raises(FileError, match=r"journal\.jsonl"):
        journal.write("begin", "r")
    with pytest.raises(FileError, match=r"freeze\.json"):
        FreezeFile(str(tmp_path), Clock()).read()


@pytest.mark.parametrize("text", ["[]", "5", '{"reason": 1}', "[" * 100_000, "\xff", "{"])
def test_a_damaged_freeze_holds_back(text: str, tmp_path: Path) -> None:
    (tmp_path / "freeze.json").write_text(text, encoding="utf-8")
    found = FreezeFile(str(tmp_path), Clock()).read()
    assert found is not None
    assert "is damaged" in found.reason


@pytest.mark.parametrize("text", ["[]", "5", "null", "{}", "[" * 100_000, '{"slots": [1, 2]}'])
def test_a_damaged_descriptor_is_said(text: str) -> None:
    with pytest.raises(SpecError, match=r"The descriptor /x is damaged"):
        parse_application(text, "/x")
