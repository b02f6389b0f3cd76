# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's line in which a run began is damaged, or is JSON with values of other types."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._release.watchdog import Watchdog
from ansible_collections.greenlight.droplet.plugins.module_utils._state.journal import parse
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import release, revert, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C = (sha_of(name) for name in "abc")

WRONG: list[dict[str, t.Any]] = [
    {"drain_seconds": "soon"},
    {"drain_seconds": [1]},
    {"drain_seconds": True},
    {"stop_timeout": {}},
    {"health": [1]},
    {"drain_seconds": None},
    {"health": "GET /"},
    {"health": {"deadline": "soon"}},
    {"watch": [1]},
    {"watch": {"seconds": "1"}},
    {"health": {"status": 200}},
    {"health": {"path": 5}},
    {"origin": {"release": 5}},
    {"first": "yes"},
]


def change_begin(world: World, change: t.Callable[[dict[str, t.Any]], str]) -> None:
    """Change the line in which the last run began."""
    (at, *_rest) = [i for i, line in enumerate(world.journal) if '"begin"' in line][::-1]
    world.journal[at] = change(json.loads(world.journal[at]))


def let_time_pass(world: World) -> str:
    """Let the host's watchdog look until the run is over; return what it said."""
    world.now += 400
    watchdog = Watchdog(make_host(world))
    said = [watchdog.look() for _number in range(20)]
    return next((text for text in said if text), "")


OTHER_VERSIONS: list[dict[str, t.Any]] = [
    {"health": {"path": "/"}},
    {"health": {}, "watch": {}},
    {"watch": {"seconds": 1}},
    {"watch": {"surprise": 1}},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_begin_of_wrong_types_is_a_damaged_line(wrong: dict[str, t.Any]) -> None:
    line = json.dumps({"event": "begin", "run": "r", "time": "t", **wrong})
    assert parse(line) == ([], 1)


def test_a_begin_of_an_earlier_version_is_whole() -> None:
    line = json.dumps({"event": "begin", "run": "r", "time": "t", "origin": None})
    assert parse(line)[1] == 0


@pytest.mark.parametrize("wrong", [*WRONG, None], ids=str)
def test_a_host_whose_begin_is_damaged_goes_on_serving(
    world: World, wrong: dict[str, t.Any] | None
) -> None:
    release(world, A)
    release(world, B, run="r", phase="live")
    change_begin(world, lambda raw: json.dumps({**raw, **wrong}) if wrong else "{torn")
    said = let_time_pass(world)
    live = world.serving()
    assert live is not None
    assert "damaged" in said
    assert world.lease is None
    release(world, C)
    assert live_and_standby(world)[0] == C
    assert_consistent(world)


@pytest.mark.parametrize("other", OTHER_VERSIONS, ids=str)
def test_what_another_version_wrote_down_is_taken_back_all_the_same(
    world: World, other: dict[str, t.Any]
) -> None:
    release(world, A)
    release(world, B, run="r", phase="live")
    change_begin(world, lambda raw: json.dumps({**raw, **other}))
    assert "was taken back" in let_time_pass(world)
    assert live_and_standby(world)[0] == A
    assert_consistent(world)


def test_taking_back_a_run_without_its_begin_is_refused(world: World) -> None:
    release(world, A)
    release(world, B, run="r", phase="live")
    change_begin(world, lambda _raw: "{torn")
    with pytest.raises(SpecError, match="damaged"):
        revert(world, "r")
    assert world.runtime is not None
