# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hands and crashes outside of a run leave behind, and how the next run takes it."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FileError,
    SpecError,
    TakenBackError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from ansible_collections.greenlight.droplet.plugins.module_utils._release.transaction import (
    Transaction,
)
from tests.unit.release.host_state import FakeJournal, make_host
from tests.unit.release.orders import order_for, release, revert, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C = (sha_of(name) for name in "abc")


def change(world: World, sha: str, **values: t.Any) -> None:
    """Change what Docker says of the container of a SHA, as somebody's hand or a crash would."""
    for key, container in world.containers.items():
        if container.sha == sha:
            world.containers[key] = dataclasses.replace(container, **values)


@pytest.mark.parametrize("journal_is_lost", [False, True])
@pytest.mark.parametrize("pointer", [None, "blue"])
def test_a_pointer_led_astray_comes_back_to_what_runs(
    world: World, pointer: str | None, journal_is_lost: bool
) -> None:
    release(world, A)
    release(world, B)
    world.file = world.runtime = pointer
    if journal_is_lost:
        world.journal.clear()
    outcome = release(world, B)
    assert {done.step for done in outcome.done} == {"repair"}
    # Without the journal nobody knows that the other container ever served.
    assert live_and_standby(world) == (B, "" if journal_is_lost else A)
    assert world.serving() is not None
    assert_consistent(world)


def test_a_previous_container_in_the_live_slot_is_not_woken(world: World) -> None:
    release(world, A)
    release(world, B)
    change(world, A, slot="green")
    outcome = rollback(world)
    assert "with the present configuration" in outcome.plan.goal.note
    assert live_and_standby(world) == (A, B)
    assert_consistent(world)


def test_a_run_taken_back_while_it_retires_leaves_a_host_that_reboots_well(world: World) -> None:
    release(world, A)
    release(world, B, run="run-1", phase="live")
    change(world, A, restart_policy="no")
    assert revert(world, "run-1") is not None
    world.reboot()
    assert live_and_standby(world) == (A, "")
    assert world.serving() is not None


@pytest.mark.parametrize("phase", ["live", "proved", "settled"])
@pytest.mark.parametrize("removed", [False, True])
def test_a_release_that_dies_after_its_cutover_never_costs_the_old_one(
    world: World, phase: Phase, removed: bool
) -> None:
    release(world, A)
    release(world, B, run="run-1", phase="live")
    change(world, B, state="restarting")
    if removed:
        world.containers = {k: c for k, c in world.containers.items() if c.sha != B}
    with pytest.raises(Failure):
        release(world, B, run="run-1", phase=phase)
    assert world.serving() is not None
    assert live_and_standby(world)[0] == A
    assert world.lease is None


def test_a_run_makes_its_container_once_whatever_its_options_say_later(world: World) -> None:
    release(world, A)
    made = set()
    phases: tuple[Phase, ...] = ("staged", "live", "proved", "settled")
    for number, phase in enumerate(phases):
        release(world, B, run="run-1", phase=phase, env={"AT": str(number)})
        made |= {c.id for c in world.containers.values() if c.sha == B}
    assert len(made) == 1
    assert live_and_standby(world) == (B, A)


def test_a_run_that_was_taken_back_does_not_begin_again_by_its_name(world: World) -> None:
    release(world, A)
    world.behaviour[B] = "sick later"
    with pytest.raises(Failure):
        release(world, B, run="run-1")
    # The answer was lost, and the connection asks again.
    with pytest.raises(TakenBackError, match="checks in a row failed"):
        release(world, B, run="run-1")
    assert live_and_standby(world)[0] == A


def test_the_standby_outlives_a_hand_that_took_its_container(world: World) -> None:
    release(world, A)
    release(world, B)
    world.containers = {k: c for k, c in world.containers.items() if c.sha != A}
    assert "present configuration" in rollback(world).plan.goal.note
    assert live_and_standby(world) == (A, B)
    release(world, C)
    world.containers = {k: c for k, c in world.containers.items() if c.sha != A}
    world.images = {k: i for k, i in world.images.items() if k != A}
    with pytest.raises(SpecError, match=f"pulled again: sha={A}"):
        rollback(world)


def test_a_run_that_takes_another_aim_goes_back_to_what_served_when_it_did(world: World) -> None:
    release(world, A)
    release(world, B, run="run-1", phase="live")
    release(world, C, run="run-1", phase="live")
    assert revert(world, "run-1") is not None
    assert live_and_standby(world)[0] == B
    assert_consistent(world)


def test_a_lost_restart_policy_and_a_left_over_canary_are_repaired(world: World) -> None:
    release(world, A)
    release(world, B)
    change(world, B, restart_policy="no")
    world.canary, world.percent = "green", 10
    assert [done.step for done in release(world, B).done] == ["repair", "repair"]
    assert vars(world)["canary"] is None
    assert vars(world)["percent"] == 0
    world.reboot()
    assert world.serving() is not None


def test_a_staged_rollback_to_a_warm_standby_forgets_its_end(world: World) -> None:
    release(world, A)
    release(world, B, standby="warm")
    assert world.ending
    rollback(world, run="run-1", phase="staged")
    assert not world.ending


def test_a_full_disk_is_said_before_anything_is_reserved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeJournal, "free_bytes", lambda _journal: 0)
    order, goal = order_for(world, C)
    with pytest.raises(FileError, match="is full"):
        Transaction(make_host(world), order).preview(goal, "settled", reserve=True)
    assert world.lease is None
