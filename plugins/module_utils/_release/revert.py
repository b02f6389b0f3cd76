# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking back what a run has done on this host.

The reasons: another host has failed, nobody goes on with the run, or a person at the console asks.
"""

from __future__ import annotations

import typing as t

from .._core.errors import FinalError, LockedError, SpecError
from .._state.history import Run, State
from .._state.lock import HANDOVER
from . import preconditions, report
from .compensation import Compensation, Undo
from .context import Host, observe, observe_after
from .host_state import Snapshot
from .planner import Plan
from .target import Goal

_PROVED: t.Final = (
    "this host had proved the release, so others of its fleet may have made it final; see with"
    " status-api.yml that all serve the same, else release again what shall be live"
)

if t.TYPE_CHECKING:
    from .._model.spec import Order

TOLD: t.Final = "taken back, because whoever led the run said so: it failed here or elsewhere"


def revert_order(host: Host, order: Order) -> report.Outcome | None:
    """Carry out one call of state `reverted`; None when there is nothing to take back.

    Raises LockedError, SpecError and errors of the host's parts.
    """
    # A run that never began here has no business with the lock of the one that did.
    state = host.journal.read().run(order.run).state
    if state in (State.ABSENT, State.REVERTED) and not _is_reserved(host, order.run):
        return None
    preconditions.lock(host, order)
    try:
        preconditions.break_lease(host, order)
        return revert_run(host, order.run, TOLD)
    finally:
        host.lock.release()


def revert_at_console(host: Host, run: str, holder: str) -> report.Outcome | None:
    """Take the run back that is under way here, or the one named; None when there is none.

    The process of a release that is at work is ended first. Raises LockedError while another one
    is, SpecError, errors of the host's parts.
    """
    try:
        host.lock.acquire("", holder, "revert", 0.0)
    except LockedError:
        if not host.lock.end_holder(any_run=False, run=run):
            raise
        host.lock.acquire("", holder, "revert", HANDOVER)
    try:
        history = host.journal.read()
        unfinished = history.unfinished()
        name = run or (unfinished.identifier if unfinished else "")
        if not name:
            lease = host.lock.read_any_lease()
            if lease is not None:
                host.lock.end_lease()
            return None
        outcome = revert_run(host, name, f"taken back by {holder}", by=holder)
        if outcome is not None and history.run(name).state is State.PROVED:
            outcome.notes.append(_PROVED)
        return outcome
    finally:
        host.lock.release()


def _is_reserved(host: Host, run: str) -> bool:
    lease = host.lock.read_any_lease()
    return lease is not None and lease.run == run


def revert_run(host: Host, name: str, reason: str, **facts: t.Any) -> report.Outcome | None:
    """Take back what a run has done here before it was committed; None: nothing.

    Whoever calls holds the lock. `facts` go into the journal beside the reason. Raises SpecError
    when the run is final, or something else has begun since.
    """
    before = observe(host)
    run = before.history.run(name)
    if run.state in (State.COMMITTED, State.SETTLED):
        raise FinalError(
            f"Run {name} is final: its old release may be stopped already. Roll back instead, with"
            " rollback-api.yml or 'greenlight rollback' on this host."
        )
    if run.is_over:
        host.lock.end_own_lease(name)
        return None
    if not run.begin:
        raise SpecError(
            f"Run {name} cannot be taken back: the line of the journal in which it began is"
            " damaged, so nobody knows what served before. What serves now goes on. Release the SHA"
            " that shall be live."
        )
    if other := before.history.overtaken_by(name):
        raise SpecError(
            f"Run {name} cannot be taken back: run {other} has begun since, so what serves now is"
            " no longer its doing. status-api.yml shows what that is."
        )
    return _take_back(host, before, run, reason, facts)


def _take_back(
    host: Host, before: Snapshot, run: Run, reason: str, facts: t.Mapping[str, t.Any]
) -> report.Outcome:
    old = next((c for c in before.containers if c.release == run.origin), None)
    if run.origin and old is None:
        raise SpecError(
            f"The container of {run.origin}, which was live before run {run.identifier}, is gone,"
            " so the pointer stays where it is. Release the SHA that shall be live."
        )
    names = run.started | run.staged
    found = [c for c in before.containers if c.release in names and c.release != run.origin]
    way = Compensation(host, Undo.of_run(run), found[-1] if found else None, old)
    started = host.clock.now()
    way.point()
    way.clear(reason, **facts)
    seconds = host.clock.now() - started
    goal = Goal(old.sha if old else "", "", "", "", old)
    outcome = report.Outcome(
        Plan(goal, ()), before, None, [report.Done("go back", str(way), seconds)], old
    )
    outcome.is_complete = way.is_complete
    outcome.after, outcome.notes = observe_after(host, before, images_changed=False)
    return outcome


def close_other_run(host: Host, mine: str) -> str:
    """Put right what another run has left half way, before this one begins; say what was done.

    Whoever calls holds the lock, and nobody holds a lease any more. A run that was committed stays;
    one that was not is taken back, unless there is nothing to go back to.
    """
    other = host.journal.read().unfinished()
    if other is None or other.identifier == mine or is_kept(other):
        return ""
    try:
        reason = f"it was left half way, and run {mine} has begun"
        outcome = revert_run(host, other.identifier, reason, by=mine)
    except (LockedError, SpecError) as exc:
        return f"run {other.identifier} was left half way: {exc}"
    return f"run {other.identifier} was left half way: {outcome.done[0].text}" if outcome else ""


def is_kept(run: Run) -> bool:
    """Tell whether a run that nobody goes on with stays as far as it has got.

    It was committed, so other hosts may have put the old release away; or it is the first release
    of all its hosts, which serves better than nothing does.
    """
    is_first = run.state is State.LIVE and not run.origin and bool(run.begin.get("first"))
    return run.state is State.COMMITTED or is_first
