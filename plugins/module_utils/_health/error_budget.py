# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a release that gets traffic still good? The pure judgement of HAProxy's counters."""

from __future__ import annotations

from .._haproxy.runtime_api import SlotStatus
from .._model.spec import Watch

_NOTHING = SlotStatus("", 0, 0, 0, 0)


class Tally:
    """The counters of one slot since a baseline, looked at again and again. Times in seconds."""

    def __init__(self, watch: Watch, base: SlotStatus) -> None:
        self.watch = watch
        self.base = base
        self._samples: list[tuple[float, SlotStatus]] = []

    def add(self, now: float, status: SlotStatus) -> None:
        """Take one more look. Counters that went backwards mean that HAProxy was restarted."""
        last = self._samples[-1][1] if self._samples else self.base
        if status.requests < last.requests:
            self.base, self._samples = _NOTHING, []
        self._samples.append((now, status))

    @property
    def last(self) -> SlotStatus:
        """The last look, or the baseline."""
        return self._samples[-1][1] if self._samples else self.base

    @property
    def requests(self) -> int:
        """How many requests the slot has got."""
        return self.last.requests - self.base.requests

    @property
    def errors(self) -> int:
        """How many of them failed: 5xx answers, and no or broken answers."""
        now, base = self.last, self.base
        return max(now.server_errors - base.server_errors, 0) + self._broken

    @property
    def _broken(self) -> int:
        return max(self.last.connection_errors - self.base.connection_errors, 0)

    @property
    def waiting(self) -> int:
        """At least so many requests have waited `answer_seconds` for the head of an answer.

        They were sent by then, and fewer have been answered until now. Answers that go on for
        long, such as streams, have had their head and do not count.
        """
        if not self._samples:
            return 0
        limit = self._samples[-1][0] - self.watch.answer_seconds
        sent = [status.requests for at, status in self._samples if at <= limit]
        if not sent:
            return 0
        now, base = self.last, self.base
        over = (now.answered - base.answered) + (now.aborted - base.aborted) + self._broken
        return max(sent[-1] - base.requests - over, 0)

    def verdict(self, own_checks: int) -> str | None:
        """Return why the release has failed so far, or None.

        `own_checks` requests of the watch itself are left out of the total. The limit is a share,
        and a least number of errors, so that one bad request at low traffic condemns nothing and
        a release that fails every one of few requests does not pass.
        """
        waiting, watch = self.waiting, self.watch
        failed = self.errors + waiting
        served = max(self.requests - own_checks, failed, 1)
        share = 100.0 * failed / served
        if failed < watch.min_errors or share <= watch.max_error_percent:
            return None
        hanging = f", {waiting} of them without an answer for {watch.answer_seconds:g} s"
        return (
            f"{failed} of {served} requests failed{hanging if waiting else ''} ({share:.1f} %, the"
            f" limit is {watch.max_error_percent:g} % from {watch.min_errors} errors on)"
        )
