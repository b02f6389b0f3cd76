# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images are found again however Docker's store names them."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Kind
from ansible_collections.greenlight.droplet.plugins.module_utils._release.transaction import (
    Transaction,
)
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import order_for, release, sha_of
from tests.unit.release.world import World

A, B = sha_of("a"), sha_of("b")


@pytest.mark.parametrize(
    ("listed", "image"),
    [
        ("registry.test/api", "registry.test/api"),
        # containerd's store lists an image under our own name alone.
        ("greenlight/api", "registry.test/api"),
        # Docker lists those of Docker Hub by their shortest name.
        ("team/api", "docker.io/team/api"),
        ("api", "index.docker.io/library/api"),
    ],
)
def test_an_image_that_is_here_is_not_pulled(world: World, listed: str, image: str) -> None:
    release(world, A)
    release(world, B)
    found = world.images[A]
    world.images[A] = dataclasses.replace(found, digests=(f"{listed}@sha256:{A}",))
    order, goal = order_for(world, A, image=image, env={"NEW": "1"})
    steps = Transaction(make_host(world), order).preview(goal, "settled").plan.steps
    assert Kind.START in [step.kind for step in steps]
    assert Kind.PULL not in [step.kind for step in steps]


def test_an_image_of_docker_hub_that_lost_its_name_is_put_away(world: World) -> None:
    for name in ("a", "b", "c"):
        release(world, sha_of(name), image="docker.io/team/api", retain=2)
    # As a pull that was killed leaves it.
    world.images[A] = dataclasses.replace(
        world.images[B], id="image-lost", tags=(), digests=(f"team/api@sha256:{A}",)
    )
    world.images[A] = dataclasses.replace(
        world.images[A], labels={"org.opencontainers.image.revision": A}
    )
    release(world, sha_of("d"), image="docker.io/team/api", retain=2)
    assert A not in world.images
