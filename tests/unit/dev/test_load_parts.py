# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load generator's bounds, its counting and its driver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.load import __main__ as command_line
from tests.load.checks import check, echo_text
from tests.load.client import Reply, RequestFailed
from tests.load.driver import LoadError, LoadRun
from tests.load.options import LoadOptions
from tests.load.record import Recorder, Tally, percentile
from tests.unit.dev.load_servers import GOOD, listening, scripted


@pytest.mark.parametrize(
    "url",
    [
        "http://10.77.0.11:3002",
        "http://example.org",
        "https://127.0.0.1",
        "http://127.0.0.1.example.org",
        "http://127.0.0.1@example.org",
        "http://x@127.0.0.1",
        "http://127.0.0.1:3001/v1/health",
        "127.0.0.1:3001",
        "",
    ],
)
def test_other_targets_are_refused(url: str) -> None:
    """Load only ever goes to this machine."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1|this machine"):
        LoadOptions(url)
    assert command_line.main([f"--url={url}"]) == 2


@pytest.mark.parametrize(
    "options", [{"seconds": 3601}, {"seconds": 0}, {"slow_rate": -1}, {"stream_rate": 2001}]
)
def test_bounds(options: dict[str, Any]) -> None:
    """Length and rates have an end."""
    with pytest.raises(ValueError, match=r"seconds|rates"):
        LoadOptions("http://127.0.0.1:1", **options)


def test_local_names_are_accepted() -> None:
    """All three names of this machine."""
    for name in ("127.0.0.1", "localhost", "[::1]"):
        assert LoadOptions(f"http://{name}:3001").limit("slow") == pytest.approx(10.8)


def test_percentiles_and_tally() -> None:
    """Failed requests are part of the latencies."""
    assert percentile([], 0.5) == 0.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    tally = Tally()
    tally.add("", 1.0)
    tally.add("timeout", 300.0)
    assert tally.summary()["latency_ms"]["max"] == 300.0
    assert (tally.summary()["ok"], tally.summary()["failed"]) == (1, 1)
    for number in range(2, 1001):
        tally.add("", float(number))
    latency = tally.summary()["latency_ms"]
    assert latency == {"p50": 500.0, "p95": 950.0, "p99": 990.0, "p99.9": 999.0, "max": 1000.0}


def test_request_belongs_to_the_phase_in_which_it_was_planned() -> None:
    """A request that fails late is charged to the step that it was sent in."""
    recorder = Recorder()
    first = recorder.phases[-1]
    recorder.start_phase("release B", 1.0)
    recorder.add("slow", first, 0.5, 1.5, "timeout", "")
    recorder.add("slow", recorder.phases[-1], 1.2, 1.6, "", "")
    summary = recorder.summary(2.0)
    assert [(p["name"], p["ok"], p["failed"]) for p in summary["phases"]] == [
        ("start", 0, 1),
        ("release B", 1, 0),
    ]
    assert summary["series"] == [{"second": 1, "ok": 1, "failed": 1, "max_ms": 1000.0}]
    assert sum(p["requests"] for p in summary["phases"]) == summary["requests"]


def test_clean_needs_every_kind() -> None:
    """A load that never sent its streams is not clean."""
    options = LoadOptions("http://127.0.0.1:1", slow_rate=0)
    kinds: dict[str, dict[str, int]] = {"keepalive": {}, "connection": {}}
    assert not command_line.clean({"failed": 0, "kinds": kinds}, options)
    assert command_line.clean({"failed": 0, "kinds": {**kinds, "stream": {}}}, options)
    assert not command_line.clean({"failed": 1, "kinds": {**kinds, "stream": {}}}, options)


def test_check_returns_the_sha() -> None:
    """Only of a right reply."""
    assert check("connection", 0, Reply(200, json.dumps({"sha": "x"}).encode(), True)) == "x"
    assert check("keepalive", 1, Reply(200, echo_text(1), True)) == ""
    with pytest.raises(RequestFailed, match="wrong body"):
        check("keepalive", 1, Reply(200, echo_text(3), True))


def test_driver_runs_phases_and_reads_the_result() -> None:
    """The process of its own reports phases; it is over when the block is left."""

    async def serve_while(work: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        async with listening(scripted(GOOD)) as url:
            return await asyncio.to_thread(work, url)

    def work(url: str) -> dict[str, Any]:
        options = LoadOptions(url, seconds=60, keepalive_rate=0, slow_rate=0, stream_rate=0)
        with LoadRun(options) as load_run:
            load_run.start_phase("one")
            assert load_run.progress()["failed"] == 0
            return load_run.stop()

    result = asyncio.run(serve_while(work))
    assert [phase["name"] for phase in result["phases"]] == ["start", "one"]
    assert result["failed"] == 0
    assert result["seconds"] < 10


def test_driver_says_that_the_load_did_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that ends at once must not look like a quiet load."""
    monkeypatch.setattr("tests.load.driver.sys.executable", "true")
    load_run = LoadRun(LoadOptions("http://127.0.0.1:9"))
    with pytest.raises(LoadError, match="failed to start"), load_run:
        pytest.fail("a load that did not start was entered")


def test_driver_says_when_the_load_is_over() -> None:
    """A phase that starts after the end would be an empty, false green."""
    with LoadRun(LoadOptions("http://127.0.0.1:9", seconds=0.2)) as load_run:
        load_run._running().wait(timeout=20)
        with pytest.raises(LoadError, match="over"):
            load_run.start_phase("late")
