# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that tests can replace, and the one waiting loop."""

from __future__ import annotations

import time
import typing as t

T = t.TypeVar("T")


class Clock:
    """The host's clocks, and sleep. Tests put a false one in its place."""

    def now(self) -> float:
        """Return the monotonic time in seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the wall-clock time in seconds since the epoch."""
        return time.time()

    def uptime(self) -> float:
        """Return the seconds since the host booted, its sleep included; no setting moves it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        """Sleep that many seconds."""
        time.sleep(seconds)


class Waited(t.Generic[T]):
    """The outcome of a wait: did the predicate hold, the last value seen, the seconds it took."""

    # No NamedTuple: one of those cannot be generic before Python 3.11.
    def __init__(self, done: bool, last: T, seconds: float) -> None:
        self.done = done
        self.last = last
        self.seconds = seconds


def wait_until(
    observe: t.Callable[[], T],
    predicate: t.Callable[[T], bool],
    limit: float,
    interval: float,
    clock: Clock,
) -> Waited[T]:
    """Observe every `interval` seconds until `predicate` holds or `limit` seconds have passed.

    The value is observed at least once, and once more at the very end of the limit.
    """
    begin = clock.now()
    while True:
        last = observe()
        elapsed = clock.now() - begin
        if predicate(last):
            return Waited(True, last, elapsed)
        if elapsed >= limit:
            return Waited(False, last, elapsed)
        clock.sleep(min(interval, max(limit - elapsed, 0.0)))


def utc_stamp(seconds: float) -> str:
    """Render seconds since the epoch as an ISO 8601 time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
