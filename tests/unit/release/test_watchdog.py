# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that nobody goes on with is put right by the host alone, wherever it was cut off."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import TakenBackError
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from ansible_collections.greenlight.droplet.plugins.module_utils._release.watchdog import (
    DEATH_SECONDS,
    INTERVAL,
    Watchdog,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.history import State
from tests.unit.release.fakes import answer_from
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import release, revert, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import KilledError, World

A, B, C, D = (sha_of(name) for name in "abcd")
PHASES: tuple[Phase, ...] = ("staged", "live", "proved", "committed", "settled")
LEASE = 120.0


def prepared(monkeypatch: pytest.MonkeyPatch) -> World:
    """A droplet with B live and A as standby."""
    world = World()
    monkeypatch.setattr(http, "get", answer_from(world))
    release(world, A)
    release(world, B)
    return world


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return prepared(monkeypatch)


def state_of(world: World, run: str = "run-1") -> State:
    """Where a run stands according to the journal."""
    return observe(make_host(world)).history.run(run).state


def through(world: World, phase: Phase, sha: str = C) -> None:
    """Carry out all phases of a fleet release up to this one."""
    for each in PHASES[: PHASES.index(phase) + 1]:
        release(world, sha, run="run-1", phase=each)


def whole(world: World) -> None:
    """All phases in one call, as on a fleet of one host."""
    release(world, C, run="run-1")


def in_phases(world: World) -> None:
    """The calls of a fleet release one after another."""
    through(world, "settled")


def back(world: World) -> None:
    """A rollback in one call."""
    rollback(world, run="run-1")


@pytest.mark.parametrize("power_cut", [False, True])
@pytest.mark.parametrize("work", [whole, in_phases, back])
def test_after_a_kill_at_any_effect_the_host_puts_itself_right(
    monkeypatch: pytest.MonkeyPatch, work: t.Callable[[World], None], power_cut: bool
) -> None:
    clean = prepared(monkeypatch)
    before = len(clean.effects)
    work(clean)
    points = len(clean.effects) - before
    assert points > 10
    new = live_and_standby(clean)[0]
    for point in range(1, points + 1):
        world = prepared(monkeypatch)
        world.kill_after = len(world.effects) + point
        with pytest.raises(KilledError):
            work(world)
        last = world.effects[-1]
        world.kill_after, world.locked = None, False
        if power_cut:
            world.reboot()
        state = state_of(world)
        began = world.now
        if world.lease is not None:
            assert Watchdog(make_host(world)).run(), last
        assert world.now - began <= LEASE + DEATH_SECONDS + 2 * INTERVAL
        committed = state in (State.COMMITTED, State.SETTLED)
        assert live_and_standby(world)[0] == (new if committed else B), last
        assert world.lease is None, last
        assert len(world.containers) <= 2, f"left over after {last}"
        if state is not State.ABSENT and world.effects.count("lease"):
            assert state_of(world) in (State.SETTLED, State.REVERTED, State.BEGUN), last
        release(world, D)
        assert_consistent(world)


@pytest.mark.parametrize("phase", ["staged", "live", "proved"])
def test_a_run_that_nobody_goes_on_with_is_taken_back(world: World, phase: Phase) -> None:
    through(world, phase)
    watchdog = Watchdog(make_host(world))
    assert watchdog.look() == ""
    world.now += LEASE - 2 * INTERVAL
    assert watchdog.look() == "", "not before its time"
    world.now += 3 * INTERVAL
    assert "was taken back, because nobody has gone on with it for 120 s" in watchdog.look()
    assert live_and_standby(world) == (B, A)
    assert [c.sha for c in world.containers.values() if c.running] == [B]
    assert state_of(world) is State.REVERTED
    assert not world.locked


def test_a_run_that_is_final_is_brought_to_its_end(world: World) -> None:
    through(world, "committed")
    world.now += LEASE + 1
    assert "is final" in Watchdog(make_host(world)).look()
    assert live_and_standby(world) == (C, B)
    assert [c.sha for c in world.containers.values() if c.running] == [C]
    assert state_of(world) is State.SETTLED


def test_the_first_release_of_a_host_stays_when_its_run_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    monkeypatch.setattr(http, "get", answer_from(world))
    release(world, A, run="run-1", phase="live")
    world.now += LEASE + 1
    assert Watchdog(make_host(world)).look()
    assert live_and_standby(world) == (A, "")


def test_a_phase_renews_the_lease(world: World) -> None:
    watchdog = Watchdog(make_host(world))
    for phase in PHASES[:3]:
        through(world, phase)
        world.now += LEASE - 10
        assert watchdog.look() == ""


def test_a_release_that_turns_bad_between_two_phases_is_taken_back_at_once(world: World) -> None:
    through(world, "live")
    watchdog = Watchdog(make_host(world))
    assert watchdog.look() == ""
    world.behaviour[C] = "errors"
    said = ""
    began = world.now
    while not said and world.now - began < 30:
        said = watchdog.look()
        world.now += INTERVAL
    assert "it turned bad while other hosts were at work" in said
    assert world.now - began < LEASE / 4
    assert live_and_standby(world) == (B, A)
    with pytest.raises(TakenBackError, match="it turned bad"):
        release(world, C, run="run-1", phase="proved")
    assert live_and_standby(world) == (B, A)
    assert revert(world, "run-1") is None


def test_a_release_that_has_proved_itself_is_not_taken_back_but_by_time(world: World) -> None:
    through(world, "proved")
    world.behaviour[C] = "errors"
    watchdog = Watchdog(make_host(world))
    for _look in range(20):
        assert watchdog.look() == ""
        world.now += INTERVAL


def test_a_process_at_work_is_left_alone_however_long_it_takes(world: World) -> None:
    through(world, "staged")
    assert world.lease is not None
    world.lease = dataclasses.replace(world.lease, working=True)
    world.locked = True
    watchdog = Watchdog(make_host(world))
    for _look in range(400):
        assert watchdog.look() == ""
        world.now += INTERVAL
    assert state_of(world) is State.STAGED


def test_another_run_is_never_touched(world: World) -> None:
    through(world, "live")
    watchdog = Watchdog(make_host(world))
    assert watchdog.look() == ""
    world.now += LEASE + 1
    release(world, D, run="run-2", phase="live")
    for _look in range(5):
        watchdog.look()
        world.now += INTERVAL
    assert live_and_standby(world)[0] == D
    assert state_of(world, "run-2") is State.LIVE


def test_a_run_whose_lease_was_lost_over_a_reboot_is_taken_back(world: World) -> None:
    through(world, "live")
    world.lease = None
    world.reboot()
    assert "was taken back" in Watchdog(make_host(world)).run()
    assert live_and_standby(world) == (B, A)


def test_a_first_release_of_one_host_goes_when_the_others_have_something_to_go_back_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    monkeypatch.setattr(http, "get", answer_from(world))
    release(world, A, run="run-1", phase="live", first=False)
    world.now += LEASE + 1
    assert "was taken back" in Watchdog(make_host(world)).look()
    assert live_and_standby(world) == ("", "")


def test_a_first_release_that_turns_bad_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(http, "get", answer_from(world))
    release(world, A, run="run-1", phase="live")
    world.behaviour[A] = "errors"
    assert "turned bad" in Watchdog(make_host(world)).run()
    with pytest.raises(TakenBackError):
        release(world, A, run="run-1", phase="proved")


def test_what_cannot_be_put_right_at_once_is_tried_again(world: World) -> None:
    through(world, "live")
    world.now += LEASE + 1
    world.broken = {"pointer": C}
    watchdog = Watchdog(make_host(world))
    assert watchdog.look() == ""
    assert state_of(world) is State.LIVE
    assert world.lease is not None
    world.broken = {}
    assert "was taken back" in watchdog.look()
    assert live_and_standby(world) == (B, A)
    assert world.lease is None


def test_a_lease_that_was_removed_by_hand_still_ends(world: World) -> None:
    through(world, "live")
    watchdog = Watchdog(make_host(world))
    assert watchdog.look() == ""
    world.lease = None
    world.now += LEASE + 1
    assert "was taken back" in watchdog.look()
    assert live_and_standby(world) == (B, A)


def test_what_failed_by_itself_leaves_nothing_to_watch(world: World) -> None:
    world.behaviour[C] = "sick later"
    with pytest.raises(Failure):
        release(world, C, run="run-1")
    assert world.lease is None
    assert Watchdog(make_host(world)).look() == "no run is under way"


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_rollback_after_a_release_that_was_cut_off_goes_back_once(
    world: World, taken_back: bool
) -> None:
    through(world, "live")
    world.now += LEASE + 1
    if taken_back:
        Watchdog(make_host(world)).look()
    outcome = rollback(world)
    assert "was taken back already" in outcome.plan.goal.note
    assert live_and_standby(world) == (B, A)
    rollback(world, A)
    assert live_and_standby(world) == (A, B)


def test_a_rollback_after_a_release_that_never_served_goes_to_the_one_before(world: World) -> None:
    through(world, "staged")
    world.now += LEASE + 1
    assert Watchdog(make_host(world)).look()
    rollback(world)
    assert live_and_standby(world) == (A, B)


def test_a_run_arms_the_watchdog_before_its_first_container(world: World) -> None:
    before = len(world.effects)
    whole(world)
    effects = world.effects[before:]
    assert effects.index("arm watchdog") < effects.index("create")
