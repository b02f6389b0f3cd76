# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For whom the watchdog waits: who leads a proved run, and a run that another has set aside."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import EngineError
from ansible_collections.greenlight.droplet.plugins.module_utils._release import transaction
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from ansible_collections.greenlight.droplet.plugins.module_utils._release.transaction import (
    Transaction,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.watchdog import (
    DEATH_SECONDS,
    INTERVAL,
    Watchdog,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.history import State
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import order_for, release, rollback
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.test_hands import change
from tests.unit.release.test_watchdog import LEASE, B, C, D, prepared, state_of, through
from tests.unit.release.world import World


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A droplet with B live and A as standby."""
    return prepared(monkeypatch)


@pytest.mark.parametrize("phase", ["staged", "live", "proved"])
@pytest.mark.parametrize("sha", [C, D])
def test_a_run_whose_lease_gave_way_to_a_reservation_is_taken_back_all_the_same(
    world: World, phase: Phase, sha: str
) -> None:
    through(world, phase)
    why = "the process that led it has ended"
    order, goal = order_for(world, sha, run="run-2", break_lease=why)
    Transaction(make_host(world), order).preview(goal, "settled", reserve=True)
    # The second run ends here: another host refused it.
    assert Watchdog(make_host(world)).run()
    assert state_of(world) is State.REVERTED
    assert (live_and_standby(world)[0], world.lease) == (B, None)
    assert_consistent(world)


def test_a_proved_release_does_not_go_back_for_a_repair_that_is_refused(world: World) -> None:
    through(world, "proved")
    change(world, C, restart_policy="no")
    world.broken = {"restart policy": C}
    with pytest.raises(Failure) as caught:
        release(world, C, run="run-1", phase="settled")
    assert (caught.value.step, live_and_standby(world)[0]) == ("repair", C)
    assert "the release is final; this host completes" in str(caught.value)
    assert caught.value.final
    assert state_of(world) is State.COMMITTED
    # Whoever leads the run may go on with it.
    world.broken = {}
    release(world, C, run="run-1", phase="settled")
    assert state_of(world) is State.SETTLED


@pytest.mark.parametrize("state", ["exited", "restarting"])
@pytest.mark.parametrize("phase", ["committed", "settled"])
def test_a_proved_release_whose_container_has_died_goes_back(
    world: World, phase: Phase, state: str
) -> None:
    through(world, "proved")
    change(world, C, state=state)
    with pytest.raises(Failure) as caught:
        release(world, C, run="run-1", phase=phase)
    assert (caught.value.step, caught.value.final) == ("prove", False)
    assert live_and_standby(world)[0] == B


def test_what_ran_before_is_not_stopped_while_a_final_release_does_not_run(world: World) -> None:
    through(world, "committed")
    change(world, C, state="exited")
    with pytest.raises(Failure) as caught:
        release(world, C, run="run-1", phase="settled")
    assert (caught.value.step, caught.value.final) == ("confirm", True)
    assert (
        "left as it is, because the live container does not run" in Watchdog(make_host(world)).run()
    )
    assert [c.sha for c in world.containers.values() if c.running] == [B]


def test_a_host_whose_docker_is_down_still_hears_that_the_release_is_final(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    through(world, "proved")

    def refuse(_host: object) -> None:
        raise EngineError("the engine does not answer")

    monkeypatch.setattr(transaction, "observe", refuse)
    with pytest.raises(EngineError) as caught:
        release(world, C, run="run-1", phase="committed")
    assert caught.value.final
    assert state_of(world) is State.COMMITTED


def test_a_host_that_is_told_twice_keeps_no_lease_for_it(world: World) -> None:
    through(world, "proved")
    world.broken = {"stop": C}
    with pytest.raises(Failure) as caught:
        release(world, C, run="run-1", phase="settled")
    assert caught.value.final
    world.broken = {}
    release(world, C, run="run-1", phase="committed")
    began = world.now
    assert Watchdog(make_host(world)).run()
    assert world.now - began <= DEATH_SECONDS + 2 * INTERVAL
    assert state_of(world) is State.SETTLED


def test_a_word_that_cannot_be_written_leaves_the_host_waiting_for_who_leads_the_run(
    world: World,
) -> None:
    through(world, "proved")
    world.broken = {"journal": C}
    with pytest.raises(Failure) as caught:
        release(world, C, run="run-1", phase="committed")
    assert caught.value.step == "commit"
    assert "other hosts may have made it final" in str(caught.value)
    world.broken = {}
    lease = world.lease
    assert lease is not None
    assert not lease.working
    began = world.now
    assert Watchdog(make_host(world)).run()
    assert world.now - began >= LEASE - INTERVAL


def test_a_process_that_dies_before_a_proved_release_is_final_is_waited_for(world: World) -> None:
    through(world, "proved")
    assert world.lease is not None
    world.lease = dataclasses.replace(world.lease, working=True)
    assert state_of(world) is State.PROVED
    watchdog = Watchdog(make_host(world))
    end = world.now + 10 * DEATH_SECONDS
    while world.now < end:
        assert not watchdog.look()
        world.now += INTERVAL
    release(world, C, run="run-1", phase="settled")
    assert state_of(world) is State.SETTLED


def test_a_final_run_whose_old_container_does_not_stop_keeps_no_lease(world: World) -> None:
    world.broken = {"stop": C}
    with pytest.raises(Failure) as caught:
        release(world, C, run="run-1")
    assert caught.value.step == "retire"
    world.broken = {}
    # The advice is to run the same again, or to roll back: neither has to wait for the lease.
    began = world.now
    assert Watchdog(make_host(world)).run()
    assert world.now - began <= DEATH_SECONDS + 2 * INTERVAL
    assert state_of(world) is State.SETTLED
    rollback(world)
    assert live_and_standby(world)[0] == B
