# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose containers were labelled with a hash without a key are taken over as they are."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._release import entrypoint
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from tests.unit.release.fakes import APPLICATION
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import order_for, parameters, release, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C = (sha_of(name) for name in "abc")
SECRETS = {"PIN": "4711"}


def unkeyed() -> str:
    """The hash that an earlier commit gave to what these tests release."""
    order, _goal = order_for(World(), A, secrets=SECRETS)
    return order.container.config_hash(APPLICATION.container_port, b"").unkeyed


@pytest.fixture(name="world")
def fixture_earlier(world: World) -> World:
    """A droplet with B live and A as the standby, both released by an earlier commit."""
    release(world, A, secrets=SECRETS)
    release(world, B, secrets=SECRETS)
    old = unkeyed()
    for key, container in world.containers.items():
        world.containers[key] = dataclasses.replace(container, config_label=old)
    lines = [json.loads(line) for line in world.journal]
    world.journal[:] = [json.dumps({**x, "config": old} if "config" in x else x) for x in lines]
    world.hash_key = b""
    world.effects.clear()
    return world


def called(world: World, monkeypatch: pytest.MonkeyPatch, **values: t.Any) -> dict[str, t.Any]:
    """Call module release for B, as Ansible does."""
    monkeypatch.setattr(entrypoint, "read_application", lambda _app: APPLICATION)
    monkeypatch.setattr(entrypoint, "open_host", lambda _app: make_host(world))
    params = parameters(sha=B, digest=f"sha256:{B}", secrets=SECRETS, **values)
    return entrypoint.call("release", params, check_mode=False)


def test_the_same_release_again_changes_nothing(world: World) -> None:
    assert release(world, B, secrets=SECRETS).done == []
    assert world.effects == []
    assert world.hash_key == b""


def test_another_configuration_is_a_release_and_labelled_with_a_key(world: World) -> None:
    assert release(world, B, secrets={"PIN": "4712"}).done
    live = observe(make_host(world)).live
    assert live is not None
    assert len(live.config) == 32
    assert world.hash_key
    assert world.effects.index("hash key") < world.effects.index("create")
    assert live_and_standby(world) == (B, B)
    assert release(world, B, secrets={"PIN": "4712"}).done == []
    assert_consistent(world)


def test_a_rollback_leads_to_a_container_from_before_and_a_release_leads_on(world: World) -> None:
    steps = [done.step for done in rollback(world, secrets=SECRETS).done]
    assert "start standby" in steps
    assert live_and_standby(world) == (A, B)
    assert release(world, A, secrets=SECRETS).done == []
    release(world, C, secrets=SECRETS)
    assert live_and_standby(world) == (C, A)
    rollback(world, secrets=SECRETS)
    assert live_and_standby(world) == (A, C)
    assert_consistent(world)


def test_the_hash_without_a_key_is_shown_nowhere_and_not_written_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(world.journal)
    found = called(world, monkeypatch)
    assert found["changed"] is False
    assert found["live"]["config"] == ""
    rolled = rollback(world, secrets=SECRETS)
    told = [json.dumps(found), repr(rolled.plan), repr(rolled.done), *world.journal[before:]]
    assert not [text for text in told if unkeyed() in text]
    entries = make_host(world).journal.read().entries
    assert unkeyed() not in repr(entries)
    assert {entry.data["config"] for entry in entries if "config" in entry.data} == {""}


@pytest.mark.parametrize("phase", ["planned", "settled"])
def test_the_hash_that_is_told_is_the_one_of_the_label(
    world: World, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    release(world, C, secrets=SECRETS)
    release(world, B, secrets=SECRETS)
    found = called(world, monkeypatch, state=phase, env={} if phase == "planned" else {"A": "1"})
    live = observe(make_host(world)).live
    assert live is not None
    assert found["config"] == live.config
