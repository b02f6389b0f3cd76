# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction on a droplet in memory: every way to go, and every step failing."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    LockedError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import (
    Failure,
    Outcome,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.transaction import (
    Transaction,
)
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import order_for, release, revert, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C, D = (sha_of(name) for name in "abcd")


def test_first_release_is_live_and_has_no_standby(world: World) -> None:
    outcome = release(world, A)
    assert [done.step for done in outcome.done] == [
        "pull",
        "start",
        "gate",
        "confirm",
        "cut over",
        "watch",
        "commit",
    ]
    assert live_and_standby(world) == (A, "")
    assert_consistent(world)


def test_second_release_keeps_the_first_as_stopped_standby(world: World) -> None:
    release(world, A)
    release(world, B)
    assert live_and_standby(world) == (B, A)
    standby = observe(make_host(world)).standby
    assert standby is not None
    assert standby.state == "exited"
    assert standby.restart_policy == "no"
    assert_consistent(world)


def test_third_release_removes_the_oldest_container(world: World) -> None:
    for sha in (A, B, C):
        release(world, sha)
    assert live_and_standby(world) == (C, B)
    assert sorted(c.sha for c in world.containers.values()) == sorted([B, C])


def test_same_again_does_nothing(world: World) -> None:
    release(world, A)
    effects = len(world.effects)
    outcome = release(world, A)
    assert outcome.plan.steps == ()
    assert outcome.done == []
    assert len(world.effects) == effects


def test_changed_environment_is_a_release_of_the_same_sha(world: World) -> None:
    release(world, A)
    release(world, A, env={"LOG_LEVEL": "debug"})
    assert live_and_standby(world) == (A, A)
    assert_consistent(world)


def test_dead_live_container_is_released_again(world: World) -> None:
    release(world, A)
    for key, container in world.containers.items():
        world.containers[key] = dataclasses.replace(container, state="exited")
    release(world, A)
    assert live_and_standby(world)[0] == A
    assert_consistent(world)


@pytest.mark.parametrize(
    ("behaviour", "step"),
    [("sick", "gate"), ("crash", "gate"), ("errors", "watch"), ("sick later", "watch")],
)
def test_bad_release_leaves_everything_as_it_was(world: World, behaviour: str, step: str) -> None:
    release(world, A)
    release(world, B)
    before = sorted(c.name for c in world.containers.values())
    world.behaviour[C] = behaviour
    with pytest.raises(Failure) as caught:
        release(world, C)
    assert caught.value.step == step
    assert caught.value.serving.startswith(B)
    assert len(caught.value.log_lines) == 20
    assert sorted(c.name for c in world.containers.values()) == before
    assert live_and_standby(world) == (B, A)
    assert_consistent(world)


def test_bad_first_release_leaves_nothing_live(world: World) -> None:
    world.behaviour[A] = "sick later"
    with pytest.raises(Failure, match="no release is live"):
        release(world, A)
    assert live_and_standby(world) == ("", "")
    assert world.file is None


def test_wrong_revision_label_is_refused_after_the_pull(world: World) -> None:
    release(world, A)
    digest = f"sha256:{B}"
    with pytest.raises(Failure, match=f"built from {B}, not from {C}"):
        release(world, C, digest=digest)
    assert live_and_standby(world) == (A, "")


def test_rollback_wakes_the_standby_and_again_changes_nothing(world: World) -> None:
    release(world, A)
    release(world, B)
    outcome = rollback(world)
    assert "start standby" in [done.step for done in outcome.done]
    assert live_and_standby(world) == (A, B)
    again = rollback(world)
    assert again.plan.steps == ()
    assert f"to return to {B[:7]} name it" in again.plan.goal.note
    assert rollback(world, B).done
    assert live_and_standby(world) == (B, A)
    assert_consistent(world)


def test_failed_rollback_keeps_the_standby(world: World) -> None:
    release(world, A)
    release(world, B)
    world.behaviour[A] = "sick"
    with pytest.raises(Failure, match="stopped again and kept"):
        rollback(world)
    assert live_and_standby(world) == (B, A)
    assert_consistent(world)


def test_rollback_to_a_retained_image_takes_the_present_configuration(world: World) -> None:
    for sha in (A, B, C):
        release(world, sha)
    outcome = rollback(world, A, env={"NEW": "1"})
    assert "present configuration" in outcome.plan.goal.note
    assert "pull" not in [done.step for done in outcome.done]
    assert live_and_standby(world) == (A, C)


def test_rollback_without_a_previous_release_says_so(world: World) -> None:
    release(world, A)
    with pytest.raises(SpecError, match="no previous release"):
        rollback(world)


def test_retention_spares_live_and_standby(world: World) -> None:
    for sha in (A, B, C, D):
        release(world, sha, retain=2)
    assert sorted(world.images) == sorted([C, D])


def phases(world: World, sha: str, run: str, upto: Phase) -> list[Outcome]:
    """Go through the phases as the playbook does, each twice."""
    outcomes: list[Outcome] = []
    names: tuple[Phase, ...] = ("staged", "live", "settled")
    for phase in names[: names.index(upto) + 1]:
        outcomes.append(release(world, sha, run=run, phase=phase))
        assert release(world, sha, run=run, phase=phase).done == []
    return outcomes


def test_staged_moves_no_traffic_and_live_stops_nothing(world: World) -> None:
    release(world, A)
    phases(world, B, "run-1", "staged")
    assert live_and_standby(world)[0] == A
    release(world, B, run="run-1", phase="live")
    assert all(c.running for c in world.containers.values())
    release(world, B, run="run-1", phase="settled")
    assert live_and_standby(world) == (B, A)
    assert world.lease is None
    assert_consistent(world)


@pytest.mark.parametrize("upto", ["staged", "live"])
def test_reverted_takes_back_exactly_this_run(world: World, upto: Phase) -> None:
    release(world, A)
    release(world, B)
    phases(world, C, "run-1", upto)
    assert revert(world, "another run") is None
    assert revert(world, "run-1") is not None
    assert live_and_standby(world) == (B, A)
    assert revert(world, "run-1") is None
    assert world.lease is None
    assert_consistent(world)


def test_reverted_refuses_a_settled_run(world: World) -> None:
    release(world, A)
    phases(world, B, "run-1", "settled")
    with pytest.raises(SpecError, match="is final"):
        revert(world, "run-1")
    assert live_and_standby(world) == (B, A)


def test_a_run_that_another_has_taken_back_has_nothing_to_revert(world: World) -> None:
    release(world, A)
    release(world, B, run="run-1", phase="live")
    world.now += 301
    notes = release(world, C).notes
    assert notes[0].startswith("run run-1 was left half way: the pointer is back on")
    assert revert(world, "run-1") is None
    assert live_and_standby(world) == (C, A)
    assert_consistent(world)


def test_a_lease_keeps_others_out_until_it_ends_or_is_broken(world: World) -> None:
    release(world, A)
    release(world, B, run="run-1", phase="staged")
    with pytest.raises(LockedError, match="run-1"):
        release(world, C)
    release(world, C, break_lease="controller died")
    assert any("lease-broken" in line and "controller died" in line for line in world.journal)
    release(world, D, run="run-2", phase="staged")
    world.now += 301
    release(world, A)
    assert_consistent(world)


def test_preview_is_what_the_run_does(world: World) -> None:
    release(world, A)
    order, goal = order_for(world, B)
    preview = Transaction(make_host(world), order).preview(goal, "settled")
    outcome = Transaction(make_host(world), order).run(goal, "settled")
    assert [s.kind.value for s in preview.plan.steps] == [d.step for d in outcome.done]
