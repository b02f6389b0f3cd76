# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One release in the middle of a load that comes from inside the droplet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.inside import Inside, InsideLoad, Sent
from tests.bench.model import percentile
from tests.load.driver import LoadError
from tests.load.options import LoadOptions

KEPT_RATE = 200.0
NEW_RATE = 100.0
SLOW_RATE = 5.0
SLOW_MS = 800
REQUEST_SECONDS = 10.0
WARM_SECONDS = 0.5
LEAD_SECONDS = 3.0
TAIL_SECONDS = 2.0
LIMIT_SECONDS = 90.0
MARKS = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}


@dataclass(frozen=True)
class Outcome:
    """One release under load: requests, failures by reason, latencies in ms by mark.

    `failed_before` of the failures were sent before the release began: they say that the machine
    could not carry the load.
    """

    requests: int
    failed: int
    failed_before: int
    reasons: dict[str, int]
    steady: dict[str, float]
    cutover: dict[str, float]
    seconds: float


def between(samples: list[tuple[float, float]], begin: float, end: float) -> list[float]:
    """Return the milliseconds of the requests planned from `begin` until before `end`."""
    return [took for planned, took in samples if begin <= planned < end]


def marks(milliseconds: list[float]) -> dict[str, float]:
    """Return the percentiles of some latencies. Raises ValueError without any."""
    return {name: percentile(milliseconds, percent) for name, percent in MARKS.items()}


def outcome_of(quick: Sent, slow: Sent, begin: float, end: float) -> Outcome:
    """Return what came of a release that ran from `begin` to `end` (Unix times).

    Latencies are those of the quick requests alone: a request that takes 800 ms by itself would
    hide what the release does to the others. Raises LoadError when the load ended first.
    """
    reasons = dict(quick.reasons)
    for reason, count in slow.reasons.items():
        reasons[reason] = reasons.get(reason, 0) + count
    first = quick.samples[0][0] + WARM_SECONDS
    last = max(planned for planned, _took in quick.samples)
    if last < end:
        raise LoadError(f"the load ended {end - last:.1f} s before the release did")
    return Outcome(
        quick.requests + slow.requests,
        quick.failed + slow.failed,
        quick.failed_before + slow.failed_before,
        reasons,
        marks(between(quick.samples, first, begin)),
        marks(between(quick.samples, begin, end + TAIL_SECONDS)),
        end - begin,
    )


def loads(port: int) -> tuple[LoadOptions, LoadOptions]:
    """Return the quick load and the slow one for an application on the droplet's loopback."""

    def options(kept: float, new: float, slow: float) -> LoadOptions:
        return LoadOptions(
            f"http://127.0.0.1:{port}",
            seconds=LIMIT_SECONDS,
            keepalive_rate=kept,
            connection_rate=new,
            slow_rate=slow,
            stream_rate=0,
            slow_ms=SLOW_MS,
            timeout=REQUEST_SECONDS,
        )

    return options(KEPT_RATE, NEW_RATE, 0), options(0, 0, SLOW_RATE)


def release_under_load(inside: Inside, port: int, release: Callable[[], None]) -> Outcome:
    """Send the load, release in the middle of it, return what came of it.

    The droplet is a container, so its clock is the controller's. Raises LoadError, CommandError and
    whatever the release raises.
    """
    quick_options, slow_options = loads(port)
    with (
        InsideLoad(inside, f"quick-{port}", quick_options) as quick,
        InsideLoad(inside, f"slow-{port}", slow_options) as slow,
    ):
        time.sleep(WARM_SECONDS + LEAD_SECONDS)
        for load in (quick, slow):
            load.start_phase("release")
        begin = time.time()
        release()
        end = time.time()
        time.sleep(TAIL_SECONDS)
        return outcome_of(quick.stop(), slow.stop(), begin, end)
