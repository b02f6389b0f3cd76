# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back what a run has done on this host, because another host of the fleet has failed."""

from __future__ import annotations

from .._core.errors import SpecError
from .._model.spec import Order
from .._state.history import State
from . import preconditions, report
from .compensation import WayBack
from .context import Host, observe, observe_after
from .host_state import Snapshot
from .planner import Plan
from .target import Goal


class Reversal:
    """One call of state `reverted`."""

    def __init__(self, host: Host, order: Order) -> None:
        self._host = host
        self._order = order

    def run(self) -> report.Outcome | None:
        """Take back what this run has done on this host, before it was settled; None: nothing."""
        run = self._order.run
        # A run that never began here has no business with the lock of the one that did.
        state = self._host.journal.read().run(run).state
        if state in (State.ABSENT, State.REVERTED) and not self._is_reserved():
            return None
        preconditions.lock(self._host, self._order)
        try:
            preconditions.break_lease(self._host, self._order)
            before = observe(self._host)
            mine = before.history.run(run)
            if mine.state is State.SETTLED:
                raise SpecError(f"Run {run} is settled: its old release is stopped. Use rollback.")
            if mine.is_over:
                self._host.lock.end_own_lease(run)
                return None
            if other := before.history.overtaken_by(run):
                raise SpecError(
                    f"Run {run} cannot be taken back: run {other} has begun since, so what serves"
                    " now is no longer its doing. status-api.yml shows what that is."
                )
            return self._take_back(before)
        finally:
            self._host.lock.release()

    def _is_reserved(self) -> bool:
        lease = self._host.lock.read_lease()
        return lease is not None and lease.run == self._order.run

    def _take_back(self, before: Snapshot) -> report.Outcome:
        mine = before.history.run(self._order.run)
        old = next((c for c in before.containers if c.release == mine.origin), None)
        if mine.origin and old is None:
            raise SpecError(
                f"The container of {mine.origin}, which was live before run {mine.identifier}, is"
                " gone, so the pointer stays where it is. Release the SHA that shall be live."
            )
        names = mine.started | mine.staged
        found = [c for c in before.containers if c.release in names and c.release != mine.origin]
        way = WayBack(self._host, self._order, found[-1] if found else None, old)
        started = self._host.clock.now()
        way.point()
        way.clear("taken back, because another host failed")
        seconds = self._host.clock.now() - started
        goal = Goal(old.sha if old else "", "", "", "", old)
        done = [report.Done("go back", str(way), seconds)]
        outcome = report.Outcome(Plan(goal, ()), before, None, done, old)
        outcome.after, outcome.notes = observe_after(self._host, before, images_changed=False)
        return outcome
