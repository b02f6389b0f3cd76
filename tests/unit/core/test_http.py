# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks and the balancer, over real HTTP on 127.0.0.1."""

from __future__ import annotations

import dataclasses
import sys
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._health import probe as module
from ansible_collections.greenlight.droplet.plugins.module_utils._health.balancer import verify
from ansible_collections.greenlight.droplet.plugins.module_utils._health.probe import (
    check_expectation,
    probe,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.health_check import (
    HealthCheck,
)
from tests.unit import asked
from tests.unit.servers import Reply, http_server

CHECK = asked.health(path="/v1/health", host="api.test", timeout=1.0)
EXPECT = dataclasses.replace(CHECK, expect="status == 'healthy' && services.redis == 'connected'")
GOOD = '{"status": "healthy", "services": {"redis": "connected"}}'

ANSWERS: list[tuple[HealthCheck, Reply, bool, str]] = [
    (CHECK, (200, {}, "fine"), True, "status 200"),
    (CHECK, (503, {}, "down"), False, "status 503, wanted 200"),
    (CHECK, (302, {"Location": "/login"}, ""), False, "redirects to /login"),
    (CHECK, (0, {}, ""), False, "no HTTP answer"),
    (dataclasses.replace(CHECK, status=(200, 204)), (204, {}, ""), True, "status 204"),
    (EXPECT, (200, {}, GOOD), True, "status 200 and"),
    (EXPECT, (200, {}, '{"status": "unhealthy"}'), False, "gave false, wanted true"),
    (EXPECT, (200, {}, "fine"), False, "the body is not JSON"),
    (EXPECT, (200, {}, f"\ufeff{GOOD}"), True, "status 200 and"),
    (EXPECT, (200, {}, "[" * 100_000), False, "the body is not JSON, and health.expect needs JSON"),
    (EXPECT, (200, {}, '{"status": NaN}'), False, "NaN is no JSON"),
    (EXPECT, (200, {}, " " * 2**20 + GOOD), False, "the body is longer than 1048576 bytes"),
    (CHECK, (200, {}, " " * 2**20 + GOOD), True, "status 200"),
    (
        dataclasses.replace(CHECK, expect="sum(services)"),
        (200, {}, GOOD),
        False,
        "'sum(services)' cannot be evaluated: JMESPathTypeError",
    ),
    (dataclasses.replace(CHECK, expect="services"), (200, {}, GOOD), False, "wanted true"),
]


@pytest.mark.parametrize(("check", "reply", "healthy", "reason"), ANSWERS)
def test_answers_are_judged(check: HealthCheck, reply: Reply, healthy: bool, reason: str) -> None:
    with http_server(lambda _path, _headers: reply) as (port, seen):
        verdict = probe("127.0.0.1", port, check)
    assert verdict.healthy is healthy
    assert reason in verdict.reason
    assert len(seen) == 1
    assert seen[0][1]["host"] == "api.test"
    assert seen[0][1]["connection"] == "close"


def test_an_application_that_wants_https_is_told_that_it_came_so() -> None:
    def reply(_path: str, headers: dict[str, str]) -> Reply:
        return (204, {}, "") if headers.get("x-forwarded-proto") == "https" else (301, {}, "")

    check = dataclasses.replace(CHECK, status=(204,))
    with http_server(reply) as (port, _seen):
        assert not probe("127.0.0.1", port, check).healthy
        told = dataclasses.replace(check, headers={"X-Forwarded-Proto": "https"})
        assert probe("127.0.0.1", port, told).healthy


def test_nobody_listening_is_no_answer() -> None:
    with http_server(lambda _path, _headers: (200, {}, "")) as (port, _seen):
        pass
    verdict = probe("127.0.0.1", port, CHECK)
    assert not verdict.healthy
    assert "ConnectionRefusedError" in verdict.answer


def test_bad_expectation_is_refused_before_anything() -> None:
    check_expectation("")
    for expression in ("status ==", "(" * 5000, "`", "\ud800"):
        with pytest.raises(SpecError, match="is not a JMESPath expression: "):
            check_expectation(expression)


class _Broken:
    """A library whose defect no author of ours foresaw."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def search(self, _expression: str, _document: object) -> t.NoReturn:
        raise self.fault


@pytest.mark.parametrize("fault", [RecursionError("deep"), TypeError("'<' not supported")])
def test_an_expectation_that_breaks_the_library_is_unhealthy(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(module, "_jmespath", lambda: _Broken(fault))
    verdict = module.judge(http.Answer(200, {}, "{}"), EXPECT)
    assert not verdict.healthy
    assert f"cannot be evaluated: {type(fault).__name__}: {fault}" in verdict.reason


def test_an_expectation_needs_its_library_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module._jmespath.cache_clear()
    monkeypatch.setitem(sys.modules, "jmespath", None)
    check_expectation("")
    with pytest.raises(SpecError, match="needs python3-jmespath on the host"):
        check_expectation("status")


class NoSleep(Clock):
    """A clock whose sleep takes no time, and that remembers it."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Remember."""
        self.slept.append(seconds)


def test_balancer_must_show_every_host_on_its_slot() -> None:
    turn = iter(range(1000))

    def reply(_path: str, _headers: dict[str, str]) -> Reply:
        name, slot = (("api-1", "green"), ("api-2", "blue"))[next(turn) % 2]
        return 200, {"X-Greenlight-Host": name, "X-Greenlight-Slot": f"api-{slot}"}, ""

    with http_server(reply) as (port, _seen):
        options: dict[str, t.Any] = {
            "url": f"http://127.0.0.1:{port}/v1/health",
            "host_header": "",
            "attempts": 3,
            "delay": 3.0,
            "timeout": 1.0,
        }
        right = {"api-1": "api-green", "api-2": "api-blue"}
        assert verify(NoSleep(), expected=right, **options).missing == ""
        clock = NoSleep()
        wrong = {"api-1": "api-blue", "api-3": "api-blue"}
        found = verify(clock, expected=wrong, **options)
    assert clock.slept == [3.0, 3.0]
    for part in (
        "api-1 answered from api-green, expected api-blue",
        "api-3 was not seen",
        "unexpected host api-2",
    ):
        assert part in found.missing
    for url in ("127.0.0.1", "http://x:99999999/", "http://[::1/", "ftp://x/", "http:///x"):
        with pytest.raises(SpecError, match="is not a URL"):
            verify(clock, expected=right, **{**options, "url": url})
