# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run make targets one after another; say how long each took and how many tests passed.

Usage: python -m scripts.stages TARGET ...

A TARGET may be lanes joined by a plus sign, which run side by side; a lane is targets joined by
commas, which run one after another. What the first lane prints is shown as it comes, what a target
of the others prints when it has ended. A target that fails does not keep the next one from running;
the exit code is 0 when all passed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from scripts.project import ROOT

REPORTS = ROOT / ".cache" / "reports"


@dataclass(frozen=True)
class Outcome:
    """What became of one target; `seconds` of wall-clock time."""

    target: str
    passed: int
    failed: int
    skipped: int
    seconds: float

    def line(self) -> str:
        """The outcome in one line."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        counts = f"{self.passed} passed, {self.failed} failed{skipped}"
        return f"{self.target:<12} {self.seconds:7.1f} s  {counts}"


def read_report(path: Path) -> tuple[int, int, int]:
    """Tests passed, failed and skipped according to the JUnit file `path`."""
    suites = ElementTree.parse(path).getroot().iter("testsuite")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in suites:
        for name in totals:
            totals[name] += int(suite.get(name, "0"))
    failed = totals["failures"] + totals["errors"]
    return totals["tests"] - failed - totals["skipped"], failed, totals["skipped"]


def count(report: Path, code: int) -> tuple[int, int, int]:
    """Tests passed, failed and skipped by a target that ended with the exit code `code`.

    A target without a report counts as one test. A target that failed has one failure at least: it
    may have died before it could write any down.
    """
    passed, failed, skipped = read_report(report) if report.exists() else (int(code == 0), 0, 0)
    return passed, max(failed, int(code != 0)), skipped


def run(target: str, *, shown: bool = True) -> Outcome:
    """Run `make target` with its output shown as it comes, or when it has ended."""
    print(f"== {target}", flush=True)
    report = REPORTS / f"{target}.xml"
    report.unlink(missing_ok=True)
    command = ["make", target]
    if target != "molecule":
        command.append(f"args=--junitxml={report.relative_to(ROOT)}")
    began = time.monotonic()
    where = None if shown else subprocess.PIPE
    done = subprocess.run(
        command,
        cwd=ROOT,
        check=False,
        text=True,
        stdout=where,
        stderr=None if shown else subprocess.STDOUT,
    )
    code = done.returncode
    if done.stdout:
        print(f"== {target}, which ran beside\n{done.stdout}", flush=True)
    outcome = Outcome(target, *count(report, code), seconds=time.monotonic() - began)
    print(f"== {outcome.line()}", flush=True)
    return outcome


def run_lane(lane: str, *, shown: bool) -> list[Outcome]:
    """Run the targets of a lane one after another."""
    return [run(target, shown=shown) for target in lane.split(",")]


def run_together(lanes: list[str]) -> list[Outcome]:
    """Run lanes side by side; one that is alone is simply run."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        jobs = [pool.submit(run_lane, lane, shown=at == 0) for at, lane in enumerate(lanes)]
        return [outcome for job in jobs for outcome in job.result()]


def main(targets: list[str]) -> int:
    """Run all targets and print the table; 1 when any failed."""
    outcomes = [outcome for stage in targets for outcome in run_together(stage.split("+"))]
    print("\n== where the time went")
    for outcome in outcomes:
        print(outcome.line())
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
