# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes by itself is asked again, within a bound; over real HTTP."""

from __future__ import annotations

import email.utils
import typing as t
from collections import Counter

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import RegistryError
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.registry_session import (
    BOUND,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils import bounds
from tests.unit.docker.oci import SHA, Repository, filled, find
from tests.unit.servers import Reply, http_server

Answer = t.Callable[[str, dict[str, str]], Reply]
NOW = 1_800_000_000.0


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of the clock, which take no time."""
    waits: list[float] = []
    monkeypatch.setattr(Clock, "sleep", lambda _self, seconds: waits.append(seconds))
    return waits


def failing(repository: Repository, failure: Reply, times: int) -> Answer:
    """Answer each path with a failure so many times, and then as the repository does."""
    count = Counter[str]()

    def reply(path: str, headers: dict[str, str]) -> Reply:
        count[path] += 1
        return failure if count[path] <= times else repository.reply(path, headers)

    return reply


FAILURES: dict[str, Reply] = {
    "cut": (0, {}, ""),
    "cut in the middle": (200, {"Content-Length": "100"}, "{"),
    "500": (500, {}, ""),
    "502": (502, {}, "<html>"),
    "503": (503, {"Retry-After": "1"}, ""),
    "504": (504, {}, ""),
    "429": (429, {}, ""),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_passes_by_itself_is_asked_again(failure: str, slept: list[float]) -> None:
    with http_server(failing(filled(), FAILURES[failure], 2)) as (port, _seen):
        assert find(port).revision == SHA
    # For the manifest and for the configuration.
    assert len(slept) == 4


def test_what_does_not_pass_is_said_in_the_end(slept: list[float]) -> None:
    with (
        http_server(failing(filled(), (503, {}, ""), 99)) as (port, seen),
        pytest.raises(RegistryError, match="answered HTTP 503"),
    ):
        find(port)
    assert (len(seen), len(slept)) == (4, 3)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("soon", 0.5),
        ("-1", 0.5),
        (email.utils.formatdate(NOW + 20, usegmt=True), 20.0),
        (email.utils.formatdate(0, usegmt=True), 0.0),
    ],
)
def test_the_time_that_a_rate_limit_names_is_waited(
    header: str, seconds: float, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "wall", lambda _self: NOW)
    limit = (429, {"Retry-After": header}, "")
    with http_server(failing(filled(), limit, 1)) as (port, _seen):
        assert find(port).revision == SHA
    assert slept == [seconds] * 2


def test_a_rate_limit_of_hours_is_not_waited_for(slept: list[float]) -> None:
    limit = (429, {"Retry-After": "21600"}, "")
    with (
        http_server(failing(filled(), limit, 99)) as (port, _seen),
        pytest.raises(RegistryError, match=r"too many requests \(HTTP 429\).*in 21600 s") as caught,
    ):
        find(port)
    assert slept == []
    assert "registry_username" in str(caught.value)


def test_the_whole_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def sleep(_self: Clock, seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(Clock, "now", lambda _self: now[0])
    monkeypatch.setattr(Clock, "sleep", sleep)
    limit = (429, {"Retry-After": "25"}, "")
    with (
        http_server(failing(filled(), limit, 99)) as (port, seen),
        pytest.raises(RegistryError, match="HTTP 429"),
    ):
        find(port)
    assert (now[0], len(seen)) == (50.0, 3)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451, 501])
def test_what_is_final_is_not_asked_again(status: int, slept: list[float]) -> None:
    with (
        http_server(lambda _path, _headers: (status, {}, "{}")) as (port, seen),
        pytest.raises(RegistryError),
    ):
        find(port)
    assert slept == []
    assert len({path for path, _headers in seen}) == len(seen)


def test_a_run_counts_on_the_same_bound() -> None:
    assert bounds.REGISTRY == BOUND
