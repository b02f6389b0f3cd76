# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL and power cut after every effect of a run, found by counting, not by a list."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from tests.unit.release.fakes import answer_from
from tests.unit.release.orders import release, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import KilledError, World

A, B, C, D = (sha_of(name) for name in "abcd")


def kill_points(world: World, work: t.Callable[[], object]) -> int:
    """Count the effects of a run on a droplet, without any kill."""
    before = len(world.effects)
    work()
    return len(world.effects) - before


def prepared(monkeypatch: pytest.MonkeyPatch) -> World:
    """A droplet with B live and A as standby."""
    world = World()
    monkeypatch.setattr(http, "get", answer_from(world))
    release(world, A)
    release(world, B)
    return world


@pytest.mark.parametrize("power_cut", [False, True])
@pytest.mark.parametrize("action", ["release", "rollback", "failing release"])
def test_killed_after_any_effect_it_serves_and_the_next_run_converges(
    monkeypatch: pytest.MonkeyPatch, action: str, power_cut: bool
) -> None:
    def work(world: World) -> None:
        if action == "rollback":
            rollback(world)
        elif action == "release":
            release(world, C)
        else:
            world.behaviour[C] = "sick later"
            with pytest.raises(Failure):
                release(world, C)

    clean = prepared(monkeypatch)
    points = kill_points(clean, lambda: work(clean))
    assert points > 8
    for point in range(1, points + 1):
        for following in (A, B, C, D, ""):
            world = prepared(monkeypatch)
            world.kill_after = len(world.effects) + point
            with pytest.raises(KilledError):
                work(world)
            world.kill_after = None
            world.locked = False
            if power_cut:
                world.reboot()
            assert world.serving() is not None, f"nothing serves after {world.effects[-1]}"
            world.behaviour.clear()
            if following:
                release(world, following)
                assert live_and_standby(world)[0] == following
            else:
                rollback(world)
            assert_consistent(world)
            assert len(world.containers) <= 2, f"left over after {world.effects[-1]}"
            assert all(image.tags for image in world.images.values()), "an image without our name"
            assert len(world.images) <= 5


@pytest.mark.parametrize("power_cut", [False, True])
def test_a_rollback_killed_and_repeated_never_returns_to_the_bad_release(
    monkeypatch: pytest.MonkeyPatch, power_cut: bool
) -> None:
    clean = prepared(monkeypatch)
    for point in range(1, kill_points(clean, lambda: rollback(clean)) + 1):
        world = prepared(monkeypatch)
        world.kill_after = len(world.effects) + point
        with pytest.raises(KilledError):
            rollback(world)
        world.kill_after, world.locked = None, False
        if power_cut:
            world.reboot()
        rollback(world)
        assert live_and_standby(world) == (A, B), f"killed after effect {point}"
        assert_consistent(world)


@pytest.mark.parametrize("following", [B, D])
def test_retention_holds_after_any_kill(monkeypatch: pytest.MonkeyPatch, following: str) -> None:
    clean = prepared(monkeypatch)
    points = kill_points(clean, lambda: release(clean, C, retain=2))
    for point in range(1, points + 1):
        world = prepared(monkeypatch)
        world.kill_after = len(world.effects) + point
        with pytest.raises(KilledError):
            release(world, C, retain=2)
        world.kill_after, world.locked = None, False
        release(world, following, retain=2)
        assert len(world.images) <= 2, f"killed after effect {point}: {sorted(world.images)}"


@pytest.mark.parametrize("power_cut", [False, True])
def test_a_rollback_after_a_killed_release_leaves_what_served_when_it_died(
    monkeypatch: pytest.MonkeyPatch, power_cut: bool
) -> None:
    clean = prepared(monkeypatch)
    found: set[str] = set()
    for point in range(1, kill_points(clean, lambda: release(clean, C)) + 1):
        world = prepared(monkeypatch)
        world.kill_after = len(world.effects) + point
        with pytest.raises(KilledError):
            release(world, C)
        world.kill_after, world.locked = None, False
        if power_cut:
            world.reboot()
        served = world.serving()
        assert served is not None
        rollback(world)
        wanted = B if served.sha == C else A
        assert live_and_standby(world)[0] == wanted, f"killed after {world.effects[point - 1]}"
        assert_consistent(world)
        found.add(served.sha)
    assert found == {B, C}
