# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's parts that need no fleet: its table, its choice of releases, its verdicts."""

from __future__ import annotations

import sys

import pytest

from dev import demo, demo_process, demo_table
from dev.demo_table import Row
from dev.sample_versions import VERSIONS

A, B, C, F = (VERSIONS[name].sha for name in ("A", "B", "C", "F"))


def test_the_table_adds_up_and_aligns_its_columns() -> None:
    rows = [Row("set up", 20.04), Row("release B", 12.5, 5120, 0), Row("roll back", 9.0, 80, 3)]
    lines = demo_table.table(rows).splitlines()
    assert lines[2].split() == ["set", "up", "20.0", "-", "-"]
    assert lines[3].split() == ["release", "B", "12.5", "5,120", "0"]
    assert lines[-1].split() == ["total", "41.5", "5,200", "3"]
    assert len({len(line) for line in lines}) == 1


def test_a_table_without_a_load_counts_nothing() -> None:
    assert demo_table.total([Row("set up", 1.0)]) == Row("total", 1.0)


@pytest.mark.parametrize(
    ("live", "wanted"),
    [("", (A, B, C)), ("0" * 40, (A, B, C)), (A, (B, C, VERSIONS["D"].sha)), (F, (A, B, C))],
)
def test_each_run_rolls_on_from_what_is_live(live: str, wanted: tuple[str, str, str]) -> None:
    assert demo.choose(live) == wanted


def test_the_reason_is_the_first_line_that_names_a_cause() -> None:
    lines = [
        "TASK [x]",
        "  fatal: [api-1]: FAILED!",
        "api-1  Release failed at step 'gate': no",
        "z",
    ]
    assert demo_process.reason(lines) == "fatal: [api-1]: FAILED!"
    assert demo_process.reason(["one", " two ", ""]) == "two"
    assert demo_process.reason([]) == "it said nothing"


def play_with(monkeypatch: pytest.MonkeyPatch, code: int, text: str, serving: str) -> None:
    """Let the playbook end with `code` and `text`, and `serving` answer afterwards."""
    monkeypatch.setattr(demo, "play", lambda *_arguments: (code, text.splitlines()))
    monkeypatch.setattr(demo, "serving", lambda: serving)


REFUSED = 'failed at step \'gate\': ...\n{"status": "unhealthy"}'


def test_a_refusal_counts_when_it_has_its_reason_and_the_old_release_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play_with(monkeypatch, 2, REFUSED, A)
    demo.refuse(B, A)


@pytest.mark.parametrize(
    ("code", "text", "serving", "reason"),
    [
        (0, REFUSED, A, "was accepted"),
        (2, "no route to host", A, "another reason"),
        (2, REFUSED, B, "should serve"),
        (2, REFUSED, "", "no release"),
    ],
)
def test_any_other_end_of_the_broken_release_stops_the_demo(
    monkeypatch: pytest.MonkeyPatch, code: int, text: str, serving: str, reason: str
) -> None:
    play_with(monkeypatch, code, text, serving)
    with pytest.raises(demo.DemoError, match=reason):
        demo.refuse(B, A)


def test_a_playbook_that_fails_stops_the_demo_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "must_run", lambda *_arguments: None)
    play_with(monkeypatch, 4, "TASK [x]\nfatal: [api-2]: UNREACHABLE!", "")
    assert demo.main() == 1
    error = capsys.readouterr().err
    assert "step 'set up both droplets' failed: setup-api.yml ended with exit code 4" in error
    assert "fatal: [api-2]: UNREACHABLE!" in error


def test_one_failed_request_is_one_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.finish(demo.Demo(rows=[Row("release B", 1.0, 10, 1)])) == 1
    assert "Requests that failed: 1" in capsys.readouterr().err


def test_the_load_of_a_step_that_failed_is_counted_too() -> None:
    phase = {"seconds": 1.0, "ok": 5, "failed": 2}
    phases = [{"name": name, **phase} for name in ("start", "release B", "roll back")]
    rows = demo.with_counts([Row("release B", 2.0)], {"phases": phases})
    assert [row.step for row in rows] == ["load alone", "release B", "roll back"]
    assert demo_table.total(rows).failed == 6


def test_output_comes_line_by_line_with_its_exit_code() -> None:
    lines: list[str] = []
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert demo_process.stream([sys.executable, "-c", script], lines.append) == 3
    assert sorted(lines) == ["err", "out"]
