# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders for the droplet in memory, as module release would build them."""

from __future__ import annotations

import hashlib
import itertools
import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    GreenlightError,
    LockedError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import Order
from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    build_order,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.entrypoint import (
    find_goal,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.host_state import Snapshot
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Outcome
from ansible_collections.greenlight.droplet.plugins.module_utils._release.revert import revert_order
from ansible_collections.greenlight.droplet.plugins.module_utils._release.target import Goal
from ansible_collections.greenlight.droplet.plugins.module_utils._release.transaction import (
    Transaction,
)
from tests.unit import asked
from tests.unit.release.host_state import make_host
from tests.unit.release.world import KilledError, World

_runs = itertools.count(1)


def sha_of(name: str) -> str:
    """A full SHA made from a name."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def parameters(**values: t.Any) -> dict[str, t.Any]:
    """What Ansible would hand to the module, for a test that has no time to wait."""
    filled = asked.parameters()
    filled["image"] = "registry.test/api"
    filled["health"]["deadline"] = 3.0
    filled["watch"]["seconds"] = 2.0
    return {**filled, **values}


def order_for(
    world: World, sha: str, action: t.Literal["release", "rollback"] = "release", **values: t.Any
) -> tuple[Order, t.Callable[[Snapshot], Goal]]:
    """The order, and the function that finds its goal, as the module makes them."""
    given = {"digest": f"sha256:{sha}" if sha else "", "run": f"run-of-{next(_runs)}", **values}
    order = build_order(action, parameters(sha=sha, **given))
    return order, find_goal(make_host(world), order)


def release(world: World, sha: str, phase: Phase = "settled", **values: t.Any) -> Outcome:
    """Run module release's work up to a phase."""
    order, goal = order_for(world, sha, **values)
    return Transaction(make_host(world), order).run(goal, phase)


def rollback(world: World, sha: str = "", phase: Phase = "settled", **values: t.Any) -> Outcome:
    """Run a rollback's work up to a phase."""
    order, goal = order_for(world, sha, "rollback", **values)
    return Transaction(make_host(world), order).run(goal, phase)


def revert(world: World, run: str) -> Outcome | None:
    """Take back what a run has done."""
    order, _goal = order_for(world, sha_of("any"), run=run)
    return revert_order(make_host(world), order)


def ending_of(work: t.Callable[[], object]) -> str:
    """Run it; return how it ended: done, failed, refused, killed."""
    try:
        work()
    except KilledError:
        return "killed"
    except (LockedError, SpecError):
        return "refused"
    except GreenlightError:
        return "failed"
    return "done"
