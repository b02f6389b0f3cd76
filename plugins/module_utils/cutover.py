# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction: observe, plan, carry out; on failure go back while the old still runs."""

from __future__ import annotations

import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils import (
    report,
    steps,
    traffic,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.back import WayBack
from ansible_collections.greenlight.droplet.plugins.module_utils.engine_model import Container
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import (
    CheckError,
    FileError,
    GreenlightError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.goals import Goal
from ansible_collections.greenlight.droplet.plugins.module_utils.health import check_expectation
from ansible_collections.greenlight.droplet.plugins.module_utils.history import (
    BEGIN,
    SETTLED,
    State,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.host import Host, observe
from ansible_collections.greenlight.droplet.plugins.module_utils.plan import (
    GOING_BACK,
    Kind,
    Phase,
    Plan,
    Step,
    Terms,
    make_plan,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.snapshot import Snapshot
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import Order

MIN_FREE_BYTES: t.Final = 1_048_576
"""Bytes that must be free for the pointer, the journal and the lease before a run begins."""


class Transaction:
    """One call of module release or rollback on one host."""

    def __init__(self, host: Host, order: Order) -> None:
        self._host = host
        self._order = order

    def preview(
        self, find_goal: t.Callable[[Snapshot], Goal], phase: Phase, *, reserve: bool = False
    ) -> report.Outcome:
        """Return what a run would do, without doing it.

        With `reserve` the lease is taken when there is something to do, so that of two fleet
        releases that begin at once one is refused here. Raises LockedError, FrozenError, SpecError.
        """
        check_expectation(self._order.health.expect)
        if reserve:
            self._lock()
        elif not self._order.break_lease:
            self._host.lock.check_lease(self._order.run)
        try:
            snapshot = observe(self._host)
            plan = self._plan(snapshot, find_goal(snapshot), phase)
            if plan.steps:
                self._check_freeze(snapshot)
            if plan.steps and reserve:
                self._lease(plan.goal)
            return report.Outcome(plan, snapshot, snapshot)
        finally:
            if reserve:
                self._host.lock.release()

    def _plan(self, snapshot: Snapshot, goal: Goal, phase: Phase) -> Plan:
        order, standby = self._order, snapshot.standby
        # systemd is asked only when a standby runs that could be a warm one.
        ending = self._host.timers.planned() if standby is not None and standby.running else ""
        terms = Terms(
            order.retain,
            order.watch.seconds,
            order.canary,
            order.standby,
            order.run,
            ending,
            order.source.image,
        )
        return make_plan(snapshot, goal, phase, terms)

    def _check_freeze(self, snapshot: Snapshot) -> None:
        order = self._order
        begun = not snapshot.history.run(order.run).is_over
        if order.action == "release" and not order.ignore_freeze and not begun:
            self._host.freeze.check()

    def run(self, find_goal: t.Callable[[Snapshot], Goal], phase: Phase) -> report.Outcome:
        """Bring the host to the goal, up to the end of the phase.

        Raises LockedError when another run is at work, Failure when a step failed; the old release
        then serves again unless the failure came after the new one was proved.
        """
        check_expectation(self._order.health.expect)
        self._lock()
        try:
            snapshot = observe(self._host)
            plan = self._plan(snapshot, find_goal(snapshot), phase)
            outcome = report.Outcome(plan, snapshot, snapshot)
            if plan.steps:
                self._begin(snapshot, plan.goal, phase)
                self._carry_out(outcome)
                outcome.after = observe(self._host)
            self._finish(outcome, phase)
            return outcome
        finally:
            self._host.lock.release()

    def _lock(self) -> None:
        order, lock = self._order, self._host.lock
        lock.acquire(order.run, order.caller.holder, order.action, order.lock_wait)
        try:
            if order.break_lease and (lease := lock.read_lease()) and lease.run != order.run:
                self._note("lease-broken", reason=order.break_lease, broken=lease.describe())
                lock.end_lease()
            lock.check_lease(order.run)
        except GreenlightError:
            lock.release()
            raise

    def _note(self, event: str, **data: t.Any) -> None:
        self._host.journal.write(event, self._order.run, holder=self._order.caller.holder, **data)

    def _lease(self, goal: Goal) -> None:
        order = self._order
        self._host.lock.write_lease(
            order.run, order.caller.holder, order.action, goal.sha, order.lease_seconds
        )

    def _is_new(self, snapshot: Snapshot, goal: Goal) -> bool:
        """Tell whether this call opens the run; a run with another aim than before begins anew."""
        mine = snapshot.history.run(self._order.run)
        aim = (goal.sha, goal.digest, goal.config)
        return mine.is_over or tuple(mine.begin.get(n) for n in ("sha", "digest", "config")) != aim

    def _begin(self, snapshot: Snapshot, goal: Goal, phase: Phase) -> None:
        """Open the run in the journal, unless an earlier phase has. Raises before any change."""
        order, host, live = self._order, self._host, snapshot.live
        self._check_freeze(snapshot)
        folder = host.application.folder
        if (free := host.journal.free_bytes()) < MIN_FREE_BYTES:
            raise FileError(
                f"The disk that holds {folder} is full ({free} bytes left, a run needs"
                f" {MIN_FREE_BYTES}). Free some space, for instance with 'docker system df' and"
                " 'journalctl --vacuum-size=100M' on the host; nothing was changed."
            )
        if self._is_new(snapshot, goal):
            if not snapshot.history.damaged:
                host.journal.rotate()
            host.journal.write(
                BEGIN,
                order.run,
                action=order.action,
                sha=goal.sha,
                digest=goal.digest,
                config=goal.config,
                holder=order.caller.holder,
                ci_run=order.caller.ci_run,
                origin={"release": live.release, "sha": live.sha, "slot": live.slot}
                if live
                else None,
            )
            if order.ignore_freeze and (freeze := host.freeze.read()):
                self._note("freeze-ignored", reason=order.ignore_freeze, freeze=freeze.describe())
        if phase != "settled":
            self._lease(goal)

    def _carry_out(self, outcome: report.Outcome) -> None:
        worker = steps.Steps(self._host, self._order, outcome.plan.goal, outcome.before)
        for step in outcome.plan.steps:
            begin = self._host.clock.now()
            try:
                text = worker.perform(step)
            except GreenlightError as exc:
                raise self._fail(step, exc, worker.target, outcome) from exc
            seconds = self._host.clock.now() - begin
            outcome.done.append(report.Done(step.kind.value, text, seconds))

    def _finish(self, outcome: report.Outcome, phase: Phase) -> None:
        step = Step(Kind.FINISH, f"phase {phase} is over")
        try:
            self._end(outcome, phase)
        except GreenlightError as exc:
            raise self._fail(step, exc, outcome.plan.goal.target, outcome) from exc

    def _end(self, outcome: report.Outcome, phase: Phase) -> None:
        """Write down how long the call took; the run is over with its last phase."""
        seconds = report.seconds_by_step(outcome.done)
        if phase == "settled":
            self._host.lock.end_own_lease(self._order.run)
        # A run ends in the journal even when its last phase finds nothing left to do.
        open_run = not outcome.before.history.run(self._order.run).is_over
        if not outcome.plan.steps and not (open_run and phase == "settled"):
            return
        event = SETTLED if phase == "settled" else "phase"
        sha = outcome.plan.goal.sha
        self._host.journal.write(event, self._order.run, phase=phase, sha=sha, seconds=seconds)

    def _fail(
        self, step: Step, exc: GreenlightError, target: Container | None, outcome: report.Outcome
    ) -> report.Failure:
        """Go back where the step asks for it and put together what the error says."""
        lines: list[str] = []
        text = "nothing had to go back; the next run completes what is left"
        reason = str(exc).rstrip(".")
        back = step.kind in GOING_BACK and not outcome.is_proved(step)
        way = WayBack(self._host, self._order, target, outcome.before.live)
        if back:
            way.point()
            lines = self._log_lines(target)
            way.clear(reason, step=step.kind.value, seconds=report.seconds_by_step(outcome.done))
            text = str(way)
        return report.Failure(
            action=self._order.action,
            sha=outcome.plan.goal.sha,
            step=step.kind.value,
            reason=reason,
            check=exc.check if isinstance(exc, CheckError) else "",
            last_answer=exc.last_answer if isinstance(exc, CheckError) else "",
            outcome=text,
            serving=traffic.serving_line(self._host),
            next_command=self._next_command(back),
            log_lines=lines,
            done=outcome.done,
            changed=bool(outcome.done),
            back_seconds=way.pointer_seconds,
        )

    def _next_command(self, back: bool) -> str:
        name = "rollback" if self._order.action == "rollback" else "update"
        named = f" -e sha={self._order.sha}" if self._order.sha else ""
        if back:
            return (
                "nothing has to be undone; fix the cause, then release the fixed commit with"
                " ansible-playbook playbooks/update-api.yml -e sha=<fixed sha>"
            )
        return f"ansible-playbook playbooks/{name}-api.yml{named} (safe to repeat)"

    def _log_lines(self, target: Container | None) -> list[str]:
        if target is None:
            return []
        try:
            return self._host.engine.log_lines(target.id, report.LOG_LINES)
        except GreenlightError as exc:
            return [f"(the log cannot be read: {exc})"]

    def revert(self) -> report.Outcome | None:
        """Take back what this run has done on this host, before it was settled; None: nothing."""
        run = self._order.run
        # A run that never began here has no business with the lock of the one that did.
        state = self._host.journal.read().run(run).state
        if state in (State.ABSENT, State.REVERTED) and not self._is_reserved():
            return None
        self._lock()
        try:
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
        return report.Outcome(Plan(goal, ()), before, observe(self._host), done)
