# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two releases of one SHA, apart by the environment alone: told apart, and each can be named."""

from __future__ import annotations

import re

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from tests.unit.release.fakes import answer_from
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import release, rollback, sha_of
from tests.unit.release.states import assert_consistent
from tests.unit.release.world import World

A, B = (sha_of(name) for name in "ab")
DEBUG = {"LOG_LEVEL": "debug"}


@pytest.fixture(name="world")
def fixture_one_sha(world: World) -> World:
    """A droplet with A live, released twice with another environment."""
    release(world, A)
    world.now += 60
    release(world, A, env=DEBUG)
    return world


def pair(world: World) -> tuple[str, str]:
    """The releases that are live and standby."""
    snapshot = observe(make_host(world))
    assert snapshot.live is not None
    assert snapshot.standby is not None
    return snapshot.live.release, snapshot.standby.release


def test_what_a_rollback_says_to_name_leads_there(world: World) -> None:
    new, old = pair(world)
    rollback(world)
    assert pair(world) == (old, new)
    note = rollback(world).plan.goal.note
    assert note.count("(configuration ") == 2
    found = re.search(r"name it: app_release=(\S+)", note)
    assert found
    assert found[1] == new
    assert rollback(world, release=found[1]).done
    assert pair(world) == (new, old)
    # Typed twice it stays there.
    assert rollback(world, release=found[1]).plan.steps == ()
    assert_consistent(world)


def test_naming_the_sha_of_both_says_how_to_name_the_other(world: World) -> None:
    new, old = pair(world)
    outcome = rollback(world, A)
    assert outcome.plan.steps == ()
    assert f"app_release={old}" in outcome.plan.goal.note
    assert pair(world) == (new, old)


def test_a_release_that_is_not_there_is_refused_and_not_replaced_by_another(world: World) -> None:
    before = pair(world)
    with pytest.raises(SpecError, match="No container of release '2020'") as caught:
        rollback(world, release="2020")
    assert before[1] in str(caught.value)
    assert pair(world) == before


def test_a_failure_says_which_configuration_serves_and_is_back(world: World) -> None:
    live = observe(make_host(world)).live
    assert live is not None
    world.behaviour[A] = "sick later"
    with pytest.raises(Failure) as caught:
        release(world, A, env={"LOG_LEVEL": "trace"})
    assert f"{A} with configuration {live.config} in slot" in caught.value.serving
    assert f"back on {A[:7]} (configuration {live.config})" in caught.value.outcome


def test_a_release_has_one_name_on_all_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for seconds in (0, 5000):
        world = World()
        world.now += seconds
        monkeypatch.setattr(http, "get", answer_from(world))
        release(world, A, run="nightly-20261127T075800Z-815")
        names |= {container.release for container in world.containers.values()}
    assert names == {f"20261127T075800Z-{A[:7]}"}
