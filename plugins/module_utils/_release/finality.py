# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""May a run still go back when one of its steps has failed, and to what?"""

from __future__ import annotations

from .._core.errors import FileError
from .._model.engine_model import Container
from .._model.spec import Order
from .._state.history import State
from .context import Host
from .host_state import Snapshot
from .planner import UNDER_WATCH, Kind, Step
from .report import Outcome


def is_final(host: Host, order: Order, step: Step, outcome: Outcome) -> bool:
    """Tell whether the run may not go back any more when this step fails."""
    run, steps = outcome.before.history.run(order.run), outcome.plan.steps
    if run.state is State.COMMITTED:
        return True
    if step.kind is Kind.COMMIT:
        # Others of the fleet may have made it final already, and so may the write that failed.
        return run.state is State.PROVED or is_committed(host, order.run)
    if any(done.kind is Kind.COMMIT for done in steps[: steps.index(step)]):
        return True
    if run.state is State.PROVED and step.kind is Kind.REPAIR:
        # Other hosts may have made it final by now, and it serves: that goes before a repair.
        return True
    target = outcome.plan.goal.target
    return target is not None and target == outcome.before.live and run.state not in UNDER_WATCH


def goes_back_to(before: Snapshot, run: str) -> Container | None:
    """Return the container that serves when the run is taken back."""
    found = before.history.run(run)
    if found.state not in UNDER_WATCH:
        return before.live
    return next((c for c in before.containers if c.release == found.origin), None)


def is_committed(host: Host, run: str) -> bool:
    """Tell whether the journal says that a run is final here, and not yet that it is over."""
    try:
        return host.journal.read().run(run).state is State.COMMITTED
    except FileError:
        return False
