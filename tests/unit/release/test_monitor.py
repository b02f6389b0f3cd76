# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watch does not look away while a health answer trickles in, and never waits for ever."""

from __future__ import annotations

import dataclasses
import time
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    CheckError,
    EngineError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy.runtime_api import (
    SlotStatus,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._health import asker
from ansible_collections.greenlight.droplet.plugins.module_utils._health.probe import Verdict
from ansible_collections.greenlight.droplet.plugins.module_utils._model.engine_model import (
    Container,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release import monitor
from ansible_collections.greenlight.droplet.plugins.module_utils._release.monitor import Watcher
from tests.unit import asked
from tests.unit.servers import Reply, http_server, raw_server

CONTAINER = Container(
    "id", "api-blue", "blue", "r", "s", "d", "c", "running", 0, 0, 0, "", "", "no"
)
NOTHING = SlotStatus("UP", 0, 0, 0, 0)
WATCH = asked.watch(seconds=0.5, interval=0.1)
TRICKLE = (b"HTTP/1.1 200 OK\r\n\r\n", b"b")


class Stage:
    """A host whose slot gets ten requests between two looks, of which so many fail."""

    def __init__(self, failing: int = 0) -> None:
        self.clock = Clock()
        self.engine = self.proxy = self
        self._failing = failing
        self._status = NOTHING

    def container(self, _identifier: str, _limit: float | None = None) -> Container:
        """Return the container, which runs."""
        return CONTAINER

    def status(self, _slot: str) -> SlotStatus:
        """Return the counters, ten requests later."""
        before = self._status
        self._status = dataclasses.replace(
            before,
            requests=before.requests + 10,
            answered=before.answered + 10,
            server_errors=before.server_errors + self._failing,
        )
        return self._status


def watched(stage: Stage, port: int, timeout: float) -> str:
    """Watch for half a second."""
    host: t.Any = stage
    watcher = Watcher(
        host, WATCH, asked.health(timeout=timeout), CONTAINER, NOTHING, CONTAINER.mishaps
    )
    return watcher.watch(WATCH.seconds, "127.0.0.1", port)


def test_failing_requests_are_seen_while_the_health_answer_trickles() -> None:
    with raw_server(*TRICKLE, pause=0.1) as port:
        begin = time.monotonic()
        with pytest.raises(CheckError, match="requests failed"):
            watched(Stage(failing=9), port, timeout=8.0)
        assert time.monotonic() - begin < 6.0


def test_answers_that_never_end_are_failed_checks_of_a_bounded_time() -> None:
    with raw_server(*TRICKLE, pause=0.1) as port:
        begin = time.monotonic()
        with pytest.raises(CheckError, match="2 checks in a row failed: no HTTP answer"):
            watched(Stage(), port, timeout=1.5)
        assert 2.9 < time.monotonic() - begin < 3.0 + WATCH.seconds + 4.0


def test_checks_that_fail_in_a_row_condemn() -> None:
    def reply(_path: str, _headers: dict[str, str]) -> Reply:
        return 503, {}, ""

    with (
        http_server(reply) as (port, seen),
        pytest.raises(CheckError, match="2 checks in a row failed: status 503"),
    ):
        watched(Stage(), port, timeout=1.0)
    assert len(seen) == 2


def test_own_checks_are_not_counted_among_the_requests_served() -> None:
    with http_server(lambda _path, _headers: (200, {}, "")) as (port, seen):
        said = watched(stage := Stage(), port, timeout=1.0)
    served = stage.status("blue").requests - 10 - len(seen)
    assert said == f"healthy, {served} requests served, 0 failed"


def test_what_a_check_raises_is_raised_where_it_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_place: t.Any) -> t.NoReturn:
        raise SpecError("health.expect needs python3-jmespath on the host.")

    monkeypatch.setattr(asker, "probe", broken)
    with pytest.raises(SpecError, match="python3-jmespath"):
        watched(Stage(), 1, timeout=1.0)


class Script:
    """Answers of the health check, one a look, the last one for ever."""

    is_waiting = False

    def __init__(self, *verdicts: bool) -> None:
        self._verdicts = list(verdicts)
        self.asked = 0

    def verdict(self, _seconds: float) -> Verdict:
        """Return the next one."""
        self.asked += 1
        healthy = self._verdicts.pop(0) if len(self._verdicts) > 1 else self._verdicts[0]
        return Verdict(healthy, "it is well" if healthy else "no answer within 1 s", "")


def scripted(monkeypatch: pytest.MonkeyPatch, *verdicts: bool) -> Script:
    """Let the watch hear these answers."""
    script = Script(*verdicts)
    monkeypatch.setattr(monitor, "Asker", lambda *_arguments: script)
    return script


def test_a_watch_does_not_end_with_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, True, False)
    watch = asked.watch(seconds=0.01, interval=0.01, failed_checks=3)
    host: t.Any = Stage()
    watcher = Watcher(host, watch, asked.health(), CONTAINER, NOTHING, CONTAINER.mishaps)
    with pytest.raises(CheckError, match="3 checks in a row failed"):
        watcher.watch(watch.seconds, "127.0.0.1", 1)


def test_a_check_that_is_good_again_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    script = scripted(monkeypatch, False, True)
    watch = asked.watch(seconds=0.0, interval=0.01, failed_checks=3)
    host: t.Any = Stage()
    watcher = Watcher(host, watch, asked.health(), CONTAINER, NOTHING, CONTAINER.mishaps)
    assert watcher.watch(watch.seconds, "127.0.0.1", 1).startswith("healthy")
    assert script.asked == 2


def test_a_container_that_ends_during_the_last_check_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripted(monkeypatch, True)
    stage = Stage()
    found = [CONTAINER, dataclasses.replace(CONTAINER, state="exited")]
    monkeypatch.setattr(stage, "container", lambda *_arguments: found.pop(0))
    host: t.Any = stage
    watcher = Watcher(host, WATCH, asked.health(), CONTAINER, NOTHING, CONTAINER.mishaps)
    with pytest.raises(CheckError, match="while it served"):
        watcher.watch(0.0, "127.0.0.1", 1)


def test_docker_is_waited_for_two_seconds_in_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, True)
    limits = []

    def silent(_identifier: str, limit: float | None = None) -> Container:
        limits.append(limit)
        raise EngineError("Docker did not answer")

    stage = Stage()
    monkeypatch.setattr(stage, "container", silent)
    host: t.Any = stage
    watcher = Watcher(host, WATCH, asked.health(), CONTAINER, NOTHING, CONTAINER.mishaps)
    assert watcher.watch(0.0, "127.0.0.1", 1).startswith("healthy")
    assert set(limits) == {2.0}
