# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull that a busy registry refuses is begun again, through Docker's real SDK."""

from __future__ import annotations

import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import EngineError
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import client as module
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import pulling
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.client import Engine
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.sdk import connect
from tests.unit import asked
from tests.unit.docker.engine_server import DIGEST, Progress, RecordedEngine, engine_server

GOOD = [{"status": "Pulling fs layer"}, {"status": f"Digest: {DIGEST}"}]
SOURCE = asked.source("registry.test/team/api")


class Busy(RecordedEngine):
    """An engine whose pulls end in turn as told: a status and a message, or messages."""

    def __init__(self, *ends: tuple[int, str] | list[dict[str, t.Any]]) -> None:
        super().__init__()
        self._ends = list(ends)
        self.pulls = 0

    def answer(self, method: str, path: str) -> tuple[int, t.Any]:
        """Answer a pull as told, the last one for ever."""
        if "/images/create" not in path:
            return super().answer(method, path)
        end = self._ends[min(self.pulls, len(self._ends) - 1)]
        self.pulls += 1
        return (200, Progress(end)) if isinstance(end, list) else (end[0], {"message": end[1]})


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of the clock, which take no time."""
    waits: list[float] = []
    monkeypatch.setattr(Clock, "sleep", lambda _self, seconds: waits.append(seconds))
    return waits


def pull(engine: Busy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: float) -> None:
    """Let the engine pull an image."""
    connect.cache_clear()
    with engine_server(tmp_path / "docker.sock", engine) as address:
        monkeypatch.setattr(module, "SOCKET", address)
        Engine().pull(SOURCE, DIGEST, limit)
    connect.cache_clear()


@pytest.mark.parametrize(
    "said",
    [
        "received unexpected HTTP status: 503 Service Unavailable",
        "toomanyrequests: You have reached your pull rate limit.",
        "unexpected status from GET request to https://registry.test/v2/: 429 Too Many Requests",
        'Get "https://registry.test/v2/": EOF',
        "read tcp 10.0.0.2:4711->10.0.0.1:443: read: connection reset by peer",
        'Get "https://registry.test/v2/": net/http: TLS handshake timeout',
        "dial tcp 10.0.0.1:443: connect: connection refused",
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_a_registry_that_is_busy_is_asked_again(
    said: str, late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    end: t.Any = [{"status": "Pulling from"}, {"errorDetail": {"message": said}}]
    engine = Busy(end if late else (500, said), end if late else (500, said), GOOD)
    pull(engine, tmp_path, monkeypatch, 30.0)
    assert (engine.pulls, slept) == (3, [1.0, 3.0])


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ((404, "manifest unknown"), "manifest unknown"),
        ((500, "unauthorized: authentication required"), "unauthorized"),
        ([{"errorDetail": {"message": "no space left on device"}}], "no space left"),
        # The engine has tried a layer often enough by itself.
        ([{"status": "Downloading"}, {"error": "unexpected EOF"}], "unexpected EOF"),
    ],
)
def test_what_will_not_pass_is_said_at_once(
    end: t.Any,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slept: list[float],
) -> None:
    engine = Busy(end)
    with pytest.raises(EngineError, match=reason):
        pull(engine, tmp_path, monkeypatch, 30.0)
    assert (engine.pulls, slept) == (1, [])


@pytest.mark.parametrize(("limit", "pulls"), [(2.0, 2), (60.0, 3)])
def test_patience_has_an_end(
    limit: float,
    pulls: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slept: list[float],
) -> None:
    engine = Busy((500, "503 Service Unavailable"))
    with pytest.raises(EngineError, match="503 Service Unavailable"):
        pull(engine, tmp_path, monkeypatch, limit)
    assert (engine.pulls, len(slept)) == (pulls, pulls - 1)


def test_a_pull_that_falls_silent_ends_with_its_time() -> None:
    silent = threading.Event()

    def begin() -> t.Iterator[dict[str, t.Any]]:
        yield {"status": "Downloading"}
        silent.wait(30.0)

    begun = time.monotonic()
    with pytest.raises(EngineError, match=r"was not over after 0\.5 s"):
        pulling.pull(begin, "an image", 0.5, Clock())
    assert time.monotonic() - begun < 5.0
    silent.set()
