# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run asks of Docker, and that it asks no more: each question is time on every host."""

from __future__ import annotations

import dataclasses
import functools
import typing as t
from collections import Counter

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    EngineError,
    NotSetUpError,
    ProxyError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.registry import (
    Registry,
    RemoteImage,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release import entrypoint
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Kind
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from ansible_collections.greenlight.droplet.plugins.module_utils._release.transaction import (
    Transaction,
)
from tests.unit.release.fakes import APPLICATION, FakeEngine, FakeProxy, answer_from
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import order_for, parameters, release, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C = (sha_of(name) for name in "abc")

Phase = t.Callable[..., dict[str, t.Any]]

ASKED = ("containers", "images", "network")
"""The questions that Docker takes longest for: the more there is on the host, the longer."""


@pytest.fixture(name="world")
def fixture_released(world: World) -> World:
    """A droplet with release A live."""
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


def lease_holder(world: World) -> str:
    """Return the run that has reserved the droplet; empty when none has."""
    return world.lease.run if world.lease else ""


@pytest.fixture(name="phase")
def fixture_phase(world: World, monkeypatch: pytest.MonkeyPatch) -> Phase:
    """Carry out a phase of a fleet release on the droplet as a session does."""
    monkeypatch.setattr(entrypoint, "read_application", lambda _app: APPLICATION)
    monkeypatch.setattr(entrypoint, "open_host", lambda _app: make_host(world))

    def carry_out(state: str, sha: str = B, **options: t.Any) -> dict[str, t.Any]:
        given = {"app": "api", "run": "run-1", "digest": f"sha256:{sha}", **options}
        params = parameters(sha=sha, state=state, **given)
        return entrypoint.call("release", params, check_mode=False)

    return carry_out


def test_a_phase_asks_docker_only_for_what_it_needs(
    world: World, phase: Phase, asked: Counter[str]
) -> None:
    phase("staged")
    assert asked == {"containers": 1, "images": 1, "network": 1}
    asked.clear()
    phase("live")
    # The images are of no concern when a container of the release is there.
    assert asked == {"containers": 1}
    asked.clear()
    phase("settled")
    # Before and after, with the images that the first look has found.
    assert asked == {"containers": 2, "images": 1}
    assert live_and_standby(world) == (B, A)
    assert_consistent(world)


def test_a_phase_on_which_others_follow_says_what_is_live_and_no_more(
    world: World, phase: Phase
) -> None:
    staged = phase("staged")
    assert staged["live"]["sha"] == A
    assert "diff" not in staged
    live = phase("live")
    assert live["live"]["sha"] == B
    assert live["live"]["slot"] == world.runtime
    assert "diff" not in live
    settled = phase("settled")
    assert (settled["live"]["sha"], settled["standby"]["sha"]) == (B, A)
    assert B[:7] in settled["diff"]["after"]


def test_a_phase_that_finds_its_release_live_says_so(phase: Phase) -> None:
    assert phase("live")["live"]["sha"] == B
    # The answer to the first one was lost, and it is asked again.
    assert phase("live")["live"]["sha"] == B


@pytest.mark.parametrize("question", ["containers", "images"])
@pytest.mark.parametrize(("state", "serving"), [("settled", B), ("reverted", C)])
def test_what_cannot_be_read_after_a_run_does_not_make_it_fail(
    world: World,
    phase: Phase,
    monkeypatch: pytest.MonkeyPatch,
    question: str,
    state: str,
    serving: str,
) -> None:
    release(world, C)
    phase("live")
    events = len(world.journal)

    def answer(self: FakeEngine, app: str) -> t.Any:
        # Both ways end in the journal: what comes after that only reads.
        if any('"settled"' in line or '"reverted"' in line for line in world.journal[events:]):
            raise EngineError("Docker did not answer the call to list")
        return method(self, app)

    method = getattr(FakeEngine, question)
    monkeypatch.setattr(FakeEngine, question, answer)
    # An image goes as well, so that the images of before are not those of after.
    result = phase(state, retain=2)
    assert (result.get("failed"), result["changed"]) == (None, True)
    assert result["live"]["sha"] == serving
    assert result["notes"] == [
        "What is there after the run could not be read: Docker did not answer the call to list"
    ]
    assert lease_holder(world) == ""
    assert not world.locked


def test_a_lease_outlives_a_run_that_was_to_break_it_and_was_refused(
    world: World, phase: Phase
) -> None:
    phase("staged")
    world.network = False
    with pytest.raises(NotSetUpError, match="nothing was changed"):
        release(world, C, break_lease="controller died")
    assert lease_holder(world) == "run-1"
    assert not any("lease-broken" in line for line in world.journal)
    assert not world.locked
    world.network = True
    release(world, A, break_lease="controller died")
    assert lease_holder(world) == ""
    assert any("lease-broken" in line for line in world.journal)


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
    world.images[B] = dataclasses.replace(world.images[B], tags=())
    world.behaviour.clear()
    outcome = release(world, B)
    assert [step.names for step in outcome.plan.steps if step.kind is Kind.RETAIN]
    assert world.images[B].tags
    assert live_and_standby(world) == (B, A)


def test_a_container_that_was_started_again_during_the_gate_does_not_pass(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = answer_from(world)

    def get(*place: t.Any, **options: t.Any) -> http.Answer:
        found = answer(*place, **options)
        for key, container in world.containers.items():
            if container.sha == B:
                world.containers[key] = dataclasses.replace(container, restarts=1)
        return found

    monkeypatch.setattr(http, "get", get)
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


def test_another_container_with_the_address_of_the_slot_is_named(world: World) -> None:
    green, blue = (APPLICATION.slots[slot].address for slot in ("green", "blue"))
    before = dict(world.containers)
    world.strangers = {blue: "redis", green: "worker"}
    said = (
        rf"'worker' has the address {green} of slot green .*"
        r"docker network connect --ip 172.31.10.129 greenlight-api worker"
    )
    with pytest.raises(EngineError, match=said):
        release(world, B)
    assert world.containers == before
    # That of the other slot is in nobody's way now.
    world.strangers = {blue: "redis"}
    release(world, B)
    assert live_and_standby(world)[0] == B


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


def test_a_plan_says_which_host_it_is_of(phase: Phase) -> None:
    assert phase("planned", reserve=False)["identity"] == "this droplet"
