# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark measures, as data: series, targets, notes. Pure but for its two files."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dev.settings import ROOT

DATA = ROOT / "docs" / "benchmarks"
OURS = "greenlight"
PARTS = ("release", "load", "scale", "setup", "footprint", "profile")
"""Each is a module of tests.bench.parts with `run(rounds, say) -> Part`; the page's order."""


@dataclass(frozen=True)
class Series:
    """Values of one measure for one contender, in the order of the rounds.

    `measure` says what was measured ("release, one host"), `contender` who did it ("greenlight",
    "stop-first script"), `unit` is "s", "requests", "requests/s", "MiB", "%" or "ms".
    """

    measure: str
    contender: str
    unit: str
    values: list[float]

    @property
    def median(self) -> float:
        """The median of the values."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Target:
    """A figure that has to be reached, and what it came to."""

    text: str
    limit: float
    value: float
    unit: str
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the value keeps to the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Part:
    """The outcome of one part of the benchmarks.

    `machine` names cores, memory and versions; `method` says in sentences how the figures were got;
    `notes` what was left out and why; `account` where time went, as (name, seconds) by series name.
    """

    name: str
    title: str
    date: str
    rounds: int
    machine: dict[str, str] = field(default_factory=dict)
    method: list[str] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    account: dict[str, dict[str, float]] = field(default_factory=dict)

    def find(self, measure: str, contender: str = OURS) -> Series:
        """Return the series of a measure and a contender. Raises LookupError without one."""
        for series in self.series:
            if (series.measure, series.contender) == (measure, contender):
                return series
        raise LookupError(f"part {self.name} has no series {measure!r} of {contender!r}")

    def ratio(self, measure: str, contender: str, against: str = OURS) -> float:
        """Return median of a contender by median of another, for one measure."""
        return self.find(measure, contender).median / self.find(measure, against).median

    def measures(self) -> list[str]:
        """Return the names of the measures, in the order in which they were added."""
        return list(dict.fromkeys(series.measure for series in self.series))


def path_of(name: str, folder: Path = DATA) -> Path:
    """Return where a part's outcome is kept."""
    return folder / f"{name}.json"


def write(part: Part, folder: Path = DATA) -> Path:
    """Keep the outcome of a part; return its file."""
    path = path_of(part.name, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(part), indent=1, sort_keys=False) + "\n", encoding="utf-8")
    return path


def read(name: str, folder: Path = DATA) -> Part | None:
    """Return what was kept of a part, None when it has never run."""
    path = path_of(name, folder)
    if not path.exists():
        return None
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    series = [Series(**item) for item in raw.pop("series")]
    targets = [Target(**item) for item in raw.pop("targets")]
    return Part(**raw, series=series, targets=targets)


def kept(folder: Path = DATA) -> list[Part]:
    """Return every part that was kept, in the page's order."""
    return [part for name in PARTS if (part := read(name, folder)) is not None]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` per cent of the values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("a percentile of no values")
    ranked = sorted(values)
    rank = max(1, -(-len(ranked) * percent // 100))
    return ranked[int(rank) - 1]
