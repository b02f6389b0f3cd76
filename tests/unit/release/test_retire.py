# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a warm standby: only what nothing leads to is stopped."""

from __future__ import annotations

import json

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    LockedError,
    ProxyError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy.runtime_api import Route
from ansible_collections.greenlight.droplet.plugins.module_utils._release import retire
from tests.unit.release.fakes import FakeProxy
from tests.unit.release.host_state import FakeLock, make_host
from tests.unit.release.orders import release, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B = sha_of("a"), sha_of("b")


@pytest.fixture(name="standby")
def fixture_standby(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """The identifier of A's container, which goes on running while B is live."""
    release(world, A)
    release(world, B, standby="warm", warm_seconds=60.0)
    monkeypatch.setattr(retire, "open_host", lambda _app: make_host(world))
    return world.ending


def test_it_is_stopped_and_kept(world: World, standby: str) -> None:
    assert retire.retire("api", standby, 5) == "stopped, kept for rollback"
    assert world.containers[standby].state == "exited"
    assert live_and_standby(world) == (B, A)
    assert json.loads(world.journal[-1])["event"] == "retired"
    assert json.loads(world.journal[-1])["sha"] == A
    assert retire.retire("api", standby, 5) == "the container is stopped already"
    assert_consistent(world)


def test_what_became_live_meanwhile_is_left_alone(world: World, standby: str) -> None:
    rollback(world)
    assert "is led to" in retire.retire("api", standby, 5)
    assert live_and_standby(world) == (A, B)
    assert_consistent(world)


@pytest.mark.parametrize("place", ["file", "runtime", "canary"])
def test_any_map_that_leads_to_it_keeps_it(world: World, standby: str, place: str) -> None:
    setattr(world, place, world.containers[standby].slot)
    assert "is led to" in retire.retire("api", standby, 5)
    assert world.containers[standby].running


def test_without_an_answer_of_haproxy_nothing_is_stopped(
    world: World, standby: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Route(world.file, None, answered=False)
    monkeypatch.setattr(FakeProxy, "read_route", lambda _proxy: dead)
    with pytest.raises(ProxyError, match="nothing was stopped"):
        retire.retire("api", standby, 5)
    assert world.containers[standby].running
    assert not world.locked


def test_a_container_that_is_gone_is_no_error(world: World, standby: str) -> None:
    del world.containers[standby]
    assert "nothing was stopped" in retire.retire("api", standby, 5)


def test_without_the_lock_nothing_is_stopped(
    world: World, standby: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def held(_lock: FakeLock, *words: object) -> None:
        asked.extend(words)
        raise LockedError("held")

    monkeypatch.setattr(FakeLock, "acquire", held)
    with pytest.raises(LockedError):
        retire.retire("api", standby, 5)
    # A run that waits for the lock recognizes the action and is patient.
    assert asked == ["", "timer", "retire", retire.LOCK_SECONDS]
    assert world.containers[standby].running
