# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction: observe, plan, carry out; on failure go back while the old still runs."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.greenlight.droplet.plugins.module_utils import report, steps
from ansible_collections.greenlight.droplet.plugins.module_utils.engine_model import Container
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import (
    CheckError,
    GreenlightError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.health import check_expectation
from ansible_collections.greenlight.droplet.plugins.module_utils.host import Host, observe
from ansible_collections.greenlight.droplet.plugins.module_utils.journal import (
    begin_of,
    overtaken_by,
    was_reverted,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.plan import (
    GOING_BACK,
    Goal,
    Kind,
    Phase,
    Plan,
    Step,
    make_plan,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.snapshot import Snapshot
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import Order, short_sha


@dataclass
class Outcome:
    """What a run did: the plan, the state before and after, and the steps carried out."""

    plan: Plan
    before: Snapshot
    after: Snapshot
    done: list[report.Done] = field(default_factory=list)


class Transaction:
    """One call of module release or rollback on one host."""

    def __init__(self, host: Host, order: Order) -> None:
        self._host = host
        self._order = order

    def preview(self, find_goal: t.Callable[[Snapshot], Goal], phase: Phase) -> Outcome:
        """Return what a run would do, without doing it. Raises LockedError and SpecError."""
        check_expectation(self._order.health.expect)
        if not self._order.break_lease:
            self._host.lock.check_lease(self._order.run)
        snapshot = observe(self._host)
        return Outcome(self._plan(snapshot, find_goal(snapshot), phase), snapshot, snapshot)

    def _plan(self, snapshot: Snapshot, goal: Goal, phase: Phase) -> Plan:
        order = self._order
        return make_plan(
            snapshot, goal, phase, retain=order.retain, watch=order.watch.seconds, run=order.run
        )

    def run(self, find_goal: t.Callable[[Snapshot], Goal], phase: Phase) -> Outcome:
        """Bring the host to the goal, up to the end of the phase.

        Raises LockedError when another run is at work, Failure when a step failed; the old release
        then serves again unless the failure came after the new one was proved.
        """
        check_expectation(self._order.health.expect)
        self._lock()
        try:
            snapshot = observe(self._host)
            plan = self._plan(snapshot, find_goal(snapshot), phase)
            outcome = Outcome(plan, snapshot, snapshot)
            if plan.steps:
                self._begin(snapshot, plan.goal, phase)
                self._carry_out(outcome)
                outcome.after = observe(self._host)
            self._end(outcome, phase)
            return outcome
        finally:
            self._host.lock.release()

    def _lock(self) -> None:
        order, lock = self._order, self._host.lock
        lock.acquire(order.run, order.holder, order.action, order.lock_wait)
        try:
            if order.break_lease and (lease := lock.read_lease()) and lease.run != order.run:
                self._host.journal.write(
                    "lease-broken",
                    order.run,
                    holder=order.holder,
                    reason=order.break_lease,
                    broken=lease.describe(),
                )
                lock.end_lease()
            lock.check_lease(order.run)
        except GreenlightError:
            lock.release()
            raise

    def _begin(self, snapshot: Snapshot, goal: Goal, phase: Phase) -> None:
        order, live = self._order, snapshot.live
        if begin_of(snapshot.entries, order.run) is None:
            self._host.journal.write(
                "begin",
                order.run,
                action=order.action,
                sha=goal.sha,
                holder=order.holder,
                origin={"release": live.release, "sha": live.sha, "slot": live.slot}
                if live
                else None,
            )
        if phase != "settled":
            self._host.lock.write_lease(
                order.run, order.holder, order.action, goal.sha, order.lease_seconds
            )

    def _carry_out(self, outcome: Outcome) -> None:
        worker = steps.Steps(self._host, self._order, outcome.plan.goal, outcome.before)
        for step in outcome.plan.steps:
            begin = self._host.clock.now()
            try:
                text = worker.perform(step)
            except GreenlightError as exc:
                raise self._fail(step, exc, worker.target, outcome) from exc
            seconds = self._host.clock.now() - begin
            outcome.done.append(report.Done(step.kind.value, text, seconds))

    def _end(self, outcome: Outcome, phase: Phase) -> None:
        if phase != "settled":
            return
        lease = self._host.lock.read_lease()
        if lease is not None and lease.run == self._order.run:
            self._host.lock.end_lease()
        if outcome.plan.steps:
            self._host.journal.write(
                "settled",
                self._order.run,
                sha=outcome.plan.goal.sha,
                seconds={done.step: round(done.seconds, 3) for done in outcome.done},
            )

    def _fail(
        self, step: Step, exc: GreenlightError, target: Container | None, outcome: Outcome
    ) -> report.Failure:
        """Go back where the step asks for it and put together what the error says."""
        lines: list[str] = []
        text = "the new release serves; the next run completes what is left"
        reason = str(exc).rstrip(".")
        back = step.kind in GOING_BACK and not _is_proved(step, outcome)
        if back:
            lines = self._log_lines(target)
            try:
                text = self.go_back(target, outcome.before.live, reason)
            except GreenlightError as second:
                text = f"going back failed as well: {second}"
        return report.Failure(
            action=self._order.action,
            sha=outcome.plan.goal.sha,
            step=step.kind.value,
            reason=reason,
            check=exc.check if isinstance(exc, CheckError) else "",
            last_answer=exc.last_answer if isinstance(exc, CheckError) else "",
            outcome=text,
            serving=steps.serving_line(self._host),
            next_command=self._next_command(back),
            log_lines=lines,
            done=outcome.done,
            changed=bool(outcome.done),
        )

    def _next_command(self, back: bool) -> str:
        again = f"ansible-playbook playbooks/update-api.yml -e sha={self._order.sha or '<sha>'}"
        if back:
            return (
                "nothing has to be undone; fix the cause, then release the fixed commit with"
                " ansible-playbook playbooks/update-api.yml -e sha=<fixed sha>"
            )
        return f"{again} (safe to repeat)"

    def _log_lines(self, target: Container | None) -> list[str]:
        if target is None:
            return []
        try:
            return self._host.engine.log_lines(target.id, report.LOG_LINES)
        except GreenlightError as exc:
            return [f"(the log cannot be read: {exc})"]

    def go_back(self, target: Container | None, old: Container | None, reason: str) -> str:
        """Let the old release serve and the new one go; return what was done, for people.

        The proxy is asked first: an effect whose answer was lost may have taken place. A standby
        that was started is stopped and kept, a container of a new release is removed.
        """
        host, order = self._host, self._order
        said: list[str] = []
        route = host.proxy.read_route()
        if target is not None and target.slot in (route.slot, route.file) and target != old:
            if old is not None:
                host.engine.start(old.id)
            steps.point_to(host, old.slot if old else None)
            said.append(f"the pointer is back on {short_sha(old.sha) if old else 'no release'}")
            steps.drain(host, target, order.drain_seconds)
        if target is not None and target != old:
            said.append(self._dismiss(target))
        host.journal.write(
            "reverted",
            order.run,
            action=order.action,
            reason=reason,
            release=target.release if target else "",
            sha=target.sha if target else order.sha,
        )
        lease = host.lock.read_lease()
        if lease is not None and lease.run == order.run:
            host.lock.end_lease()
        return "; ".join(said) or "nothing was started, nothing has changed"

    def _dismiss(self, target: Container) -> str:
        entries = self._host.journal.read()
        earlier = {
            e.data.get("release") for e in entries if e.event == "live" and e.run != self._order.run
        }
        if target.release in earlier:
            steps.stop_for_rollback(self._host, target, self._order.container.stop_timeout)
            return f"the standby {target.name} is stopped again and kept"
        self._host.engine.remove(target.id)
        return f"the new container {target.name} is gone"

    def revert(self) -> Outcome | None:
        """Take back what this run has done on this host, before it was settled; None: nothing."""
        run = self._order.run
        # A run that never began here has no business with the lock of the one that did.
        if begin_of(self._host.journal.read(), run) is None:
            return None
        self._lock()
        try:
            before = observe(self._host)
            begin = begin_of(before.entries, run)
            if begin is None or was_reverted(before.entries, run):
                return None
            if any(e.event == "settled" and e.run == run for e in before.entries):
                raise SpecError(f"Run {run} is settled: its old release is stopped. Use rollback.")
            if other := overtaken_by(before.entries, run):
                raise SpecError(
                    f"Run {run} cannot be taken back: run {other} has begun since, so what serves"
                    " now is no longer its doing. status-api.yml shows what that is."
                )
            origin = (begin.data.get("origin") or {}).get("release", "")
            old = next((c for c in before.containers if c.release == origin), None)
            if origin and old is None:
                raise SpecError(
                    f"The container of {origin}, which was live before run {run}, is gone, so the"
                    " pointer stays where it is. Release the SHA that shall be live."
                )
            target = self._target_of_run(before, origin)
            started = self._host.clock.now()
            text = self.go_back(target, old, "taken back, because another host failed")
            seconds = self._host.clock.now() - started
            plan = Plan(Goal(origin and (old.sha if old else ""), "", "", "", old), ())
            done = [report.Done("go back", text, seconds)]
            return Outcome(plan, before, observe(self._host), done)
        finally:
            self._host.lock.release()

    def _target_of_run(self, snapshot: Snapshot, origin: str) -> Container | None:
        run = self._order.run
        mine = snapshot.started_by(run) | snapshot.staged_by(run)
        found = [c for c in snapshot.containers if c.release in mine and c.release != origin]
        return found[-1] if found else None


def _is_proved(step: Step, outcome: Outcome) -> bool:
    """Tell whether the new release had passed its watch, or was live before, when a step failed."""
    plan = outcome.plan
    proofs = [i for i, s in enumerate(plan.steps) if s.kind in (Kind.CUT_OVER, Kind.WATCH)]
    if proofs:
        return plan.steps.index(step) > max(proofs)
    return plan.goal.target is not None and plan.goal.target == outcome.before.live
