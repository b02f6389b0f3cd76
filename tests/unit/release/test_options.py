# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canary, warm standby, freeze, reservation and the way back under a second fault."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FrozenError,
    GreenlightError,
    LockedError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from ansible_collections.greenlight.droplet.plugins.module_utils._release.transaction import (
    Transaction,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.freeze import Freeze
from ansible_collections.greenlight.droplet.plugins.module_utils._state.history import State
from tests.unit.release.host_state import FakeTimers, make_host
from tests.unit.release.orders import order_for, release, revert, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C, D = (sha_of(name) for name in "abcd")
CANARY = {"percent": 10, "seconds": 3.0}


@pytest.fixture(name="world")
def fixture_released(world: World) -> World:
    """A droplet with B live and A as the standby."""
    release(world, A)
    release(world, B)
    return world


def events(world: World, name: str) -> list[dict[str, object]]:
    """The journal's events of a name."""
    return [e for e in map(json.loads, world.journal) if e["event"] == name]


def test_a_canary_comes_before_the_cutover_and_leaves_nothing(world: World) -> None:
    outcome = release(world, C, canary=CANARY)
    names = [done.step for done in outcome.done]
    assert names.index("confirm") < names.index("canary") < names.index("cut over")
    assert "canary" in world.effects
    assert (world.canary, world.percent) == (None, 0)
    assert live_and_standby(world) == (C, B)


@pytest.mark.parametrize("behaviour", ["errors", "hangs", "sick later"])
def test_a_canary_that_fails_never_gets_the_pointer(world: World, behaviour: str) -> None:
    world.behaviour[C] = behaviour
    before = world.effects.count("pointer")
    with pytest.raises(Failure) as caught:
        release(world, C, canary={"percent": 10, "seconds": 10.0})
    assert caught.value.step == "canary"
    assert world.effects.count("pointer") == before
    assert (world.canary, world.percent) == (None, 0)
    assert live_and_standby(world) == (B, A)
    assert_consistent(world)


def test_an_application_that_hangs_fails_the_watch(world: World) -> None:
    world.behaviour[C] = "hangs"
    with pytest.raises(Failure, match="without an answer for 1 s"):
        release(world, C, watch={**WATCH, "seconds": 5.0, "answer_seconds": 1.0})
    assert live_and_standby(world) == (B, A)


WATCH = {"interval": 0.5, "failed_checks": 2, "min_errors": 3, "max_error_percent": 5.0}


def test_a_warm_standby_runs_on_and_a_rollback_does_not_start_it(world: World) -> None:
    outcome = release(world, C, standby="warm")
    assert outcome.done[-1].step != "retire"
    standby = observe(make_host(world)).standby
    assert standby is not None
    assert (standby.sha, standby.running, standby.restart_policy) == (B, True, "no")
    assert world.ending == standby.id
    assert release(world, C, standby="warm").done == []
    steps = [done.step for done in rollback(world, standby="warm").done]
    assert steps == ["gate", "confirm", "cut over", "watch", "commit", "keep warm"]
    live = observe(make_host(world)).live
    assert live is not None
    assert (live.sha, live.restart_policy) == (B, "unless-stopped")


def test_the_end_of_a_warm_standby_spares_what_has_become_live(world: World) -> None:
    release(world, C, standby="warm")
    planned = world.ending
    rollback(world)
    world.ending = planned
    world.end_warm()
    assert world.serving() is not None
    assert live_and_standby(world) == (B, C)


def test_systemd_is_asked_only_where_a_standby_stays_warm(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def planned(_timers: FakeTimers) -> str:
        asked.append("planned")
        return ""

    monkeypatch.setattr(FakeTimers, "planned", planned)
    phases: tuple[Phase, ...] = ("staged", "live", "settled")
    for phase in phases:
        release(world, C, run="run-1", phase=phase)
    assert asked == []
    for phase in phases:
        release(world, D, run="run-2", phase=phase, standby="warm")
    assert asked != []


def test_a_standby_that_no_reboot_starts_is_not_told_so_again(world: World) -> None:
    before = world.effects.count("restart policy")
    rollback(world, phase="staged")
    assert world.effects.count("restart policy") == before
    revert(world, "run-1")


def test_a_warm_standby_whose_time_is_over_is_a_stopped_one(world: World) -> None:
    release(world, C, standby="warm")
    world.end_warm()
    assert release(world, C, standby="warm").done == []
    assert "start standby" in [done.step for done in rollback(world).done]


def test_stopped_again_after_warm_stops_it_now(world: World) -> None:
    release(world, C, standby="warm")
    assert [d.step for d in release(world, C).done] == ["drain", "retire"]


def test_a_freeze_holds_releases_back_but_no_rollback(world: World) -> None:
    world.freeze = Freeze("sale", "ann", "noon")
    before = len(world.effects)
    with pytest.raises(FrozenError, match=r"sale \(ann, since noon\)"):
        release(world, C)
    order, goal = order_for(world, C)
    with pytest.raises(FrozenError):
        Transaction(make_host(world), order).preview(goal, "settled")
    assert release(world, B).done == []
    assert len(world.effects) == before
    rollback(world)
    assert live_and_standby(world)[0] == A
    release(world, C, ignore_freeze="hotfix")
    (noted,) = events(world, "freeze-ignored")
    assert noted["reason"] == "hotfix"


def test_a_freeze_stops_no_run_that_has_begun(world: World) -> None:
    release(world, C, run="run-1", phase="staged")
    world.freeze = Freeze("sale", "ann", "noon")
    release(world, C, run="run-1", phase="live")
    release(world, C, run="run-1", phase="settled")
    assert live_and_standby(world) == (C, B)


def test_a_reservation_keeps_the_second_fleet_release_out(world: World) -> None:
    order, goal = order_for(world, C, run="run-1")
    Transaction(make_host(world), order).preview(goal, "settled", reserve=True)
    assert not world.locked
    other, goal = order_for(world, D, run="run-2")
    with pytest.raises(LockedError, match="run-1"):
        Transaction(make_host(world), other).preview(goal, "settled", reserve=True)
    assert revert(world, "run-1") is None
    assert world.lease is None


def test_nothing_to_do_reserves_nothing(world: World) -> None:
    order, goal = order_for(world, B, run="run-1")
    Transaction(make_host(world), order).preview(goal, "settled", reserve=True)
    assert world.lease is None


def test_a_run_without_anything_left_to_do_still_ends(world: World) -> None:
    # The first release of a bare droplet has no old container to settle.
    world.containers.clear()
    world.images.clear()
    world.journal.clear()
    world.file = world.runtime = None
    phases: tuple[Phase, ...] = ("staged", "live", "settled")
    for phase in phases:
        last = release(world, C, run="run-1", phase=phase)
    assert [done.step for done in last.done] == ["commit"]
    assert observe(make_host(world)).history.run("run-1").state is State.SETTLED


def test_going_back_is_counted_and_written_down(world: World) -> None:
    world.behaviour[C] = "sick later"
    with pytest.raises(Failure) as caught:
        release(world, C)
    assert caught.value.back_seconds is not None
    (reverted,) = events(world, "reverted")
    assert reverted["back_seconds"] == caught.value.back_seconds
    assert reverted["step"] == "watch"
    assert "gate" in str(reverted["seconds"])


@pytest.mark.parametrize("effect", ["pointer file", "pointer"])
def test_what_traffic_may_still_reach_goes_on_running(world: World, effect: str) -> None:
    world.behaviour[C] = "sick later"
    world.broken = {effect: C}
    with pytest.raises(Failure, match="goes on running, because traffic may still reach it"):
        release(world, C)
    world.broken.clear()
    assert {c.sha for c in world.containers.values() if c.running} == {B, C}
    world.behaviour.clear()
    release(world, D)
    assert live_and_standby(world)[0] == D
    assert len(world.containers) == 2
    assert_consistent(world)


def test_a_canary_that_cannot_be_ended_keeps_its_container(world: World) -> None:
    world.behaviour[C] = "errors"
    world.broken = {"end canary": B}
    with pytest.raises(Failure, match="could not end the canary") as caught:
        release(world, C, canary=CANARY)
    assert "the canary is over" not in str(caught.value)
    assert {c.sha for c in world.containers.values() if c.running} == {B, C}
    world.broken.clear()
    release(world, D)
    assert (world.canary, world.percent) == (None, 0)
    assert live_and_standby(world) == (D, B)
    assert_consistent(world)


def test_a_canary_whose_end_is_refused_once_ends_all_the_same(world: World) -> None:
    world.behaviour[C] = "errors"
    for point in range(1, 40):
        world.faults = {len(world.effects) + point: "before"}
        with pytest.raises(GreenlightError) as caught:
            release(world, C, canary=CANARY)
        if "refused: end canary" in world.effects:
            break
        world.images.pop(C, None)
    assert "the canary is over" in str(caught.value)
    assert live_and_standby(world) == (B, A)
    assert [c.sha for c in world.containers.values() if c.running] == [B]


def test_an_old_container_that_cannot_be_started_leaves_the_new_one(world: World) -> None:
    release(world, C, run="run-1", phase="live")
    old = next(c for c in world.containers.values() if c.sha == B)
    world.containers[old.id] = dataclasses.replace(old, state="exited", restart_policy="no")
    world.faults = {len(world.effects) + 1: "before"}
    outcome = revert(world, "run-1")
    assert outcome is not None
    assert "could not start" in outcome.done[0].text
    assert "goes on running" in outcome.done[0].text
    assert world.serving() is not None


def test_a_run_whose_end_cannot_be_written_says_that_the_new_release_serves(world: World) -> None:
    world.broken = {"journal": C}
    with pytest.raises(Failure) as caught:
        release(world, C)
    assert caught.value.step == "cut over"
    world.broken = {"end lease": C}
    release(world, C, run="run-1", phase="live")
    with pytest.raises(Failure) as caught:
        release(world, C, run="run-1", phase="settled")
    assert caught.value.step == "finish"
    assert caught.value.serving.startswith(C)
    assert "the release is final; this host completes" in str(caught.value)
    world.broken.clear()
    release(world, C, run="run-1")
    assert live_and_standby(world) == (C, B)
    assert_consistent(world)
