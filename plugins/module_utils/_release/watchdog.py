# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog of a run: it takes the run back when nobody goes on with it, or when it turns bad.

A unit of systemd runs it from the first effect of a run until the run has settled, also after a
reboot. Whoever leads the run renews the lease with each phase. When the lease runs out, or when the
process that worked on a phase has died, the host puts itself right: a run that is not final is
taken back, one that is final is brought to its end. Between its phases a release that is live is
watched here too, with the same limits as right after its cutover.

It acts only under the kernel lock, and looks again once it has it, so it never acts on a host
where a phase is at work or another run has begun.
"""

from __future__ import annotations

import typing as t
from dataclasses import fields

from .._core import files
from .._core.boundary import DEFECT, boundary
from .._core.errors import (
    CheckError,
    EngineError,
    FileError,
    LockedError,
    ProxyError,
    SpecError,
)
from .._model.engine_model import Container
from .._model.health_check import HealthCheck
from .._model.spec import Watch
from .._state.history import Run, State
from .._state.lock import WATCHING, Lease
from . import traffic
from .compensation import Undo
from .context import Host, observe, open_host
from .monitor import Watcher
from .revert import is_kept, revert_run

INTERVAL: t.Final = 1.0
"""Seconds between two looks at the lease, and at a release that is live."""

DEATH_SECONDS: t.Final = 5.0
"""Seconds for which the kernel lock may be free while the lease says that a process is at work.

A controller whose connection was lost asks once more within this time."""

LOST_SECONDS: t.Final = 60.0
"""Seconds to wait for somebody who goes on with a run whose lease file is lost."""

HOLDER: t.Final = "the host's watchdog"


def watch_over(app: str) -> str:
    """Watch over the run that is under way on this host until it is over; say how it ended.

    Raises GreenlightError when the host cannot be put right now; systemd then starts it again.
    """
    with boundary(DEFECT):
        return Watchdog(open_host(app)).run()


class Watchdog:
    """Watches over one run of one application."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lease: Lease | None = None
        self._free_since: float | None = None
        self._watcher: Watcher | None = None
        self._watched = ""
        self._bad = ""

    def run(self) -> str:
        """Look again and again until the run is over; return a line for the system's log."""
        while True:
            said = self.look()
            if said:
                return said
            self._host.clock.sleep(INTERVAL)

    def look(self) -> str:
        """Look once and act where needed; return how it ended, empty while it goes on."""
        host = self._host
        # A lease that was removed by hand still ends when it said it would.
        self._lease = host.lock.read_any_lease() or self._lease or self._lost_lease()
        lease = self._lease
        if lease is None:
            return "no run is under way"
        run = host.journal.read().run(lease.run)
        is_over = self._is_over(lease, run)
        self._bad = "" if is_over else self._turned_bad(lease, run)
        reason = "" if is_over else self._bad or self._abandoned(lease, run)
        # Whoever ends a run holds the lock until it has ended the lease as well.
        if not (is_over or reason) or not self._take_lock():
            return ""
        try:
            return self._act(reason)
        finally:
            host.lock.release()

    def _lost_lease(self) -> Lease | None:
        """Return a lease from now on for a run that is half way and whose lease file is lost."""
        host = self._host
        run = host.journal.read().unfinished()
        if run is None:
            return None
        return Lease(
            run.identifier,
            str(run.begin.get("holder", "")),
            Undo.of_run(run).action,
            Undo.of_run(run).sha,
            LOST_SECONDS,
            uptime=host.clock.uptime() + LOST_SECONDS,
            boot=files.boot_identifier(),
        )

    def _is_over(self, lease: Lease, run: Run) -> bool:
        """Tell whether nothing is left to watch over: no lease of a run that has not begun either.

        A reservation is a lease whose run has not begun; it is over when it has run out.
        """
        if run.state is State.ABSENT:
            return self._host.lock.seconds_left(lease) <= 0
        return run.is_over

    def _take_lock(self) -> bool:
        try:
            self._host.lock.acquire("", HOLDER, WATCHING, 0.0)
        except LockedError:
            return False
        return True

    def _act(self, reason: str) -> str:
        """Put the host right, unless somebody has gone on with the run before the lock was held."""
        host = self._host
        lease = host.lock.read_any_lease() or self._lease
        history = host.journal.read()
        if lease is None or lease != self._lease:
            return ""
        run = history.run(lease.run)
        if self._is_over(lease, run) or history.overtaken_by(lease.run):
            return self._end(run)
        return self._put_right(run, reason) if reason else ""

    def _end(self, run: Run) -> str:
        """End the lease of a run that is over; empty when an earlier one has still to be looked at.

        A reservation takes the place of the lease of a run that was left half way. When its own run
        never begins, that one is still to be put right.
        """
        self._host.lock.end_own_lease(run.identifier)
        if run.state is State.ABSENT and self._host.journal.read().unfinished() is not None:
            self._lease = None
            return ""
        return f"run {run.identifier} is over: {run.state.name.lower()}"

    def _abandoned(self, lease: Lease, run: Run) -> str:
        """Return why nobody goes on with the run; empty while somebody may."""
        host = self._host
        has_run_out = host.lock.seconds_left(lease) <= 0
        if has_run_out and not lease.working:
            return (
                f"nobody has gone on with it for {lease.seconds:.0f} s, so the machine that led it"
                " is gone or cut off"
            )
        if not lease.working or not self._take_lock():
            self._free_since = None
            return ""
        host.lock.release()
        now = host.clock.now()
        self._free_since = now if self._free_since is None else self._free_since
        # Other hosts may have made a proved release final: who leads the run may still say so here.
        waits = run.state is State.PROVED and not has_run_out
        if waits or now - self._free_since < DEATH_SECONDS:
            return ""
        return "the process that worked on it has died on this host"

    def _put_right(self, run: Run, reason: str) -> str:
        """Take the run back or bring it to its end; empty when that has to be tried again."""
        name = run.identifier
        if run.state is State.ABSENT:
            return self._end(run)
        if is_kept(run) and reason is not self._bad:
            return f"run {name} is final, and {self._bring_to_end(run)}"
        return self._take_back(name, reason)

    def _take_back(self, name: str, reason: str) -> str:
        try:
            outcome = revert_run(self._host, name, reason, by="watchdog")
        except SpecError as exc:
            # Nothing can be done, and nothing would be gained by trying again.
            self._host.lock.end_own_lease(name)
            return f"run {name} stays as it is: {exc}"
        if outcome is not None and not outcome.is_complete:
            # Tried again at the next look: the host serves, and is not as it should be yet.
            return ""
        done = outcome.done[0].text if outcome else "there was nothing to take back"
        return f"run {name} was taken back, because {reason}: {done}"

    def _bring_to_end(self, run: Run) -> str:
        """Put the old container of a final run away and end the run; images are left to the next.

        Raises GreenlightError when Docker or HAProxy does not answer.
        """
        host, undo = self._host, Undo.of_run(run)
        snapshot = observe(host)
        old, live = snapshot.standby, snapshot.live
        said = "its old container is stopped already"
        if live is None or not live.running:
            # What still runs is better than nothing, and a rollback finds it at once.
            said = "what ran before is left as it is, because the live container does not run"
        elif old is not None and old.running and old != live:
            traffic.drain(host, old, undo.drain_seconds)
            traffic.assert_not_live(host, old, live)
            traffic.stop_for_rollback(host, old, undo.stop_timeout)
            said = f"{old.name} is stopped, kept for rollback"
        for container in snapshot.leftovers:
            traffic.assert_not_live(host, container, live)
            host.engine.remove(container.id)
            host.secrets.remove(container.release)
        host.journal.write(State.SETTLED, run.identifier, sha=undo.sha, by="watchdog")
        host.lock.end_own_lease(run.identifier)
        return said

    def _turned_bad(self, lease: Lease, run: Run) -> str:
        """Look at the live release once, between two phases; return why it is bad, if it is."""
        host = self._host
        if lease.working or run.state is not State.LIVE:
            self._watcher = None
            return ""
        if run.identifier != self._watched:
            self._watcher, self._watched = None, run.identifier
        try:
            self._watcher = self._watcher or self._new_watcher(run)
            if self._watcher is not None:
                self._watcher.look("127.0.0.1", host.application.port)
        except CheckError as exc:
            return f"it turned bad while other hosts were at work: {exc}"
        except (EngineError, FileError, ProxyError):
            # HAProxy or Docker is away for a moment; that condemns no release.
            self._watcher = None
        return ""

    def _new_watcher(self, run: Run) -> Watcher | None:
        host, container = self._host, self._container(run)
        watch, health = _watch_of(run), _health_of(run)
        if container is None or watch is None or health is None:
            return None
        base = host.proxy.status(container.slot)
        past = run.past.get(container.release, container.mishaps)
        return Watcher(host, watch, health, container, base, past)

    def _container(self, run: Run) -> Container | None:
        released = {turn.release for turn in run.turns}
        found = [c for c in observe(self._host).containers if c.release in released]
        return found[-1] if found else None


def _watch_of(run: Run) -> Watch | None:
    """Return the limits that the run itself has written down when it began.

    None when another version of ours has, which knew fewer or more of them.
    """
    raw = run.begin.get("watch") or {}
    return Watch(**raw) if raw.keys() == {field.name for field in fields(Watch)} else None


def _health_of(run: Run) -> HealthCheck | None:
    try:
        return HealthCheck.of_facts(run.begin.get("health") or {})
    except (KeyError, TypeError):
        return None
