# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of an image that was pulled for a release that failed, and what is said of it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import EngineError
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from tests.unit.release.fakes import FakeEngine
from tests.unit.release.orders import release, sha_of
from tests.unit.release.states import live_and_standby
from tests.unit.release.world import World

A, B, C = (sha_of(name) for name in "abc")


def refuse(_engine: FakeEngine, *_values: t.Any) -> t.NoReturn:
    """Stand for a Docker that refuses."""
    raise EngineError("refused")


def fails(world: World, sha: str, **values: t.Any) -> Failure:
    """Release, and return the error that it ends with."""
    with pytest.raises(Failure) as caught:
        release(world, sha, **values)
    return caught.value


@pytest.mark.parametrize("fault", ["revision", "root"])
def test_an_image_of_no_use_is_removed_again(world: World, fault: str) -> None:
    release(world, A)
    if fault == "root":
        world.user = "root"
        failure = fails(world, B)
    else:
        failure = fails(world, C, digest=f"sha256:{B}")
    assert failure.step == "pull"
    assert failure.outcome == "nothing was started, nothing has changed"
    assert list(world.images) == [A]


def test_an_image_of_no_use_that_cannot_be_removed_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "remove_image", refuse)
    failure = fails(world, C, digest=f"sha256:{B}")
    assert "The image that was pulled stays on the host: refused" in failure.reason


def test_an_image_that_was_there_before_stays(world: World) -> None:
    release(world, A)
    world.user = "root"
    release(world, B, allow_root=True)
    release(world, A)
    failure = fails(world, B, env={"NEW": "1"})
    assert "runs as root" in failure.reason
    assert sorted(world.images) == sorted([A, B])


def test_nothing_has_changed_is_not_said_of_a_host_that_keeps_the_image(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(world, A)
    monkeypatch.setattr(FakeEngine, "create", refuse)
    failure = fails(world, B)
    assert failure.step == "start"
    assert "nothing has changed" not in failure.outcome
    assert "the image that was pulled stays on this host" in failure.outcome
    assert B in world.images
    assert live_and_standby(world) == (A, "")
