# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look through the load balancer needs no luck, and a bad answer is not forgotten at once."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._health.balancer import (
    Seen,
    verify,
)
from tests.unit.servers import Reply, http_server


class NoSleep(Clock):
    """A clock whose sleep takes no time."""

    def sleep(self, seconds: float) -> None:
        """Go on at once."""


def fleet(count: int) -> dict[str, str]:
    """So many hosts, each expected on green."""
    return {f"api-{number}": "api-green" for number in range(count)}


def answer_of(host: str, backend: str = "api-green", status: int = 200) -> http.Answer:
    """An answer of a host behind the balancer."""
    return http.Answer(status, {"x-greenlight-host": host, "x-greenlight-slot": backend})


def look(url: str, expected: dict[str, str], **changes: t.Any) -> Seen:
    """Verify with the role's defaults."""
    given = {"host_header": "", "attempts": 10, "delay": 3.0, "timeout": 5.0, **changes}
    return verify(NoSleep(), url=url, expected=expected, **given)


def at_random(count: int) -> t.Iterator[str]:
    """Hosts as a balancer picks them that knows no turns: the same ones in each run of a test."""
    state = count
    while True:
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        yield f"api-{(state >> 33) % count}"


@pytest.fixture(name="answers")
def fixture_answers(monkeypatch: pytest.MonkeyPatch) -> list[http.Answer]:
    """Answers in turn; what is left of them tells how many requests were made."""
    waiting: list[http.Answer] = []
    monkeypatch.setattr(http, "get", lambda *_place, **_options: waiting.pop(0))
    return waiting


@pytest.mark.parametrize("count", [2, 20, 30, 50])
def test_a_balancer_that_picks_at_random_shows_every_host(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    expected, hosts = fleet(count), at_random(count)
    monkeypatch.setattr(http, "get", lambda *_place, **_named: answer_of(next(hosts)))
    failed = [number for number in range(100) if look("http://b/", expected).missing]
    assert failed == []


def test_a_real_one_that_picks_at_random_is_asked_no_more_than_it_takes() -> None:
    expected, hosts = fleet(12), at_random(12)
    shown: set[str] = set()
    needed = 0

    def reply(_path: str, _headers: dict[str, str]) -> Reply:
        nonlocal needed
        host = next(hosts)
        needed += len(shown) < len(expected)
        shown.add(host)
        return 200, {"X-Greenlight-Host": host, "X-Greenlight-Slot": "api-green"}, ""

    with http_server(reply) as (port, seen):
        found = look(f"http://127.0.0.1:{port}/v1/health", expected)
    assert found.missing == ""
    assert found.seen == {host: ["api-green"] for host in expected}
    # The last attempt makes as many requests as there are hosts.
    assert needed <= len(seen) <= needed + len(expected)


def test_a_slow_one_is_looked_at_over_several_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    turn = iter(range(1000))

    def get(*_place: t.Any, **_options: t.Any) -> http.Answer:
        time.sleep(0.03)
        return answer_of(f"api-{next(turn) % 12}")

    monkeypatch.setattr(http, "get", get)
    found = look("http://b/", fleet(12), timeout=0.1, attempts=100)
    assert found.missing == ""
    assert found.attempts > 1


def test_round_robin_is_asked_once_for_each_host(answers: list[http.Answer]) -> None:
    answers += [answer_of(f"api-{number % 5}") for number in range(100)]
    assert look("http://b/", fleet(5)).attempts == 1
    assert len(answers) == 95


def test_a_bad_answer_asks_for_as_many_good_ones_as_there_are_hosts(
    answers: list[http.Answer],
) -> None:
    good = [answer_of(f"api-{number % 3}") for number in range(100)]
    answers += [*good[:8], answer_of("api-0", status=502), *good]
    found = look("http://b/", fleet(3))
    assert (found.missing, found.attempts) == ("", 1)
    assert len(answers) == 106
    answers[:] = [answer_of("api-0", status=502), *good]
    found = look("http://b/", fleet(3))
    assert (found.missing, found.attempts) == ("", 2)
    assert len(answers) == 101 - 9 - 3


def test_a_host_seen_on_another_slot_has_to_be_seen_again(answers: list[http.Answer]) -> None:
    first = [answer_of("api-0"), answer_of("api-0", "api-blue"), *[answer_of("api-1")] * 4]
    answers += [*first, *[answer_of("api-1")] * 6]
    found = look("http://b/", fleet(2), attempts=2)
    assert found.missing == (
        "The load balancer http://b/ does not show what is expected after 2 attempts 3 s apart:"
        " api-0 was not seen."
    )
    answers[:] = first
    found = look("http://b/", fleet(2), attempts=1)
    assert "api-0 answered from api-blue and api-green, expected api-green" in found.missing


def test_the_request_is_that_of_the_health_check() -> None:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        shown = {"X-Greenlight-Host": "api-0", "X-Greenlight-Slot": "api-green"}
        if headers.get("x-forwarded-proto") != "https" or path != "/v1/health?deep=1":
            return 301, {**shown, "Location": "https://b/"}, ""
        return 204, shown, ""

    with http_server(reply) as (port, seen):
        found = look(
            f"http://127.0.0.1:{port}/v1/health?deep=1",
            fleet(1),
            host_header="shop.test",
            status=[204],
            headers={"X-Forwarded-Proto": "https"},
        )
    assert found.missing == ""
    assert seen[0][1]["host"] == "shop.test"
    assert seen[0][1]["user-agent"] == "greenlight-health-check"
