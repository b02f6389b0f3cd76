# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The totals at the end of `make test` are honest."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from scripts import stages

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="10"
 failures="{failures}" errors="1" skipped="2"/></testsuites>"""


@pytest.mark.parametrize(
    ("failures", "code", "expected"),
    [(3, 1, (4, 4, 2)), (0, 1, (7, 1, 2))],
)
def test_count_from_report(
    tmp_path: Path, failures: int, code: int, expected: tuple[int, int, int]
) -> None:
    report = tmp_path / "unit.xml"
    report.write_text(REPORT.format(failures=failures), encoding="utf-8")
    assert stages.count(report, code) == expected


@pytest.mark.parametrize(("code", "expected"), [(0, (1, 0, 0)), (2, (0, 1, 0))])
def test_count_without_report(tmp_path: Path, code: int, expected: tuple[int, int, int]) -> None:
    assert stages.count(tmp_path / "none.xml", code) == expected


def test_failure_after_a_clean_report_counts(tmp_path: Path) -> None:
    report = tmp_path / "unit.xml"
    text = REPORT.format(failures=0).replace('errors="1"', 'errors="0"')
    report.write_text(text, encoding="utf-8")
    assert stages.count(report, 3) == (8, 1, 2)


def test_line() -> None:
    outcome = stages.Outcome("unit", 12, 0, 1, seconds=3.25)
    assert outcome.line() == "unit             3.2 s  12 passed, 0 failed, 1 skipped"


def test_targets_with_a_plus_run_side_by_side_and_all_of_them_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = threading.Barrier(2, timeout=10)
    shown_now: list[str] = []

    def run(target: str, *, shown: bool = True) -> stages.Outcome:
        if target != "alone":
            both.wait()
        if shown:
            shown_now.append(target)
        return stages.Outcome(target, 1, int(target == "right"), 0, seconds=1.0)

    monkeypatch.setattr(stages, "run", run)
    assert stages.main(["alone", "left+right"]) == 1
    assert sorted(shown_now) == ["alone", "left"]
    assert "3 passed, 1 failed" in capsys.readouterr().out


def test_the_targets_of_a_lane_run_in_order_beside_the_other_lane(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    firsts, seconds = threading.Barrier(2, timeout=10), threading.Barrier(2, timeout=10)
    ended: list[str] = []

    def run(target: str, *, shown: bool = True) -> stages.Outcome:
        # Each of a lane meets its neighbour of the other lane: nobody is ahead of its turn.
        (firsts if target.startswith("first") else seconds).wait()
        ended.append(target)
        return stages.Outcome(target, 1, int(target == "first left"), 0, seconds=float(shown))

    monkeypatch.setattr(stages, "run", run)
    assert stages.main(["first left,second left+first right,second right"]) == 1
    assert sorted(ended[:2]) == ["first left", "first right"]
    assert sorted(ended[2:]) == ["second left", "second right"]
    out = capsys.readouterr().out
    assert out.index("first left") < out.index("second left") < out.index("first right")
    assert "4 passed, 1 failed" in out
    assert [float(line.split()[2]) for line in out.splitlines() if " left " in line] == [1.0, 1.0]
    assert [float(line.split()[2]) for line in out.splitlines() if " right " in line] == [0.0, 0.0]
