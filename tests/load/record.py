# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting: every request ends as ok or as failed with a reason; nothing is left out."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MAX_EXAMPLES = 50


def percentile(ordered: list[float], share: float) -> float:
    """The value below which `share` (0 to 1) of an ordered list lies; 0 for an empty one."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Tally:
    """Counts and latencies (milliseconds, from the planned time of sending)."""

    ok: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    latencies: array[float] = field(default_factory=lambda: array("d"))

    def add(self, reason: str, milliseconds: float) -> None:
        """Count a request; an empty reason means ok. Failed ones have a latency too."""
        self.latencies.append(milliseconds)
        if reason:
            self.reasons[reason] += 1
        else:
            self.ok += 1

    def summary(self) -> dict[str, Any]:
        """The tally as a JSON object."""
        ordered = sorted(self.latencies)
        marks = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
        latency = {name: round(percentile(ordered, share), 2) for name, share in marks.items()}
        latency["max"] = round(ordered[-1], 2) if ordered else 0.0
        failed = sum(self.reasons.values())
        return {
            "requests": self.ok + failed,
            "ok": self.ok,
            "failed": failed,
            "reasons": dict(self.reasons),
            "latency_ms": latency,
        }


@dataclass
class Phase:
    """A named part of the load; a request belongs to the phase in which it was planned."""

    name: str
    began: float
    tally: Tally = field(default_factory=Tally)


@dataclass
class Recorder:
    """All counts of one load; times in seconds since its start."""

    total: Tally = field(default_factory=Tally)
    kinds: dict[str, Tally] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=lambda: [Phase("start", 0.0)])
    seconds: dict[int, list[float]] = field(default_factory=dict)
    versions: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)
    reconnects: int = 0
    samples: array[float] = field(default_factory=lambda: array("d"))

    def start_phase(self, name: str, now: float) -> None:
        """Open a phase; requests planned from now on belong to it."""
        self.phases.append(Phase(name, now))

    def add(
        self, kind: str, phase: Phase, planned: float, done: float, reason: str, detail: str
    ) -> None:
        """Count one finished request; `samples` keeps pairs of planned second and latency."""
        milliseconds = (done - planned) * 1000
        self.samples.extend((planned, milliseconds))
        for tally in (self.total, self.kinds.setdefault(kind, Tally()), phase.tally):
            tally.add(reason, milliseconds)
        second = self.seconds.setdefault(int(done), [0, 0, 0.0])
        second[1 if reason else 0] += 1
        second[2] = max(second[2], milliseconds)
        if reason and len(self.examples) < MAX_EXAMPLES:
            self.examples.append(
                {
                    "at_seconds": round(done, 3),
                    "kind": kind,
                    "phase": phase.name,
                    "reason": reason,
                    "detail": detail,
                }
            )

    def summary(self, now: float) -> dict[str, Any]:
        """The whole record as a JSON object."""
        ends = [*(phase.began for phase in self.phases[1:]), now]
        phases = [
            {
                "name": phase.name,
                "began_seconds": round(phase.began, 3),
                "seconds": round(end - phase.began, 3),
                **phase.tally.summary(),
            }
            for phase, end in zip(self.phases, ends, strict=True)
        ]
        series = [
            {"second": second, "ok": int(ok), "failed": int(failed), "max_ms": round(worst, 1)}
            for second, (ok, failed, worst) in sorted(self.seconds.items())
        ]
        return {
            **self.total.summary(),
            "seconds": round(now, 3),
            "reconnects": self.reconnects,
            "versions": dict(self.versions),
            "kinds": {name: tally.summary() for name, tally in sorted(self.kinds.items())},
            "phases": phases,
            "examples": self.examples,
            "series": series,
        }
