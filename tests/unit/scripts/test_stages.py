# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The totals at the end of `make test` are honest."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from scripts import stages
from scripts.project import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
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


def test_a_target_over_its_budget_fails_and_says_by_how_much() -> None:
    late = stages.Outcome("unit", 12, 0, 0, seconds=61.5, budget=60.0)
    assert late.failures == 1
    assert late.line() == (
        "unit            61.5 s of   60.0 s  12 passed, 0 failed, FAILED: over its budget by 1.5 s"
    )
    in_time = stages.Outcome("unit", 12, 0, 0, seconds=60.0, budget=60.0)
    assert in_time.failures == 0
    assert in_time.line() == "unit            60.0 s of   60.0 s  12 passed, 0 failed"


@pytest.mark.parametrize(("taken", "factor"), [(0.5, 2.0), (0.125, 1.0)])
def test_budgets_grow_with_the_slowness_of_the_machine_and_never_shrink(
    taken: float, factor: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stages, "REFERENCE_SECONDS", 0.25)
    assert stages.slowness(lambda: taken) == factor
    assert f"budgets times {factor:.2f}" in capsys.readouterr().out


def test_the_loop_takes_time_in_every_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "HASHES", 1000)
    assert 0 < stages.measure() < 1


def test_each_target_is_given_its_own_budget_times_the_factor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, float] = {}

    def run(target: str, *, shown: bool = True, budget: float = 0.0) -> stages.Outcome:
        given[target] = budget
        return stages.Outcome(target, 1, 0, 0, seconds=20.0 + shown, budget=budget)

    monkeypatch.setattr(stages, "run", run)
    monkeypatch.setattr(stages, "slowness", lambda: 2.0)
    assert stages.main(["a=10+b=30,c", "d"]) == 1
    assert given == {"a": 20.0, "b": 60.0, "c": 0.0, "d": 0.0}
    assert "4 passed, 1 failed" in capsys.readouterr().out
    assert stages.main(["a=11"]) == 0


def test_a_budget_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="soon"):
        stages.split("unit=soon")


def test_the_budgets_of_make_test_stay_within_what_ci_allows() -> None:
    """Lanes side by side count as the longest of them; setting up comes before them."""
    (line,) = re.findall(r"^test: .*\n\t@.* -m scripts\.stages (.+)$", MAKEFILE, re.MULTILINE)
    longest = 0.0
    for stage in line.split():
        lanes = [[stages.split(target) for target in lane.split(",")] for lane in stage.split("+")]
        assert all(budget > 0 for lane in lanes for _name, budget in lane)
        longest += max(sum(budget for _name, budget in lane) for lane in lanes)
    # CI ends what takes longer; setting up and cleaning up need a few minutes of it.
    (minutes,) = re.findall(r"timeout-minutes: (\d+)", WORKFLOW)
    assert longest <= 60 * int(minutes) - 600


def test_targets_with_a_plus_run_side_by_side_and_all_of_them_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = threading.Barrier(2, timeout=10)
    shown_now: list[str] = []

    def run(target: str, *, shown: bool = True, budget: float = 0.0) -> stages.Outcome:
        if target != "alone":
            both.wait()
        if shown:
            shown_now.append(target)
        return stages.Outcome(target, 1, int(target == "right"), 0, seconds=1.0, budget=budget)

    monkeypatch.setattr(stages, "run", run)
    assert stages.main(["alone", "left+right"]) == 1
    assert sorted(shown_now) == ["alone", "left"]
    assert "3 passed, 1 failed" in capsys.readouterr().out


def test_the_targets_of_a_lane_run_in_order_beside_the_other_lane(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    firsts, seconds = threading.Barrier(2, timeout=10), threading.Barrier(2, timeout=10)
    ended: list[str] = []

    def run(target: str, *, shown: bool = True, budget: float = 0.0) -> stages.Outcome:
        # Each of a lane meets its neighbour of the other lane: nobody is ahead of its turn.
        (firsts if target.startswith("first") else seconds).wait()
        ended.append(target)
        return stages.Outcome(
            target, 1, int(target == "first left"), 0, seconds=float(shown), budget=budget
        )

    monkeypatch.setattr(stages, "run", run)
    assert stages.main(["first left,second left+first right,second right"]) == 1
    assert sorted(ended[:2]) == ["first left", "first right"]
    assert sorted(ended[2:]) == ["second left", "second right"]
    out = capsys.readouterr().out
    assert out.index("first left") < out.index("second left") < out.index("first right")
    assert "4 passed, 1 failed" in out
    assert [float(line.split()[2]) for line in out.splitlines() if " left " in line] == [1.0, 1.0]
    assert [float(line.split()[2]) for line in out.splitlines() if " right " in line] == [0.0, 0.0]
