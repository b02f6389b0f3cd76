# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be stopped or removed, as the proxy and Docker have it."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import CheckError
from ansible_collections.greenlight.droplet.plugins.module_utils._release import traffic
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import release, sha_of
from tests.unit.release.world import World

A, B, C = (sha_of(name) for name in "abc")


@pytest.fixture(name="world")
def fixture_released(world: World) -> World:
    """A droplet with release A live."""
    release(world, A)
    return world


def test_what_has_ended_in_the_slot_that_serves_may_be_removed(world: World) -> None:
    release(world, B)
    release(world, C, phase="live")
    host = make_host(world)
    snapshot = observe(host)
    old = next(c for c in snapshot.containers if c.sha == A)
    assert snapshot.live is not None
    assert snapshot.live.slot == old.slot
    traffic.assert_not_live(host, old, snapshot.live)
    # Whoever believes that the old one serves is told the truth all the same.
    traffic.assert_not_live(host, old, old)
    with pytest.raises(CheckError, match="is what serves now"):
        traffic.assert_not_live(host, snapshot.live, old)


@pytest.mark.parametrize("known", [True, False])
def test_what_runs_in_the_other_slot_may_be_stopped(world: World, known: bool) -> None:
    release(world, B, standby="warm")
    host = make_host(world)
    snapshot = observe(host)
    assert snapshot.standby is not None
    assert snapshot.standby.running
    traffic.assert_not_live(host, snapshot.standby, snapshot.live if known else None)
    with pytest.raises(CheckError, match="is what serves now"):
        traffic.assert_not_live(host, snapshot.live, snapshot.live if known else None)


def test_what_serves_is_not_stopped_though_the_pointer_was_led_to_the_other_slot(
    world: World,
) -> None:
    release(world, B)
    host = make_host(world)
    snapshot = observe(host)
    assert snapshot.live is not None
    assert snapshot.standby is not None
    world.file = world.runtime = snapshot.standby.slot
    # The standby behind the pointer does not run, so what has to serve again is the other one.
    with pytest.raises(CheckError, match="is what serves now"):
        traffic.assert_not_live(host, snapshot.live, snapshot.standby)


def test_what_haproxy_serves_now_is_not_stopped_whatever_its_file_says(world: World) -> None:
    host = make_host(world)
    live = observe(host).live
    world.file = None
    with pytest.raises(CheckError, match="is what serves now"):
        traffic.assert_not_live(host, live, live)


@pytest.mark.parametrize("way", ["file", "canary"])
def test_what_haproxy_may_lead_to_is_not_stopped(world: World, way: str) -> None:
    release(world, B, standby="warm")
    host = make_host(world)
    snapshot = observe(host)
    assert snapshot.standby is not None
    setattr(world, way, snapshot.standby.slot)
    with pytest.raises(CheckError, match="traffic may still be led"):
        traffic.assert_not_live(host, snapshot.standby, snapshot.live)
