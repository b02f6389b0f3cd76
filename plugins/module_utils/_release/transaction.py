# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction: observe, plan, carry out; on failure go back while the old still runs."""

from __future__ import annotations

import typing as t

from .._core.errors import CheckError, GreenlightError
from .._core.redact import redact, spellings
from .._health.probe import check_expectation
from .._model.engine_model import Container
from .._model.spec import Order
from .._state.history import BEGIN, SETTLED
from . import executor, preconditions, report, traffic
from .compensation import WayBack
from .context import Host, observe, observe_after
from .host_state import Snapshot
from .planner import GOING_BACK, Kind, Phase, Plan, Step, Terms, make_plan
from .target import Goal


class Transaction:
    """One call of module release or rollback on one host."""

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
        if reserve:
            preconditions.lock(self._host, self._order)
        elif not self._order.break_lease:
            self._host.lock.check_lease(self._order.run)
        try:
            snapshot = observe(self._host)
            plan = self._plan(snapshot, find_goal, phase)
            if plan.steps:
                preconditions.check_freeze(self._host, self._order, snapshot)
            if reserve:
                preconditions.break_lease(self._host, self._order)
            if plan.steps and reserve:
                self._lease(plan.goal)
            return report.Outcome(plan, snapshot, snapshot)
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
        preconditions.lock(self._host, self._order)
        try:
            snapshot = observe(self._host)
            plan = self._plan(snapshot, find_goal, phase)
            outcome = report.Outcome(plan, snapshot, snapshot, live=snapshot.live)
            if plan.steps:
                self._begin(snapshot, plan.goal, phase)
                target = self._carry_out(outcome)
                outcome.live = snapshot.live if phase == "staged" else target
            else:
                preconditions.break_lease(self._host, self._order)
            self._finish(outcome, phase)
            if plan.steps:
                self._look_after(outcome, look_after)
            return outcome
        finally:
            self._host.lock.release()

    def _look_after(self, outcome: report.Outcome, wanted: bool) -> None:
        kinds = {step.kind for step in outcome.plan.steps}
        changed = bool(kinds & {Kind.PULL, Kind.RETAIN})
        outcome.after = None
        if wanted:
            outcome.after, outcome.notes = observe_after(
                self._host, outcome.before, images_changed=changed
            )

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
        preconditions.check_freeze(host, order, snapshot)
        preconditions.check_space(host)
        preconditions.break_lease(host, order)
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
                preconditions.note(
                    host, order, "freeze-ignored", order.ignore_freeze, freeze.describe()
                )
        if phase != "settled":
            self._lease(goal)

    def _carry_out(self, outcome: report.Outcome) -> Container | None:
        """Do all steps; return the container of the release."""
        worker = executor.Steps(self._host, self._order, outcome.plan.goal, outcome.before)
        for step in outcome.plan.steps:
            begin = self._host.clock.now()
            try:
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
        reason = self._hide(str(exc).rstrip("."))
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
            last_answer=self._one_line(exc.last_answer) if isinstance(exc, CheckError) else "",
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
            lines = self._host.engine.log_lines(target.id, report.LOG_LINES)
        except GreenlightError as exc:
            return [f"(the log cannot be read: {exc})"]
        return [self._hide(line) for line in lines]

    def _one_line(self, text: str) -> str:
        return " ".join(self._hide(text).split())[: report.LINE_CHARACTERS]

    def _hide(self, text: str) -> str:
        """Take the run's secrets out of what an application said, before anything is cut off."""
        order = self._order
        return str(
            redact(text, spellings([*order.container.secrets.values(), order.source.password]))
        )
