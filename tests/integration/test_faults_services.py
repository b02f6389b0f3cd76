# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker, HAProxy and the firewall are restarted, reloaded or killed while a release runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.support.bench import Bench, sha
from tests.integration.support.faults import (
    STAGED,
    WATCHING,
    assert_whole,
    converges,
    during,
    events,
    load,
    map_of,
    started,
    wait_for,
)

WATCH: dict[str, Any] = {"seconds": 5.0, "interval": 0.3, "failed_checks": 8}
GATE = {"expect": "status == 'healthy'", "interval": 0.3, "successes": 12, "deadline": 20}
KILL_PROXY = "pkill -KILL -x haproxy; sleep 2; systemctl is-active haproxy"
KILL_DOCKER = "pkill -KILL -x dockerd; sleep 3; docker info >/dev/null"


@pytest.fixture
def live_a(bench: Bench) -> Bench:
    """The droplet with A live."""
    bench.one(bench.release("A")).ok()
    return bench


@pytest.mark.parametrize(
    "fault", ["systemctl restart docker", KILL_DOCKER], ids=["restart", "kill"]
)
@pytest.mark.parametrize("moment", ["gate", "watch"])
def test_dockerd_goes_away_during_a_release(
    live_a: Bench, front: str, fault: str, moment: str
) -> None:
    call = live_a.release("B", watch=WATCH, health=GATE)
    with load(front) as counts:
        when = started("B") if moment == "gate" else WATCHING
        result = during(live_a, call, when, fault)
    counts.clean()
    # Containers outlive it; the run either did not notice or went back cleanly.
    serving = "A" if result.failed else "B"
    assert live_a.serving() == sha(serving)
    if result.failed:
        assert f"serving now {sha('A')}" in result.msg
    converges(live_a)


@pytest.mark.parametrize("fault", ["reload", "restart", "kill"])
def test_haproxy_is_reloaded_restarted_or_killed_while_it_serves(
    live_a: Bench, front: str, fault: str
) -> None:
    live_a.one(live_a.release("B")).ok()
    commands = {
        "reload": "systemctl reload haproxy; sleep 1",
        "restart": "systemctl restart haproxy; sleep 1",
        "kill": KILL_PROXY,
    }
    with load(front) as counts:
        live_a.sh(commands[fault])
    print(f"haproxy {fault}: {counts.ok} ok, {counts.failed} failed {counts.reasons}")
    if fault == "reload":
        counts.clean()
    else:
        # A second at the most, at 51 requests a second, plus what was in flight.
        assert counts.failed <= 100, counts.reasons
        assert counts.ok > 50
    assert_whole(live_a, "B")
    converges(live_a)


def test_haproxy_is_killed_during_the_watch(live_a: Bench) -> None:
    # With as few failed checks as the default: a proxy that is back at once condemns nothing.
    call = live_a.release("B", watch={"seconds": 5.0})
    result = during(live_a, call, WATCHING, KILL_PROXY).ok()
    assert result["live"]["sha"] == sha("B")
    assert_whole(live_a, "B")


def test_haproxy_stays_away_during_the_watch(live_a: Bench) -> None:
    # Masked, it cannot come back; the way back then has only the file to write.
    stop = "systemctl mask --runtime --now haproxy"
    try:
        call = live_a.release("B", watch={**WATCH, "failed_checks": 3})
        result = during(live_a, call, WATCHING, stop)
        assert "failed at step 'watch'" in result.msg
        assert "HAProxy does not answer" in result.msg
        assert "goes on running, because traffic may still reach it" in result.msg
        assert map_of(live_a) == "api api-blue"
    finally:
        live_a.sh("systemctl unmask --runtime haproxy; systemctl start haproxy; sleep 1.5")
    assert live_a.serving() == sha("A")
    converges(live_a)


def test_ufw_is_reloaded_during_a_release(live_a: Bench, front: str) -> None:
    with load(front) as counts:
        during(live_a, live_a.release("B", watch=WATCH), started("B"), "ufw reload").ok()
        live_a.sh("ufw reload")
    counts.clean()
    assert_whole(live_a, "B")


def test_haproxy_restarted_during_a_canary_ends_the_canary(live_a: Bench) -> None:
    watch = {**WATCH, "seconds": 0.5}
    call = live_a.release("B", canary={"percent": 30, "seconds": 4}, watch=watch)
    # The canary begins right after the gate and HAProxy's own UP.
    during(live_a, call, STAGED, "sleep 1; systemctl restart haproxy").ok()
    assert_whole(live_a, "B")


def test_a_canary_gets_its_share_and_loses_nothing(live_a: Bench, front: str) -> None:
    canary = {"percent": 30, "seconds": 4}
    with load(front, slow_rate=0.0) as counts:
        result = live_a.one(live_a.release("B", canary=canary, watch={"seconds": 0.2})).ok()
    counts.clean()
    assert counts.versions is not None
    assert counts.versions[sha("A")] > 0
    assert counts.versions[sha("B")] > 0
    (text,) = (step["text"] for step in result["steps"] if step["step"] == "canary")
    print(text)
    assert text.startswith("30 %: healthy")
    assert_whole(live_a, "B")


def test_a_canary_that_fails_hurts_few_and_never_gets_the_pointer(
    live_a: Bench, front: str
) -> None:
    with load(front, slow_rate=0.0) as counts:
        result = live_a.one(live_a.release("errors", canary={"percent": 20, "seconds": 20}))
    assert "failed at step 'canary'" in result.msg
    assert "the canary is over" in result.msg
    print(f"canary of a failing release: {counts.ok} ok, {counts.failed} failed")
    assert 0 < counts.failed < counts.ok / 4
    assert not events(live_a, "live")[1:]
    assert_whole(live_a, "A")


def test_a_warm_standby_takes_over_at_once_and_ends_by_itself(live_a: Bench, front: str) -> None:
    warm: dict[str, Any] = {"standby": "warm", "warm_seconds": 10}
    live_a.one(live_a.release("B", **warm)).ok()
    assert {c["State"]["Status"] for c in live_a.containers().values()} == {"running"}
    # Without a registry: the name leads nowhere.
    with load(front) as counts:
        back = live_a.one(live_a.rollback(image="nowhere.invalid:1/api", **warm)).ok()
    counts.clean()
    assert "start standby" not in back.steps
    print(f"rollback to a warm standby: {back['seconds']:.2f} s in steps {back.steps}")
    assert back["seconds"] < 1.0
    assert back["live"]["sha"] == sha("A")
    wait_for(live_a, "docker ps -q --filter label=greenlight.app=api | wc -l | grep -qx 1")
    (retired,) = events(live_a, "retired")
    assert retired["sha"] == sha("B")
    assert_whole(live_a, "A")
    assert live_a.one(live_a.rollback()).ok().changed is False
    converges(live_a)
