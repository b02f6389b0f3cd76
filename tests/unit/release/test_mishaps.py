# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker remembers of a container: what was before its gate forgives, what is new condemns."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from ansible_collections.greenlight.droplet.plugins.module_utils._release.watchdog import Watchdog
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import release, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B = (sha_of(name) for name in "ab")

CRASHED: dict[str, t.Any] = {"restarts": 1}
PHASES: tuple[Phase, ...] = ("staged", "live", "proved", "committed", "settled")
KILLED: dict[str, t.Any] = {"restarts": 1, "out_of_memory": True}


def befalls(world: World, sha: str, mishap: dict[str, t.Any]) -> None:
    """Let something befall the container of a SHA, after which Docker has started it again."""
    for key, container in world.containers.items():
        if container.sha == sha:
            restarts = container.restarts + mishap["restarts"]
            changed = {**mishap, "restarts": restarts}
            world.containers[key] = dataclasses.replace(container, **changed)


@pytest.mark.parametrize("mishap", [CRASHED, KILLED], ids=str)
@pytest.mark.parametrize("mode", ["warm", "stopped"])
def test_a_standby_that_has_crashed_once_can_be_gone_back_to(
    world: World, mishap: dict[str, t.Any], mode: str
) -> None:
    release(world, A)
    befalls(world, A, mishap)
    release(world, B, standby=mode)
    rollback(world, standby=mode)
    assert live_and_standby(world) == (A, B)
    rollback(world, B, standby=mode)
    for phase in PHASES:
        rollback(world, A, phase, run="in-phases", standby=mode)
    assert live_and_standby(world) == (A, B)
    assert_consistent(world)


@pytest.mark.parametrize("mishap", [CRASHED, KILLED], ids=str)
@pytest.mark.parametrize("after", ["staged", "live"])
def test_what_befalls_it_between_two_calls_condemns_it(
    world: World, mishap: dict[str, t.Any], after: Phase
) -> None:
    release(world, A)
    release(world, B, run="r", phase="staged")
    if after == "live":
        release(world, B, run="r", phase="live")
    befalls(world, B, mishap)
    with pytest.raises(Failure, match=r"crashed|ran out of its memory"):
        release(world, B, run="r", phase="live" if after == "staged" else "proved")
    assert live_and_standby(world)[0] == A
    assert_consistent(world)


@pytest.mark.parametrize("mishap", [CRASHED, KILLED], ids=str)
def test_what_befalls_it_before_the_hosts_first_look_is_seen(
    world: World, mishap: dict[str, t.Any]
) -> None:
    release(world, A)
    release(world, B, run="r", phase="live")
    befalls(world, B, mishap)
    said = Watchdog(make_host(world)).look()
    assert "turned bad while other hosts were at work" in said
    assert live_and_standby(world)[0] == A
    assert_consistent(world)
