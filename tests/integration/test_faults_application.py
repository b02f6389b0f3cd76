# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application itself is the fault: killed, out of memory, hanging, or with long connections."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.integration.support.bench import Bench, sha
from tests.integration.support.faults import (
    WATCHING,
    assert_whole,
    converges,
    during,
    events,
    load,
)
from tests.load.driver import LoadRun
from tests.load.http2 import fetch
from tests.load.options import LoadOptions

STATUS_OK = 200


def kill_process_of(label: str) -> str:
    """The command that ends the main process of a container, as a crash would.

    `docker kill` counts as a stop by hand, after which Docker starts nothing again.
    """
    return f"kill -KILL $(docker inspect -f '{{{{.State.Pid}}}}' $(docker ps -q -f label={label}))"


@pytest.fixture
def live_a(bench: Bench) -> Bench:
    """The droplet with A live."""
    bench.one(bench.release("A")).ok()
    return bench


def test_a_killed_live_container_comes_back_and_waiting_requests_are_not_lost(
    live_a: Bench, front: str
) -> None:
    kill = kill_process_of("greenlight.app=api")
    with load(front, slow_rate=0.0) as counts:
        live_a.sh(f"{kill}; sleep 4")
    print(f"live container killed: {counts.ok} ok, {counts.failed} failed {counts.reasons}")
    # Only what the dead process had taken on can be lost: connections that it held open.
    assert counts.failed <= 32, counts.reasons
    assert counts.ok > 150
    assert_whole(live_a, "A")
    converges(live_a)


def test_a_live_container_out_of_memory_goes_back_during_the_watch(
    live_a: Bench, front: str
) -> None:
    watch = {"seconds": 15.0, "interval": 0.2}
    with load(front, slow_rate=0.0):
        result = live_a.one(live_a.release("eat-memory", memory="96m", watch=watch))
    assert "failed at step 'watch'" in result.msg
    assert "memory" in result.msg or "crashed" in result.msg
    assert_whole(live_a, "A")


def test_going_back_takes_less_than_a_fifth_of_a_second(live_a: Bench, front: str) -> None:
    with load(front, slow_rate=0.0):
        result = live_a.one(live_a.release("errors", watch={"seconds": 15.0, "interval": 0.2}))
    seconds = result["failure"]["back_seconds"]
    print(f"from the decision to the pointer moved back: {seconds * 1000:.0f} ms")
    assert seconds < 0.2
    (reverted,) = events(live_a, "reverted")
    assert reverted["reason"] == result["failure"]["reason"]
    assert "requests failed" in reverted["reason"]
    assert_whole(live_a, "A")


def test_requests_that_hang_are_seen_although_the_health_check_is_well(
    live_a: Bench, front: str
) -> None:
    watch = {"seconds": 15.0, "interval": 0.3, "answer_seconds": 2.0}
    with load(front, slow_rate=0.0, timeout=3.0, keepalive_rate=5.0, connection_rate=5.0):
        result = live_a.one(live_a.release("hang-requests", watch=watch))
    assert "failed at step 'watch'" in result.msg
    assert "without an answer for 2 s" in result.msg
    with load(front, slow_rate=0.0) as after:
        time.sleep(2.0)
    after.clean()
    assert_whole(live_a, "A")


def test_a_websocket_stays_on_the_old_slot_until_the_drain_limit(live_a: Bench, front: str) -> None:
    none = LoadOptions(front, 60.0, 0.0, 0.0, 0.0, 0.0)
    long = replace(none, stream_rate=1.0, websocket_rate=2.0, websocket_seconds=4.0)
    with LoadRun(long) as run:
        time.sleep(2.0)
        live_a.one(live_a.release("B", drain_seconds=20)).ok()
        time.sleep(1.0)
        survived = run.stop()
    assert survived["failed"] == 0, survived["reasons"]
    assert set(survived["kinds"]) == {"websocket", "stream"}
    forever = replace(none, websocket_rate=0.5, websocket_seconds=30.0)
    with LoadRun(forever) as run:
        time.sleep(2.5)
        done = live_a.one(live_a.release("C", drain_seconds=2)).ok()
        assert live_a.serving() == sha("C")
        closed = run.progress()
        assert closed["failed"] >= 1, "the limit has closed no tunnel"
    (text,) = (step["text"] for step in done["steps"] if step["step"] == "drain")
    print(text)
    assert "closed" in text
    assert_whole(live_a, "C")


def test_http2_without_tls_works_across_a_cutover(live_a: Bench, front: str) -> None:
    replies = fetch(front, "/v1/version", 40)
    assert [status for status, _body in replies] == [STATUS_OK] * 40
    call = live_a.release("B", watch={"seconds": 3.0})
    playing = live_a.begin(call)
    bodies: set[str] = set()
    end = time.monotonic() + 30.0
    while playing.process.poll() is None and time.monotonic() < end:
        for status, body in fetch(front, "/v1/version", 20):
            assert status == STATUS_OK
            bodies.add(body.decode())
    playing.end()[0].ok()
    for name in ("A", "B"):
        assert any(sha(name) in body for body in bodies), name
    assert_whole(live_a, "B")


def test_a_container_that_ignores_sigterm_is_ended_after_its_grace(
    live_a: Bench, front: str
) -> None:
    live_a.one(live_a.release("ignore-sigterm")).ok()
    with load(front) as counts:
        result = live_a.one(live_a.release("B", stop_timeout=2)).ok()
    counts.clean()
    (seconds,) = (step["seconds"] for step in result["steps"] if step["step"] == "retire")
    assert seconds >= 2.0
    assert_whole(live_a, "B")


def test_a_live_container_killed_during_the_watch_of_its_release_goes_back(live_a: Bench) -> None:
    kill = kill_process_of(f"greenlight.sha={sha('B')}")
    result = during(live_a, live_a.release("B", watch={"seconds": 6.0}), WATCHING, kill)
    assert "failed at step 'watch'" in result.msg
    assert_whole(live_a, "A")
