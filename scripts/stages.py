# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run make targets one after another; say how long each took and how many tests passed.

Usage: python -m scripts.stages TARGET[=BUDGET] ...

A target that takes more seconds than its BUDGET fails. Budgets are meant for a machine on which the
loop of measure() takes REFERENCE_SECONDS; on a slower one they are as many times larger.

A TARGET may be lanes joined by a plus sign, which run side by side; a lane is targets joined by
commas, which run one after another. What the first lane prints is shown as it comes, what a target
of the others prints when it has ended. A target that fails does not keep the next one from running;
the exit code is 0 when all passed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from scripts.project import ROOT

REPORTS = ROOT / ".cache" / "reports"
REFERENCE_SECONDS = 0.16
# As many cores as the machine has that budgets are meant for: one with fewer is slower by that.
CORES = 2
ROUNDS = 5
HASHES = 200_000


@dataclass(frozen=True)
class Outcome:
    """What became of one target; `seconds` of wall-clock time, `budget` how many it may take.

    A budget of 0 is none.
    """

    target: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    budget: float = 0.0

    @property
    def late(self) -> bool:
        """Whether it took longer than it may."""
        return 0 < self.budget < self.seconds

    @property
    def failures(self) -> int:
        """Failed tests, and one more when it took longer than it may."""
        return self.failed + self.late

    def line(self) -> str:
        """The outcome in one line."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        counts = f"{self.passed} passed, {self.failed} failed{skipped}"
        budget = f" of {self.budget:6.1f} s" if self.budget else ""
        late = f", FAILED: over its budget by {self.seconds - self.budget:.1f} s"
        return f"{self.target:<12} {self.seconds:7.1f} s{budget}  {counts}{late * self.late}"


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


def _hash(_lane: int) -> float:
    """Do a fixed amount of work; the seconds that it took."""
    began = time.monotonic()
    digest = b""
    for _turn in range(HASHES):
        digest = hashlib.sha256(digest).digest()
    return time.monotonic() - began


def measure() -> float:
    """Seconds of a fixed loop, run on as many cores at once; the best of a few rounds."""
    with ProcessPoolExecutor(CORES) as pool:
        return min(max(pool.map(_hash, range(CORES))) for _round in range(ROUNDS))


def slowness(measured: Callable[[], float] = measure) -> float:
    """How many times slower this machine is than the one that budgets are meant for; 1 at least."""
    seconds = measured()
    factor = max(1.0, seconds / REFERENCE_SECONDS)
    print(
        f"== speed of this machine: {seconds:.2f} s for what takes {REFERENCE_SECONDS:.2f} s on the"
        f" one that budgets are meant for; budgets times {factor:.2f}",
        flush=True,
    )
    return factor


def split(target: str) -> tuple[str, float]:
    """The name and the budget of `name=seconds`; 0 when it has none. Raises ValueError."""
    name, _sign, budget = target.partition("=")
    return name, float(budget or 0)


def run(target: str, *, shown: bool = True, budget: float = 0.0) -> Outcome:
    """Run `make target` with its output shown as it comes, or when it has ended.

    `budget` is how many seconds it may take, 0 any number.
    """
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
    seconds = time.monotonic() - began
    outcome = Outcome(target, *count(report, code), seconds=seconds, budget=budget)
    print(f"== {outcome.line()}", flush=True)
    return outcome


def run_lane(lane: str, factor: float, *, shown: bool) -> list[Outcome]:
    """Run the targets of a lane one after another, with `factor` times their budgets."""
    pairs = [split(target) for target in lane.split(",")]
    return [run(name, shown=shown, budget=budget * factor) for name, budget in pairs]


def run_together(lanes: list[str]) -> list[Outcome]:
    """Run lanes side by side; one that is alone is simply run."""
    factor = slowness() if any("=" in lane for lane in lanes) else 1.0
    with ThreadPoolExecutor(len(lanes)) as pool:
        jobs = [pool.submit(run_lane, lane, factor, shown=at == 0) for at, lane in enumerate(lanes)]
        return [outcome for job in jobs for outcome in job.result()]


def main(targets: list[str]) -> int:
    """Run all targets and print the table; 1 when any failed."""
    outcomes = [outcome for stage in targets for outcome in run_together(stage.split("+"))]
    print("\n== where the time went")
    for outcome in outcomes:
        print(outcome.line())
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failures for outcome in outcomes)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
