# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback and revert by the command: the same transaction, with what the host knows."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._cli import actions
from ansible_collections.greenlight.droplet.plugins.module_utils._core import files
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    GreenlightError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release import entrypoint
from tests.unit.release.fakes import APPLICATION, answer_from
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import release, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C = (sha_of(name) for name in "abc")


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A droplet with B live and A as the standby, reached by the command."""
    world = World()
    http = "ansible_collections.greenlight.droplet.plugins.module_utils._core.http.get"
    monkeypatch.setattr(http, answer_from(world))
    release(world, A)
    release(world, B)
    for module in (actions, entrypoint):
        monkeypatch.setattr(module, "open_host", lambda _app: make_host(world))
        monkeypatch.setattr(module, "read_application", lambda _app: APPLICATION)
    monkeypatch.setattr(files, "read_damaged_text", lambda _path: "")
    return world


def test_a_rollback_shows_each_step_and_what_serves(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    said = actions.rollback("api", "", "", with_defaults=False)
    assert live_and_standby(world) == (A, B)
    assert_consistent(world)
    assert f"serving now: {A} in slot blue" in said
    steps = [line.split("  ")[1] for line in capsys.readouterr().out.splitlines()]
    assert steps[:4] == ["start standby", "gate", "confirm", "cut over"]
    assert steps[-2:] == ["drain", "retire"]
    history = make_host(world).journal.read()
    assert history.run(history.entries[-1].run).begin["holder"].endswith("(console)")


def test_a_rollback_that_fails_says_the_reason_first(world: World) -> None:
    world.behaviour[A] = "sick"
    with pytest.raises(GreenlightError) as caught:
        actions.rollback("api", "", "", with_defaults=False)
    assert str(caught.value).splitlines()[0].startswith("Rollback of")
    assert live_and_standby(world) == (B, A)


def test_an_image_without_its_settings_is_not_started_unasked(world: World) -> None:
    release(world, C)
    before = dict(world.containers)
    for sha in ("zzz", A[:8]):
        with pytest.raises(SpecError):
            actions.rollback("api", sha, "", with_defaults=False)
        assert world.containers == before
    said = actions.rollback("api", A[:8], "", with_defaults=True)
    assert f"serving now: {A}" in said
    assert live_and_standby(world) == (A, C)


def test_no_image_is_removed_from_the_console(world: World) -> None:
    for name in "cdefgh":
        release(world, sha_of(name), retain=10)
    before = set(world.images)
    actions.rollback("api", "", "", with_defaults=False)
    assert set(world.images) == before


def test_a_lost_terminal_does_not_end_the_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_words: t.Any, **_named: t.Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", gone)
    actions.rollback("api", "", "", with_defaults=False)
    assert live_and_standby(world) == (A, B)


def test_revert_takes_back_the_unfinished_run(world: World) -> None:
    release(world, C, "live", run="half-way")
    assert live_and_standby(world)[0] == C
    assert actions.revert("api", "") == "the run is taken back"
    assert live_and_standby(world) == (B, A)
    assert_consistent(world)
    assert "no run is under way" in actions.revert("api", "")
    assert "no run is under way" in actions.revert("api", "half-way")


def test_revert_warns_where_other_hosts_may_have_made_the_run_final(world: World) -> None:
    release(world, C, "proved", run="run-1")
    text = actions.revert("api", "")
    assert "others of its fleet may have made it final" in text
    release(world, C, "live", run="run-2")
    assert "may have made it final" not in actions.revert("api", "")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (
            {"path": "/ready", "expect": "a", "headers": {"X": "y"}},
            {"expect": "a", "path": "/ready"},
        ),
        ({"path": 5, "deadline": 9.0, "of_later": 1}, {"path": "/v1/health", "deadline": 9.0}),
        ({}, {"path": "/v1/health", "headers": {}}),
    ],
)
def test_the_health_check_is_the_one_that_set_up_was_told(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, t.Any], found: dict[str, t.Any]
) -> None:
    monkeypatch.setattr(actions, "read_check", lambda _text, _backend: told)
    health = actions._params(APPLICATION, "run")["health"]
    assert {name: health[name] for name in found} == found
    assert "of_later" not in health
