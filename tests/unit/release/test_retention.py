# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that others use, that were untagged or rebuilt: no release fails because of one."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import EngineError
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Outcome
from tests.unit.release.fakes import FakeEngine
from tests.unit.release.orders import release, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C, D, E = (sha_of(name) for name in "abcde")


def steps_of(outcome: Outcome) -> list[str]:
    """Return the names of the steps that were done."""
    return [done.step for done in outcome.done]


def prune(world: World) -> None:
    """Do what 'docker system prune -af' does: names go, and images that nobody uses."""
    ours = {c.image for c in world.containers.values()} | set(world.users)
    for key, image in list(world.images.items()):
        if image.id in ours:
            world.images[key] = dataclasses.replace(image, tags=())
        else:
            del world.images[key]


def give_name(world: World, sha: str, name: str) -> None:
    """Let somebody else name an image."""
    image = world.images[sha]
    world.images[sha] = dataclasses.replace(image, tags=(*image.tags, name))


def test_an_image_that_another_container_uses_stays_and_is_named(world: World) -> None:
    release(world, A)
    world.users[f"image-{A}"] = "neighbour"
    for sha in (B, C, D):
        outcome = release(world, sha, retain=2)
    assert live_and_standby(world) == (D, C)
    (note,) = outcome.notes
    assert A[:7] in note
    assert "neighbour" in note
    assert world.images[A].tags == (f"greenlight/api:{A}",)
    assert world.images[A].digests
    assert sorted(world.images) == sorted([A, C, D])
    # What stays is no work for a run that has nothing else to do.
    assert release(world, D, retain=2).plan.steps == ()
    world.users.clear()
    assert steps_of(release(world, D, retain=2)) == ["retain"]
    assert sorted(world.images) == sorted([C, D])


def test_a_container_that_began_to_use_an_image_after_the_plan_fails_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sha in (A, B):
        release(world, sha)

    def refuse(_engine: FakeEngine, reference: str) -> t.NoReturn:
        raise EngineError(f"conflict: {reference} is used by stopped container 0123")

    monkeypatch.setattr(FakeEngine, "remove_image", refuse)
    outcome = release(world, C, retain=2)
    assert live_and_standby(world) == (C, B)
    assert world.lease is None
    assert f"{A[:7]} stays (conflict" in outcome.done[-1].text


@pytest.mark.parametrize("fault", [EngineError("Docker did not answer"), KeyError("Id")])
def test_images_that_cannot_be_listed_at_the_end_fail_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    for sha in (A, B):
        release(world, sha)
    listed = FakeEngine.images

    def images(engine: FakeEngine, app: str) -> t.Any:
        if "end lease" not in world.effects and "stop" in world.effects:
            raise fault
        return listed(engine, app)

    world.effects.clear()
    monkeypatch.setattr(FakeEngine, "images", images)
    outcome = release(world, C, retain=2)
    assert live_and_standby(world) == (C, B)
    assert "left to the next release" in outcome.done[-1].text
    assert world.lease is None


@pytest.mark.parametrize("name", ["greenlight/worker", "somebody/elses"])
def test_a_name_of_somebody_elses_stays(world: World, name: str) -> None:
    release(world, A)
    give_name(world, A, f"{name}:{A}")
    world.users[f"image-{A}"] = "worker-blue-1"
    for sha in (B, C):
        outcome = release(world, sha, retain=2)
    assert outcome.notes == []
    assert world.images[A].tags == (f"{name}:{A}",)
    assert world.images[A].digests


def test_pruned_names_come_back_and_no_image_of_a_container_counts_as_stray(world: World) -> None:
    for sha in (A, B):
        release(world, sha)
    prune(world)
    outcome = release(world, B)
    assert steps_of(outcome) == ["retain", "retain"]
    assert sorted(image.tags[0] for image in world.images.values()) == sorted(
        [f"greenlight/api:{A}", f"greenlight/api:{B}"]
    )
    assert release(world, B).plan.steps == ()
    prune(world)
    release(world, C)
    assert live_and_standby(world) == (C, B)
    assert sorted(world.images) == sorted([B, C])
    assert rollback(world).done
    assert live_and_standby(world) == (B, C)
    assert_consistent(world)


def test_a_sha_that_was_rebuilt_keeps_the_image_of_its_standby(world: World) -> None:
    release(world, A)
    digest = f"sha256:{sha_of('rebuilt')}"
    world.revisions[digest] = A
    outcome = release(world, A, digest=digest)
    assert live_and_standby(world) == (A, A)
    assert outcome.notes == []
    assert len(world.images) == 2
    assert release(world, A, digest=digest).plan.steps == ()
    # The name leads to what was built last, and the earlier build goes with its container.
    assert world.images[sha_of("rebuilt")].tags == (f"greenlight/api:{A}",)
    for sha in (B, C):
        release(world, sha)
    assert sorted(world.images) == sorted([sha_of("rebuilt"), B, C])


def test_two_builds_of_a_sha_without_names_both_stay(world: World) -> None:
    release(world, A)
    prune(world)
    digest = f"sha256:{sha_of('rebuilt')}"
    world.revisions[digest] = A
    release(world, A, digest=digest)
    assert world.images[sha_of("rebuilt")].tags == (f"greenlight/api:{A}",)
    assert len(world.images) == 2
