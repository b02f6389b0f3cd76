# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run asks of Docker, and that it asks no more: each question is time on every host."""

from __future__ import annotations

import functools
import typing as t
from collections import Counter

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils import command, traffic, web
from ansible_collections.greenlight.droplet.plugins.module_utils.cutover import Transaction
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import (
    CheckError,
    NotSetUpError,
    ProxyError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.host import observe
from ansible_collections.greenlight.droplet.plugins.module_utils.plan import Kind, Phase
from ansible_collections.greenlight.droplet.plugins.module_utils.registry import (
    Registry,
    RemoteImage,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.report import Failure
from tests.unit.transaction.fakes import FakeEngine, FakeProxy, answer_from
from tests.unit.transaction.host_state import make_host
from tests.unit.transaction.orders import order_for, release, rollback, sha_of
from tests.unit.transaction.states import assert_consistent, live_and_standby
from tests.unit.transaction.world import World

A, B, C = (sha_of(name) for name in "abc")

ASKED = ("containers", "images", "network")
"""The questions that Docker takes longest for: the more there is on the host, the longer."""


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A droplet with release A live, whose containers answer the health check."""
    world = World()
    monkeypatch.setattr(web, "get", answer_from(world))
    release(world, A)
    return world


@pytest.fixture(name="asked")
def fixture_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the questions by name."""
    counted: Counter[str] = Counter()

    def count(name: str, method: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
        counted[name] += 1
        return method(*args)

    world.effects.clear()
    for name in ASKED:
        method = getattr(FakeEngine, name)
        monkeypatch.setattr(FakeEngine, name, functools.partialmethod(_call, count, name, method))
    return counted


def _call(
    self: FakeEngine, count: t.Callable[..., t.Any], name: str, method: t.Any, *args: t.Any
) -> t.Any:
    return count(name, method, self, *args)


def phase(world: World, state: Phase, sha: str = B) -> dict[str, t.Any]:
    """Carry out a phase of a fleet release as a session does, and return its result."""
    order, goal = order_for(world, sha, run="run-1")
    outcome = Transaction(make_host(world), order).run(goal, state, look_after=state == "settled")
    return command._result(outcome, order, changed=bool(outcome.done))


def test_a_phase_asks_docker_only_for_what_it_needs(world: World, asked: Counter[str]) -> None:
    phase(world, "staged")
    assert asked == {"containers": 1, "images": 1, "network": 1}
    asked.clear()
    phase(world, "live")
    # The images are of no concern when a container of the release is there.
    assert asked == {"containers": 1}
    asked.clear()
    phase(world, "settled")
    # Before and after, with the images that the first look has found.
    assert asked == {"containers": 2, "images": 1}
    assert live_and_standby(world) == (B, A)
    assert_consistent(world)


def test_a_phase_on_which_others_follow_says_what_is_live_and_no_more(world: World) -> None:
    assert "diff" not in phase(world, "staged")
    live = phase(world, "live")
    assert live["live"]["sha"] == B
    assert live["live"]["slot"] == world.runtime
    assert "diff" not in live
    settled = phase(world, "settled")
    assert (settled["live"]["sha"], settled["standby"]["sha"]) == (B, A)
    assert B[:7] in settled["diff"]["after"]


def test_a_phase_that_finds_its_release_live_says_so(world: World) -> None:
    assert phase(world, "live")["live"]["sha"] == B
    # The answer to the first one was lost, and it is asked again.
    assert phase(world, "live")["live"]["sha"] == B


def test_the_images_after_a_run_are_those_of_then(world: World) -> None:
    release(world, B)
    outcome = release(world, C, retain=2)
    assert outcome.after is not None
    assert sorted(outcome.after.retained()) == sorted([B, C])


def test_an_image_that_got_its_name_back_is_not_removed(world: World) -> None:
    world.behaviour[B] = "sick"
    with pytest.raises(Failure, match="failed at step 'gate'"):
        release(world, B)
    # Somebody's clean-up took our name from it. A run once aimed at it, so it is ours to remove.
    world.images[B] = world.images[B]._replace(tags=())
    world.behaviour.clear()
    outcome = release(world, B)
    assert [step.names for step in outcome.plan.steps if step.kind is Kind.RETAIN]
    assert world.images[B].tags
    assert live_and_standby(world) == (B, A)


def test_a_container_that_was_started_again_during_the_gate_does_not_pass(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = answer_from(world)

    def get(*place: t.Any, **options: t.Any) -> web.Answer:
        found = answer(*place, **options)
        for key, container in world.containers.items():
            if container.sha == B:
                world.containers[key] = container._replace(restarts=1)
        return found

    monkeypatch.setattr(web, "get", get)
    with pytest.raises(Failure, match="failed at step 'gate': the container crashed"):
        release(world, B)
    assert live_and_standby(world)[0] == A


def test_without_its_network_no_container_is_started(world: World) -> None:
    world.network = False
    before = dict(world.containers)
    with pytest.raises(NotSetUpError, match=r"network .* is missing. Run setup-api.yml; nothing"):
        release(world, B)
    order, goal = order_for(world, B)
    transaction = Transaction(make_host(world), order)
    with pytest.raises(NotSetUpError, match="is missing"):
        transaction.preview(goal, "settled")
    assert world.containers == before
    assert not release(world, A).done
    assert not world.locked


def test_without_its_network_no_standby_is_woken(world: World) -> None:
    release(world, B)
    world.network = False
    with pytest.raises(NotSetUpError, match="is missing"):
        rollback(world)
    assert live_and_standby(world) == (B, A)


def test_a_proxy_that_does_not_answer_stops_a_run_before_it_begins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = FakeProxy.read_route

    def unanswered(self: FakeProxy) -> t.Any:
        found = route(self)
        return type(found)(found.file, None, answered=False)

    monkeypatch.setattr(FakeProxy, "read_route", unanswered)
    effects = list(world.effects)
    for sha in (A, B):
        with pytest.raises(ProxyError, match=r"HAProxy does not answer .*; nothing was changed"):
            release(world, sha)
    assert world.effects == effects


def test_a_release_whose_image_is_here_asks_the_registry_for_its_digest_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def find(
        _self: Registry, sha: str, _architecture: t.Any, known: t.Callable[[str], str]
    ) -> RemoteImage:
        found.append((known(f"sha256:{A}"), known(f"sha256:{B}")))
        return RemoteImage(sha, f"sha256:{sha}", A)

    monkeypatch.setattr(Registry, "find", find)
    order, goal = order_for(world, A, digest="")
    assert goal(observe(make_host(world))).digest == f"sha256:{A}"
    assert order.digest == ""
    assert found == [(A, "")]


def test_what_has_ended_in_the_slot_that_serves_may_be_removed(world: World) -> None:
    release(world, B)
    phase(world, "live", C)
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
