# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""May this run work on this host now? The lock, the lease, a freeze, room on the disk."""

from __future__ import annotations

import typing as t

from .._core.errors import (
    FileError,
    GreenlightError,
    LockedError,
    NotSetUpError,
    ProxyError,
    TakenBackError,
)
from .._model.spec import Order
from .._state.history import State
from .._state.lock import HANDOVER, RELEASING, Lease
from .addresses import refuse_strangers
from .context import Host
from .host_state import Snapshot
from .planner import Kind, Plan

MIN_FREE_BYTES: t.Final = 1_048_576
"""Bytes that must be free for the pointer, the journal and the lease before a run begins."""


def lock(host: Host, order: Order) -> str:
    """Take the kernel lock, also beside another run's lease when the order goes before it.

    A rollback ends the process of a release that holds the lock, and so does a release with a
    reason to break the lease: else one that hangs would keep everybody out. That of a rollback is
    ended by another rollback with a reason, and by no release. Returns a note on that.

    Raises LockedError, with nothing held, when another process or run is at work.
    """
    ended = _acquire(host, order)
    try:
        if ended:
            note(host, order, "process-ended", _reason(order), ended)
        lease = host.lock.read_lease()
        if lease is None or not goes_before(order, lease):
            host.lock.check_lease(order.run)
    except GreenlightError:
        host.lock.release()
        raise
    return f"the process of another {ended} was ended: {_reason(order)}" if ended else ""


def _acquire(host: Host, order: Order) -> str:
    """Take the kernel lock; return whose process was ended for it, or nothing."""
    caller, patience = (order.run, order.caller.holder, order.action), _patience(order)
    try:
        host.lock.acquire(*caller, order.lock_wait, patience)
    except LockedError:
        # A run that has begun ends nobody: whoever holds the lock now has come after it.
        has_begun = not host.journal.read().run(order.run).is_over
        goes_back, has_reason = order.action == "rollback", bool(order.break_lease)
        if has_begun or not (goes_back or has_reason):
            raise
        ended = host.lock.end_holder(any_run=goes_back and has_reason)
        if not ended:
            raise
        host.lock.acquire(*caller, HANDOVER, patience)
        return ended
    return ""


def goes_before(order: Order, lease: Lease) -> bool:
    """Tell whether the order may take the place of the run that holds the lease."""
    return bool(order.break_lease) or (order.action == "rollback" and lease.action == RELEASING)


def _reason(order: Order) -> str:
    return order.break_lease or "a rollback goes before a release"


def _patience(order: Order) -> float:
    """Return the seconds that a phase of such an order, or taking it back, may take at most."""
    canary = order.canary.seconds if order.canary.wanted else 0.0
    work = order.pull_seconds + order.health.deadline + canary + order.watch.seconds
    return 2 * work + 2 * (order.drain_seconds + order.container.stop_timeout) + 120.0


def check_lock(host: Host, order: Order) -> None:
    """Raise LockedError when another run is under way; for a call that changes nothing."""
    lease = host.lock.read_lease()
    if lease is None or lease.run == order.run or goes_before(order, lease):
        return
    host.lock.acquire(
        order.run, order.caller.holder, order.action, order.lock_wait, _patience(order)
    )
    try:
        host.lock.check_lease(order.run)
    finally:
        host.lock.release()


def break_lease(host: Host, order: Order) -> None:
    """End another run's lease when the order goes before it, and write down why.

    Last of all that is looked at before a run on this host, so that one that is refused here has
    broken nothing here. What the other run has left is taken back when this one begins or gives up.
    """
    lease = host.lock.read_lease()
    if lease is not None and lease.run != order.run and goes_before(order, lease):
        note(host, order, "lease-broken", _reason(order), lease.describe())
        host.lock.end_lease()


def note(host: Host, order: Order, event: str, reason: str, overruled: str) -> None:
    """Write down who overruled what, and why."""
    holder = order.caller.holder
    host.journal.write(event, order.run, holder=holder, reason=reason, overruled=overruled)


def check_own_run(order: Order, snapshot: Snapshot) -> None:
    """Raise TakenBackError when the run that the order goes on with is not its own any more."""
    history = snapshot.history
    own = history.run(order.run)
    if own.state is State.REVERTED:
        reason = str(own.end.get("reason", "")) or "nobody knows why"
        raise TakenBackError(f"This run was taken back on this host: {reason}.")
    if not own.is_over and not own.begin and own.state is not State.COMMITTED:
        raise TakenBackError(
            "The line of the journal in which this run began is damaged on this host, so nobody"
            " knows what served before. What serves now goes on. Release the SHA that shall be"
            " live."
        )
    if other := history.overtaken_by(order.run):
        raise TakenBackError(
            f"Run {other} has begun on this host since, so this one cannot go on. status-api.yml"
            " shows what is live."
        )


def check_freeze(host: Host, order: Order, snapshot: Snapshot) -> None:
    """Raise FrozenError for a release that has not begun and has no reason to go through."""
    begun = not snapshot.history.run(order.run).is_over
    if order.action == "release" and not order.ignore_freeze and not begun:
        host.freeze.check()


def check_network(host: Host, snapshot: Snapshot, plan: Plan) -> None:
    """See that a container which is to be started has its network, and its address for itself.

    Raises NotSetUpError when the network is not there, EngineError when another one has it.
    """
    network = host.application.network
    if not any(step.kind in (Kind.START, Kind.WAKE) for step in plan.steps):
        return
    if host.engine.network(network) is None:
        raise NotSetUpError(
            f"The Docker network {network} is missing. Run setup-api.yml; nothing was changed."
        )
    target = plan.goal.target
    slot = target.slot if target is not None else snapshot.idle_slot
    refuse_strangers(host.engine, host.application, (slot,))


def check_proxy(host: Host, snapshot: Snapshot) -> None:
    """Raise ProxyError when HAProxy has not answered: nothing can be moved without it."""
    if not snapshot.route.answered:
        raise ProxyError(
            f"HAProxy does not answer on {host.application.socket}. 'systemctl status haproxy' says"
            " why; nothing was changed."
        )


def check_space(host: Host, *, begun: bool = False) -> None:
    """Raise FileError when the disk of the journal and the pointer is full.

    `begun` says that the run has changed something here already.
    """
    end = "." if begun else "; nothing was changed."
    if (free := host.journal.free_bytes()) < MIN_FREE_BYTES:
        raise FileError(
            f"The disk that holds {host.application.folder} is full ({free} bytes left, a run needs"
            f" {MIN_FREE_BYTES}). Free some space, for instance with 'docker system df' and"
            f" 'journalctl --vacuum-size=100M' on the host{end}"
        )
