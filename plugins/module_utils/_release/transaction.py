# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction: observe, plan, carry out; on failure go back while the old still runs."""

from __future__ import annotations

import typing as t

from .._core.boundary import DEFECT, boundary
from .._core.clock import wait_until
from .._core.errors import FileError, GreenlightError
from .._health.probe import check_expectation
from .._model.engine_model import Container
from .._model.spec import Order
from .._state.history import PHASE, State
from .._state.lock import Lease
from . import executor, preconditions, report
from .compensation import Compensation, Undo
from .context import Host, observe, observe_after
from .explanation import Explanation
from .finality import goes_back_to, is_committed, is_final
from .host_state import Snapshot
from .last_word import commit_proved
from .planner import GOING_BACK, UNDER_WATCH, Kind, Phase, Plan, Step, Terms, make_plan
from .revert import close_other_run
from .target import Goal

PROXY_LIMIT: t.Final = 5.0
"""Seconds for which HAProxy may not answer before a phase is refused."""


class Transaction:
    """One call of module release on one host."""

    def __init__(
        self,
        host: Host,
        order: Order,
        say: t.Callable[[report.Done], None] = report.keep_quiet,
    ) -> None:
        self._host = host
        self._order = order
        self._say = say

    def preview(
        self, find_goal: t.Callable[[Snapshot], Goal], phase: Phase, *, reserve: bool = False
    ) -> report.Outcome:
        """Return what a run would do, without doing it.

        With `reserve` the lease is taken when there is something to do, so that of two fleet
        releases that begin at once one is refused here. Raises LockedError, FrozenError, SpecError.
        """
        check_expectation(self._order.health.expect)
        ended = ""
        if reserve:
            ended = preconditions.lock(self._host, self._order)
        elif not self._order.break_lease:
            preconditions.check_lock(self._host, self._order)
        try:
            snapshot = observe(self._host)
            plan = self._plan(snapshot, find_goal, phase)
            if plan.steps:
                preconditions.check_freeze(self._host, self._order, snapshot)
                preconditions.check_space(self._host)
            if reserve:
                preconditions.break_lease(self._host, self._order)
            if plan.steps and reserve:
                self._lease(plan.goal.sha)
            said = [ended] if ended else []
            return report.Outcome(plan, snapshot, snapshot, notes=[*said, *plan.notes])
        finally:
            if reserve:
                self._host.lock.release()

    def _plan(
        self, snapshot: Snapshot, find_goal: t.Callable[[Snapshot], Goal], phase: Phase
    ) -> Plan:
        order, standby = self._order, snapshot.standby
        preconditions.check_proxy(self._host, snapshot)
        # systemd is asked only when a standby runs whose time is to be planned.
        keeps = order.standby.warm and standby is not None and standby.running
        ending = self._host.timers.planned() if keeps else ""
        terms = Terms(
            order.retain,
            order.watch.seconds,
            order.canary,
            order.standby,
            order.run,
            ending,
            order.source.image,
        )
        plan = make_plan(snapshot, find_goal(snapshot), phase, terms)
        preconditions.check_network(self._host, snapshot, plan)
        return plan

    def run(
        self, find_goal: t.Callable[[Snapshot], Goal], phase: Phase, *, look_after: bool = True
    ) -> report.Outcome:
        """Bring the host to the goal, up to the end of the phase; `look_after` reads what came.

        Raises LockedError when another run is at work, Failure when a step failed; the old release
        then serves again unless the failure came after the new one was proved.
        """
        check_expectation(self._order.health.expect)
        ended = preconditions.lock(self._host, self._order)
        try:
            said = commit_proved(self._host, self._order, phase)
            outcome = self._plan_at_last(find_goal, phase)
            outcome.done += said
            outcome.notes += [ended] if ended else []
            if outcome.plan.steps:
                self._begin_with(outcome)
                target = self._carry_out(outcome)
                outcome.live = outcome.before.live if phase == "staged" else target
            self._finish(outcome, phase)
            if outcome.plan.steps:
                self._look_after(outcome, look_after)
        except GreenlightError as exc:
            exc.final = is_committed(self._host, self._order.run)
            raise
        else:
            return outcome
        finally:
            self._host.lock.release()

    def _plan_at_last(
        self, find_goal: t.Callable[[Snapshot], Goal], phase: Phase
    ) -> report.Outcome:
        """Return the plan, after what another run has left half way was put right.

        All that can refuse this run is looked at before that.
        """
        host, order = self._host, self._order
        # HAProxy may have died just now; systemd starts it again within a second.
        snapshot = wait_until(
            lambda: observe(host), lambda s: s.route.answered, PROXY_LIMIT, 0.25, host.clock
        ).last
        preconditions.check_own_run(order, snapshot)
        plan = self._plan(snapshot, find_goal, phase)
        if plan.steps:
            preconditions.check_freeze(host, order, snapshot)
            if not self._serves_already(snapshot):
                begun = not snapshot.history.run(order.run).is_over
                preconditions.check_space(host, begun=begun)
        preconditions.break_lease(host, order)
        note = close_other_run(host, order.run)
        if note:
            snapshot = observe(host)
            plan = self._plan(snapshot, find_goal, phase)
        outcome = report.Outcome(plan, snapshot, snapshot, live=snapshot.live)
        outcome.notes += [*([note] if note else []), *plan.notes]
        return outcome

    def _look_after(self, outcome: report.Outcome, wanted: bool) -> None:
        kinds = {step.kind for step in outcome.plan.steps}
        changed = bool(kinds & {Kind.PULL, Kind.RETAIN})
        outcome.after = None
        if wanted:
            outcome.after, notes = observe_after(self._host, outcome.before, images_changed=changed)
            outcome.notes += notes

    def _lease(self, sha: str, working: bool = False) -> None:
        order, caller = self._order, self._order.caller
        self._host.lock.write_lease(
            Lease(
                order.run,
                caller.holder,
                order.action,
                sha,
                order.lease_seconds,
                working=working,
                controller=caller.controller,
            )
        )

    def _is_new(self, snapshot: Snapshot, goal: Goal) -> bool:
        """Tell whether this call opens the run; a run with another aim than before begins anew."""
        mine = snapshot.history.run(self._order.run)
        aim = (goal.sha, goal.digest)
        return mine.is_over or tuple(mine.begin.get(n) for n in ("sha", "digest")) != aim

    def _serves_already(self, snapshot: Snapshot) -> bool:
        """Tell whether an earlier call has cut over: what fails from then on is a failed step."""
        return snapshot.history.run(self._order.run).state in (*UNDER_WATCH, State.COMMITTED)

    def _begin_with(self, outcome: report.Outcome) -> None:
        try:
            with boundary(DEFECT):
                self._begin(outcome.before, outcome.plan.goal)
        except GreenlightError as exc:
            if not self._serves_already(outcome.before):
                raise
            step, target = outcome.plan.steps[0], outcome.plan.goal.target
            raise self._fail(step, exc, target, outcome) from exc

    def _begin(self, snapshot: Snapshot, goal: Goal) -> None:
        """Open the run in the journal, unless an earlier phase has.

        From here on the host takes the run back when nobody goes on with it.
        """
        order, host = self._order, self._host
        self._lease(goal.sha, working=True)
        if not self._is_new(snapshot, goal):
            return
        try:
            host.timers.arm_watchdog()
            host.hash_key.keep()
            if not snapshot.history.damaged:
                host.journal.rotate()
            host.journal.write(
                State.BEGUN, order.run, **report.begin_facts(order, goal, snapshot.live)
            )
        except GreenlightError:
            host.lock.end_own_lease(order.run)
            raise
        if order.ignore_freeze and (freeze := host.freeze.read()):
            preconditions.note(
                host, order, "freeze-ignored", order.ignore_freeze, freeze.describe()
            )

    def _carry_out(self, outcome: report.Outcome) -> Container | None:
        """Do all steps; return the container of the release."""
        worker = executor.Steps(self._host, self._order, outcome.plan.goal, outcome.before)
        for step in outcome.plan.steps:
            begin = self._host.clock.now()
            try:
                with boundary(DEFECT):
                    text = worker.perform(step)
            except GreenlightError as exc:
                raise self._fail(step, exc, worker.target, outcome) from exc
            seconds = self._host.clock.now() - begin
            outcome.done.append(report.Done(step.kind.value, text, seconds))
            self._say(outcome.done[-1])
        return worker.target

    def _finish(self, outcome: report.Outcome, phase: Phase) -> None:
        step = Step(Kind.FINISH, f"phase {phase} is over")
        try:
            with boundary(DEFECT):
                self._end(outcome, phase)
        except GreenlightError as exc:
            raise self._fail(step, exc, outcome.plan.goal.target, outcome) from exc

    def _end(self, outcome: report.Outcome, phase: Phase) -> None:
        """Write down how long the call took; the run is over with its last phase."""
        order, host = self._order, self._host
        seconds = report.seconds_by_step(outcome.done)
        # A run ends in the journal even when its last phase finds nothing left to do.
        is_open = not outcome.before.history.run(order.run).is_over
        if outcome.plan.steps or (is_open and phase == "settled"):
            event = State.SETTLED if phase == "settled" else PHASE
            sha = outcome.plan.goal.sha
            host.journal.write(event, order.run, phase=phase, sha=sha, seconds=seconds)
        if phase == "settled":
            host.lock.end_own_lease(order.run)
        elif outcome.plan.steps or (is_open and phase != "committed"):
            self._lease(outcome.plan.goal.sha)

    def _fail(
        self, step: Step, exc: GreenlightError, target: Container | None, outcome: report.Outcome
    ) -> report.Failure:
        """Go back where the step asks for it and put together what the error says."""
        explanation = Explanation(self._host, self._order)
        old = goes_back_to(outcome.before, self._order.run)
        origin = outcome.before.history.run(self._order.run).origin
        # Without the container that served before there is nothing to lead the pointer to.
        is_lost = bool(origin) and old is None
        back = (
            step.kind in GOING_BACK
            and not is_final(self._host, self._order, step, outcome)
            and not is_lost
        )
        way = Compensation(self._host, Undo.of_order(self._order), target, old)
        lines: list[str] = []
        if back:
            way.point()
            lines = explanation.log_lines(target)
            seconds = report.seconds_by_step(outcome.done)
            way.clear(explanation.reason(exc), step=step.kind.value, seconds=seconds)
        else:
            self._leave_to_others(outcome.plan.goal)
        return explanation.failure(step, exc, outcome, way if back else None, lines)

    def _leave_to_others(self, goal: Goal) -> None:
        """Let a host that has proved it wait for whoever goes on, as after a phase that went well.

        A final release keeps nobody out: the next run completes it, or the host itself does. In
        every other state the host puts the run right as soon as this process has ended.
        """
        host, run = self._host, self._order.run
        try:
            state = host.journal.read().run(run).state
            if state is State.PROVED:
                self._lease(goal.sha)
            elif state is State.COMMITTED:
                host.lock.end_own_lease(run)
        except FileError:
            # A full disk is what failed the step, perhaps. The lease says that this process works
            # still, so the host sees that it has ended, and does the same.
            return
