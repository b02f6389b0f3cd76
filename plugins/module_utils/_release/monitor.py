# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking after a release while it gets traffic: the canary's and the watch's loop."""

from __future__ import annotations

import typing as t

from .._core.errors import CheckError, EngineError, ProxyError
from .._haproxy.runtime_api import SlotStatus
from .._health.asker import Asker
from .._health.error_budget import Tally
from .._model.engine_model import Container, Mishaps
from .._model.health_check import HealthCheck
from .._model.spec import Watch
from . import health_gate
from .context import Host

_AWAY_LIMIT: t.Final = 2.0
"""Seconds for which HAProxy may not answer; systemd starts it again 0.1 s after it has died."""


_FIRST_PAUSE: t.Final = 0.1
"""Seconds at least between two checks once the time of the watch is over."""

_DOCKER_LIMIT: t.Final = 2.0
"""Seconds that Docker's word on the container is waited for: one that hangs must not keep the watch
from seeing what HAProxy and the health check say."""

_PATIENCE: t.Final = 0.5
"""Seconds that a look waits for an answer at most; the counters are looked at until it comes."""


class Watcher:
    """Watches one container from a baseline of its slot's counters, and of its mishaps, on."""

    def __init__(
        self,
        host: Host,
        watch: Watch,
        health: HealthCheck,
        container: Container,
        base: SlotStatus,
        past: Mishaps,
    ) -> None:
        self._host = host
        self._watch = watch
        self._health = health
        self._container = container
        self._past = past
        self._tally = Tally(watch, base)
        self._asker: Asker | None = None
        self._failed = 0
        self._away_since: float | None = None

    def watch(self, seconds: float, address: str, port: int) -> str:
        """Watch for that many seconds, asking the health path at the address; return a summary.

        A check that is under way then is waited for, and one that has failed is followed by others
        until one is good or they are too many: the last word is never a failed check. Raises
        CheckError with the numbers as soon as the release is not good any more.
        """
        host, interval = self._host, self._watch.interval
        begin = host.clock.now()
        while True:
            asker = self.look(address, port)
            elapsed = host.clock.now() - begin
            has_word = not asker.is_waiting and self._away_since is None
            if elapsed >= seconds and has_word and not self._failed:
                # It may have ended since the look began.
                self._see_container()
                served = max(self._tally.requests - asker.asked, 0)
                return f"healthy, {served} requests served, {self._tally.errors} failed"
            # Whoever waits for an answer has waited in the look already.
            if not asker.is_waiting:
                host.clock.sleep(min(interval, max(seconds - elapsed, _FIRST_PAUSE)))

    def look(self, address: str, port: int) -> Asker:
        """Look once, without waiting long for an answer of the health check; return who asks.

        Raises CheckError when the release is not good any more.
        """
        self._see_container()
        asker = self._asker = self._asker or Asker(address, port, self._health)
        verdict = asker.verdict(min(self._watch.interval, _PATIENCE))
        try:
            status = self._host.proxy.status(self._container.slot)
        except ProxyError as exc:
            # The check went through HAProxy too: that it failed says nothing of the release.
            self._see_away(exc)
            return asker
        self._away_since = None
        if verdict is not None:
            self._count_failed(
                not verdict.healthy,
                f"{verdict.reason}",
                f"GET http://{address}:{port}{self._health.path}",
                verdict.answer,
            )
        self._tally.add(self._host.clock.now(), status)
        if condemned := self._tally.verdict(asker.asked):
            raise CheckError(condemned, "requests in the new slot, counted by HAProxy")
        return asker

    def _see_container(self) -> None:
        try:
            found = self._host.engine.container(self._container.id, _DOCKER_LIMIT)
        except EngineError:
            # Containers outlive a restart of dockerd, and the checks below tell whether this one
            # does; that Docker does not answer condemns no release.
            return
        if ended := health_gate.describe_end(found, self._past):
            raise CheckError(f"{ended} while it served", "container state")

    def _see_away(self, exc: ProxyError) -> None:
        """Raise only for a HAProxy that stays away; one that died is back within a second."""
        now = self._host.clock.now()
        if self._away_since is None:
            self._away_since = now
        elif now - self._away_since >= _AWAY_LIMIT:
            raise CheckError(f"HAProxy stays away: {exc}", "show stat", "none")

    def _count_failed(self, failed: bool, reason: str, check: str, answer: str) -> None:
        if not failed:
            self._failed = 0
            return
        self._failed += 1
        if self._failed >= self._watch.failed_checks:
            raise CheckError(f"{self._failed} checks in a row failed: {reason}", check, answer)
