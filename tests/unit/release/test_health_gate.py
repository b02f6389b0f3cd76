# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate says what kept it shut, and is over at its deadline whatever the application does."""

from __future__ import annotations

import dataclasses
import time
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import CheckError
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy.runtime_api import (
    SlotStatus,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.engine_model import (
    Container,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.health_check import (
    HealthCheck,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release import health_gate
from tests.unit import asked
from tests.unit.release.fakes import APPLICATION
from tests.unit.servers import raw_server

CONTAINER = Container(
    "id", "api-blue", "blue", "r", "s", "d", "c", "running", 0, 0, 0, "", "", "no"
)
CHECK = asked.health(interval=1.0, timeout=2.0, deadline=10.0)


class SteppedClock(Clock):
    """A clock that moves by sleep, and by what a probe takes."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        """Seconds since some moment."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move on; never back, and never not at all."""
        assert seconds > 0
        self.time += seconds


class Stage:
    """A host with one container, as far as the gate looks at it."""

    application = APPLICATION

    def __init__(self, clock: Clock, container: Container = CONTAINER) -> None:
        self.clock = clock
        self.engine = self
        self._container = container

    def container(self, _identifier: str) -> Container:
        """Return the container as it is now."""
        return self._container


def passed(stage: Stage, successes: int = 3, check: HealthCheck = CHECK) -> str:
    """Let the container of the stage pass the gate."""
    host: t.Any = stage
    return health_gate.pass_gate(host, CONTAINER, check, successes, CONTAINER.mishaps)


def answer_in_turn(
    monkeypatch: pytest.MonkeyPatch, clock: SteppedClock, statuses: str, seconds: float = 0.01
) -> list[float]:
    """Answer 200 for +, 503 for -, nothing for 0, again and again; return when it was asked."""
    asked: list[float] = []

    def get(*_place: t.Any, **_options: t.Any) -> http.Answer:
        asked.append(clock.time)
        clock.time += seconds
        kind = statuses[(len(asked) - 1) % len(statuses)]
        if kind == "0":
            raise http.NoAnswer("no answer within 2 s")
        return http.Answer(200 if kind == "+" else 503, {}, f"probe {len(asked)}", 0.001)

    monkeypatch.setattr(http, "get", get)
    return asked


@pytest.mark.parametrize(
    ("statuses", "reason", "answer"),
    [
        ("+-", "10 of 20 checks failed, the last of them with: status 503, wanted 200", "HTTP 503"),
        ("++-", "checks failed, the last of them with: status 503, wanted 200", "HTTP 503"),
        ("++0", "checks failed, the last of them with: no HTTP answer (no answer within 2 s)", ""),
        ("-", "failed, the last of them with: status 503, wanted 200", "HTTP 503"),
    ],
)
def test_an_application_that_flaps_is_refused_with_its_last_failure(
    monkeypatch: pytest.MonkeyPatch, statuses: str, reason: str, answer: str
) -> None:
    clock = SteppedClock()
    asked = answer_in_turn(monkeypatch, clock, statuses)
    with pytest.raises(CheckError) as caught:
        passed(Stage(clock))
    text = str(caught.value)
    failed = sum(statuses[i % len(statuses)] != "+" for i in range(len(asked)))
    assert text.startswith(f"not healthy within 10 s: {failed} of {len(asked)} checks failed")
    assert reason in text
    assert answer in caught.value.last_answer
    last_failed = max(i for i in range(len(asked)) if statuses[i % len(statuses)] != "+") + 1
    assert answer == "" or f"probe {last_failed}" in caught.value.last_answer


def test_a_row_that_could_not_end_in_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteppedClock()
    answer_in_turn(monkeypatch, clock, "+")
    with pytest.raises(CheckError, match="only 11 of 50 healthy checks in a row came in that time"):
        passed(Stage(clock), successes=50)


@pytest.mark.parametrize(("statuses", "interval"), [("+-", 1.0), ("+", 60.0), ("-", 0.05)])
def test_the_last_probe_begins_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch, statuses: str, interval: float
) -> None:
    clock = SteppedClock()
    asked = answer_in_turn(monkeypatch, clock, statuses)
    with pytest.raises(CheckError):
        passed(Stage(clock), 9000, dataclasses.replace(CHECK, interval=interval))
    assert asked[-1] == pytest.approx(110.0, abs=0.06)
    assert clock.time <= 110.0 + 0.02


def test_a_row_may_end_with_the_last_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteppedClock()
    answer_in_turn(monkeypatch, clock, "+")
    check = dataclasses.replace(CHECK, interval=60.0)
    assert passed(Stage(clock), 2, check) == "2 of 2 checks in a row healthy, 2 probes"


def test_a_container_that_was_restarted_is_refused_with_its_last_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SteppedClock()
    answer_in_turn(monkeypatch, clock, "+")
    crashed = dataclasses.replace(CONTAINER, restarts=1)
    with pytest.raises(CheckError, match="crashed and was restarted") as caught:
        passed(Stage(clock, crashed))
    assert caught.value.last_answer == ""


def test_a_real_answer_that_trickles_ends_the_gate_one_probe_after_its_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The application sends one byte every 0.2 s for ever."""
    real = http.get
    with raw_server(b"HTTP/1.1 200 OK\r\n\r\n", b"b", pause=0.2) as port:

        def get(_address: str, _port: int, path: str, **options: t.Any) -> http.Answer:
            return real("127.0.0.1", port, path, **options)

        monkeypatch.setattr(http, "get", get)
        check = asked.health(interval=0.1, timeout=0.8, deadline=1.0)
        begin = time.monotonic()
        with pytest.raises(CheckError, match=r"no answer within 0\.8 s"):
            passed(Stage(Clock()), check=check)
        assert time.monotonic() - begin < 1.0 + 0.8 + 0.2


class Checked(Stage):
    """A host whose HAProxy finds the slot down, because it asks otherwise than the release."""

    def __init__(self, differing: list[str]) -> None:
        super().__init__(SteppedClock())
        self.proxy = self
        self._differing = differing

    def status(self, _slot: str) -> SlotStatus:
        """Return what HAProxy's own check says."""
        return SlotStatus("DOWN", 0, 0, 0, 0)

    def other_checks(self, _health: HealthCheck) -> list[str]:
        """Return in what HAProxy's check is another one."""
        return self._differing


@pytest.mark.parametrize(
    ("differing", "end"),
    [
        ([], "did not become UP within 10 s"),
        (
            ["health.path", "health.headers"],
            "It is not the one of this release, as to health.path, health.headers. Run"
            " setup-api.yml, which makes HAProxy ask so too; what is live must pass it as well",
        ),
    ],
)
def test_a_check_of_haproxys_that_is_another_one_is_said(differing: list[str], end: str) -> None:
    host: t.Any = Checked(differing)
    with pytest.raises(CheckError) as caught:
        health_gate.wait_for_up(host, "blue", 10.0, CHECK)
    assert str(caught.value).endswith(end)
