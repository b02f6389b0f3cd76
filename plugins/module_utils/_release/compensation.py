# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: the pointer first, then everything else, each part as far as it can be done.

A fault seldom comes alone: Docker, HAProxy or the disk may be what failed the release. So every
part is tried by itself, what could not be done is said, and a container is stopped only when no
traffic can be led to it any more.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core.boundary import DEFECT, boundary
from .._core.clock import wait_until
from .._core.errors import EngineError, GreenlightError, ProxyError
from .._haproxy.runtime_api import Route
from .._model.engine_model import Container, name_beside
from .._model.spec import Order
from .._state.history import Run, State
from . import health_gate, traffic
from .context import Host

_PROXY_LIMIT: t.Final = 5.0
"""Seconds that HAProxy may take to come back; systemd starts it again 0.1 s after it has died."""

_ENGINE_LIMIT: t.Final = 30.0
"""Seconds that Docker may take to come back before a container is left to the next run."""


@dataclass(frozen=True)
class Undo:
    """What has to be known of a run to take it back. Times in seconds."""

    run: str
    action: str
    sha: str
    drain_seconds: float = 30.0
    stop_timeout: int = 30
    up_seconds: float = 5.0

    @classmethod
    def of_order(cls, order: Order) -> Undo:
        """Return what the order says."""
        grace = order.container.stop_timeout
        up = order.health.deadline
        return cls(order.run, order.action, order.sha, order.drain_seconds, grace, up)

    @classmethod
    def of_run(cls, run: Run) -> Undo:
        """Return what the run itself has written into the journal when it began."""
        begin = run.begin
        return cls(
            run.identifier,
            str(begin.get("action", "release")),
            str(begin.get("sha", "")),
            float(begin.get("drain_seconds", cls.drain_seconds)),
            int(begin.get("stop_timeout", cls.stop_timeout)),
            float((begin.get("health") or {}).get("deadline", cls.up_seconds)),
        )


class Compensation:
    """Lets the old release serve and the new one go. `said` tells what was done, for people."""

    def __init__(
        self, host: Host, undo: Undo, target: Container | None, old: Container | None
    ) -> None:
        self._host = host
        self._undo = undo
        self._target = target if target != old else None
        self._old = old
        self._safe = True
        self.said: list[str] = []
        self.pointer_seconds: float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the run is over with it; when not, the watchdog has to try again."""
        return self._target is None or self._safe

    def __str__(self) -> str:
        return "; ".join(self.said) or "nothing was started"

    def point(self) -> None:
        """Move the pointer back if it leads, or may lead, to the new release.

        The proxy is asked first: an effect whose answer was lost may have taken place.
        """
        begin = self._host.clock.now()
        self._try("free the room that was kept on the disk", self._host.journal.use_room)
        route = self._route()
        if route.answered and (route.canary or route.percent):
            self._end_canary()
        target = self._target
        if not self._leads_away(route):
            return
        if self._old is not None and not self._ensure_up(self._old, route):
            # With nothing healthy on either side the old one is where the pointer belongs.
            serves = target is not None and self._is_up(target)
            if serves or not route.answered or not self._runs(self._old):
                self._safe = False
                return
        self._move()
        # When only the file led to the new release, it has never served, and nothing has moved.
        if target is None or not route.answered or target.slot == route.slot:
            self.pointer_seconds = self._host.clock.now() - begin

    def _leads_away(self, route: Route) -> bool:
        """Tell whether any traffic is, or may be, led to the new release or to where it was."""
        if self._target is not None:
            return self._target.slot in (route.slot, route.file)
        old = self._old
        return old is not None and route.answered and {route.slot, route.file} != {old.slot}

    def _end_canary(self) -> None:
        failure = self._retry(self._host.proxy.clear_canary, _PROXY_LIMIT)
        if failure is None:
            self.said.append("the canary is over")
            return
        # Its share of the requests may still be led to the new release.
        self._safe = False
        self.said.append(f"could not end the canary ({_line(failure)})")

    def _route(self) -> Route:
        try:
            with boundary(DEFECT):
                return self._host.proxy.read_route()
        except GreenlightError as exc:
            # Nothing is known: everything below has to assume the worst.
            self._safe = False
            self.said.append(f"the pointer cannot be read ({_line(exc)})")
            return Route(None, None, answered=False)

    def _ensure_up(self, old: Container, route: Route) -> bool:
        """Tell whether the old container can serve, after starting it again when it does not run.

        Asking HAProxy alone is the fast way: it knows in a millisecond.
        """
        other_slot = self._target is not None and self._target.slot != old.slot
        kept = old.restart_policy == "unless-stopped"
        if other_slot and kept and route.answered and self._is_up(old):
            return True
        return self._try(f"start {old.name}", lambda: self._start(old, route.answered))

    def _runs(self, container: Container) -> bool:
        try:
            found = self._host.engine.container(container.id)
        except EngineError:
            return False
        return found is not None and found.running

    def _is_up(self, old: Container) -> bool:
        try:
            return self._host.proxy.status(old.slot).is_up
        except ProxyError:
            # It has died since the pointer was read.
            return False

    def _start(self, old: Container, proxy_answers: bool) -> None:
        """Start what may run already; without HAProxy, Docker's word has to do."""
        engine = self._host.engine
        self._try("lay out its secrets", lambda: self._host.secrets.ensure(old.release))
        engine.start(old.id)
        engine.set_restart_policy(old.id, "unless-stopped")
        if proxy_answers:
            health_gate.wait_for_up(self._host, old.slot, self._undo.up_seconds)

    def _move(self) -> None:
        host, slot = self._host, self._old.slot if self._old else None
        written = self._try("write the pointer file", lambda: host.proxy.write_route_file(slot))
        moved = self._retry(lambda: host.proxy.set_runtime_route(slot), _PROXY_LIMIT)
        if moved is not None:
            self.said.append(f"HAProxy does not answer ({_line(moved)})")
        # Whichever half failed may still lead traffic to the new release.
        self._safe = self._safe and written and moved is None
        if moved is None:
            name = name_beside(self._old, self._target) if self._old else "no release"
            self.said.append(f"the pointer is back on {name}")

    def clear(self, reason: str, **facts: t.Any) -> None:
        """Drain and dismiss the new container, write down what happened, give the lease back."""
        if self._target is not None and self._safe:
            self._dismiss(self._target)
        elif self._target is not None:
            self.said.append(
                f"{self._target.name} goes on running, because traffic may still reach it; this"
                " host tries again alone until that is put right"
            )
            # The run is not over: its lease stays, and with it the watchdog.
            return
        target = self._target
        self._try(
            "write to the journal",
            lambda: self._host.journal.write(
                State.REVERTED,
                self._undo.run,
                action=self._undo.action,
                reason=reason,
                release=target.release if target else "",
                sha=target.sha if target else self._undo.sha,
                back_seconds=self.pointer_seconds,
                **facts,
            ),
        )
        self._try("end the lease", lambda: self._host.lock.end_own_lease(self._undo.run))

    def _dismiss(self, target: Container) -> None:
        limit = self._undo.drain_seconds
        self._try("drain", lambda: traffic.drain(self._host, target, limit))
        failure = self._retry(lambda: self._take_away(target), _ENGINE_LIMIT)
        if failure is not None:
            self.said.append(
                f"{target.name} could not be removed ({_line(failure)}); the next run does that"
            )

    def _take_away(self, target: Container) -> None:
        history = self._host.journal.read()
        own = history.run(self._undo.run).turns
        earlier = {t.release for t in history.turns if not any(t is mine for mine in own)}
        if target.release in earlier:
            self._try("forget its timer", self._host.timers.forget)
            grace = self._undo.stop_timeout
            traffic.stop_for_rollback(self._host, target, grace)
            self.said.append(f"the standby {target.name} is stopped again and kept")
        else:
            self._host.engine.remove(target.id)
            forget = self._host.secrets.remove
            self._try("forget its secrets", lambda: forget(target.release))
            self.said.append(f"the new container {target.name} is gone")

    def _try(self, what: str, work: t.Callable[[], object]) -> bool:
        """Do one part; say so when it fails, and go on. Returns whether it was done."""
        try:
            with boundary(DEFECT):
                work()
        except GreenlightError as exc:
            self.said.append(f"could not {what} ({_line(exc)})")
            return False
        return True

    def _retry(self, work: t.Callable[[], object], limit: float) -> GreenlightError | None:
        """Do one part, again and again for `limit` seconds; return the last error if it failed."""

        def attempt() -> GreenlightError | None:
            try:
                with boundary(DEFECT):
                    work()
            except GreenlightError as exc:
                return exc
            return None

        return wait_until(attempt, lambda e: e is None, limit, 0.25, self._host.clock).last


def _line(exc: GreenlightError) -> str:
    return str(exc).splitlines()[0].rstrip(".") if str(exc) else type(exc).__name__
