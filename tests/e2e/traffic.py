# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load of the tests: what a public API sees, always through the load balancer."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from dev.settings import BALANCER_PORT
from tests.load.driver import LoadRun
from tests.load.options import LoadOptions

URL = f"http://127.0.0.1:{BALANCER_PORT}"
# More than any test needs; each one stops its load.
SECONDS = 900.0
# The short ones and the long ones run in two processes, so that percentiles of the short ones are
# not those of requests that are slow on purpose.
SHORT = LoadOptions(
    URL, SECONDS, keepalive_rate=200.0, connection_rate=200.0, slow_rate=0.0, stream_rate=0.0
)
# 4 requests of 800 ms and 2.5 streams of 5 s are in flight at any time.
LONG = LoadOptions(
    URL,
    SECONDS,
    keepalive_rate=0.0,
    connection_rate=0.0,
    slow_rate=5.0,
    stream_rate=0.5,
    websocket_rate=0.5,
)


@dataclass(frozen=True)
class Result:
    """What came of a load: the results of both processes, see tests/load/record.py."""

    short: dict[str, Any]
    long: dict[str, Any]

    @property
    def requests(self) -> int:
        """Requests sent."""
        return int(self.short["requests"]) + int(self.long["requests"])

    @property
    def failed(self) -> int:
        """Requests without a whole, good reply in time."""
        return int(self.short["failed"]) + int(self.long["failed"])

    @property
    def reasons(self) -> dict[str, int]:
        """How often each kind of failure was seen."""
        merged = dict(self.short["reasons"])
        for name, count in self.long["reasons"].items():
            merged[name] = merged.get(name, 0) + count
        return merged

    def clean(self) -> Result:
        """The same, after seeing that all kinds were sent and none failed or was cut short."""
        kinds = {**self.short["kinds"], **self.long["kinds"]}
        assert set(kinds) == {"keepalive", "connection", "slow", "stream", "websocket"}, kinds
        examples = [*self.short["examples"], *self.long["examples"]][:10]
        assert self.failed == 0, f"{self.failed} of {self.requests}: {self.reasons} {examples}"
        return self

    def percentiles(self, phase: str) -> str:
        """Latency of the short requests in all phases of a name: medians over the phases, worst."""
        marks = [p["latency_ms"] for p in self.short["phases"] if p["name"] == phase]
        p50, p99 = (statistics.median(mark[name] for mark in marks) for name in ("p50", "p99"))
        worst = max(mark["max"] for mark in marks)
        return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {worst:.0f} ms"


class Traffic:
    """A context manager: the load runs inside of it. `stop` gives the result."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Plan the load, at most `seconds` of it; nothing is sent yet."""
        self._short = LoadRun(replace(SHORT, seconds=seconds))
        self._long = LoadRun(replace(LONG, seconds=seconds))

    def __enter__(self) -> Traffic:
        """Start both processes."""
        self._short.start()
        self._long.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End both processes whatever happened."""
        self._short.close()
        self._long.close()

    def phase(self, name: str) -> None:
        """Requests from now on belong to the phase `name`; a name may come again."""
        self._short.start_phase(name)

    def progress(self) -> dict[str, Any]:
        """Counts of the short requests so far: seconds, ok, failed."""
        return self._short.progress()

    def short_samples(self) -> list[tuple[float, float]]:
        """Planned second and milliseconds of each short request, once the load is over."""
        return self._short.samples()

    def stop(self) -> Result:
        """Stop sending, wait for what is in flight."""
        return Result(self._short.stop(), self._long.stop())
