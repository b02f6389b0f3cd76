# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which the sample API can be bad ends in a clear error with the old one serving."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.support.ansible import Result
from tests.integration.support.bench import HEALTH, Bench, sha
from tests.load.driver import LoadRun
from tests.load.options import LoadOptions

SHORT = {**HEALTH, "deadline": 1.5, "timeout": 1}
WATCH = {"seconds": 8, "interval": 0.2}


@dataclass(frozen=True)
class Bad:
    """How one misbehaviour ends: step, reason, check, last answer, and the options that show it."""

    step: str
    reason: str
    check: str = "GET http://172.31.10.3:3002/v1/health"
    answer: str = ""
    options: dict[str, Any] = field(default_factory=lambda: {"health": SHORT})


BAD = {
    "never-healthy": Bad(
        "gate", "checks failed, the last of them with: status 503, wanted 200", answer="HTTP 503 in"
    ),
    "unhealthy-json": Bad("gate", "\"status == 'healthy'\" gave false", answer="HTTP 200 in"),
    "redirect-health": Bad("gate", "redirects to /v1/version", answer="HTTP 302 in"),
    "hang-health": Bad("gate", "no HTTP answer (no answer within 1 s)", answer="none (no answer"),
    "crash-on-start": Bad("gate", "ended with exit code 1 before it was healthy"),
    "wrong-port": Bad("gate", "listens on port 4002, not on 3002", answer="none ("),
    "slow-start": Bad("gate", "Nothing listens inside the container; it should on port 3002"),
    "crash-after": Bad("watch", "", "", options={"watch": WATCH}),
}


def release_a(bench: Bench) -> None:
    """Make A the only release there is, unless it is that already."""
    found = bench.containers().values()
    if bench.serving() != sha("A") or len(found) != 1:
        bench.clean()
        bench.one(bench.release("A")).ok()


@contextmanager
def traffic(url: str) -> Iterator[LoadRun]:
    """Some requests a second for at most a minute."""
    options = LoadOptions(
        url, seconds=60, keepalive_rate=20, connection_rate=10, slow_rate=0, stream_rate=0
    )
    with LoadRun(options) as load:
        yield load


def assert_explained(result: Result, bad: Bad, name: str) -> None:
    """See all parts of the message that a tired person needs."""
    failure = result["failure"]
    assert failure["step"] == bad.step
    assert bad.reason in failure["reason"], failure
    assert bad.check in failure["check"], failure
    assert bad.answer in failure["last_answer"], failure
    assert f"Release of {sha(name)[:7]} failed at step '{bad.step}'" in result.msg
    assert 1 <= len(failure["log_lines"]) <= 20
    assert "log lines of the container:" in result.msg
    assert f"serving now {sha('A')} in slot blue" in result.msg
    assert "is gone" in failure["outcome"]
    assert "run next nothing has to be undone" in result.msg
    assert "update-api.yml -e sha=<fixed sha>" in result.msg


@pytest.mark.parametrize("name", BAD)
def test_it_ends_with_the_old_release_serving(whole_bench: Bench, name: str) -> None:
    bench, bad = whole_bench, BAD[name]
    release_a(bench)
    before = bench.state()
    result = bench.one(bench.release(name, **bad.options))
    assert_explained(result, bad, name)
    after = bench.state()
    for what in ("containers", "map", "runtime", "lease", "haproxy"):
        assert after[what] == before[what], what
    assert bench.serving() == sha("A")
    if name == "crash-after":
        assert "crash" in result["failure"]["reason"] or "ended" in result["failure"]["reason"]


@pytest.mark.parametrize("name", ["crash-after-traffic", "errors"])
def test_it_goes_back_when_it_fails_under_traffic(
    whole_bench: Bench, front: str, name: str
) -> None:
    bench = whole_bench
    release_a(bench)
    before = bench.state()
    with traffic(front) as load:
        result = bench.one(bench.release(name, watch=WATCH))
        load.start_phase("afterwards")
        counts = load.stop()
    assert_explained(result, Bad("watch", "", ""), name)
    assert f"the pointer is back on {sha('A')[:7]}" in result["failure"]["outcome"]
    reason = result["failure"]["reason"]
    if name == "errors":
        assert "requests failed (" in reason
        assert "the limit is 5 %" in reason
    else:
        assert "the container" in reason or "health checks in a row failed" in reason
    after = bench.state()
    assert (after["containers"], after["runtime"]) == (before["containers"], before["runtime"])
    assert bench.serving() == sha("A")
    assert counts["ok"] > 0


def test_a_release_that_ignores_sigterm_is_ended_after_its_grace(whole_bench: Bench) -> None:
    bench = whole_bench
    release_a(bench)
    deaf, after = bench.play(bench.release("ignore-sigterm"), bench.release("A", stop_timeout=2))
    assert deaf.ok()["live"]["sha"] == sha("ignore-sigterm")
    seconds = {step["step"]: step["seconds"] for step in after.ok()["steps"]}
    assert 1.9 <= seconds["retire"] < 6
    assert bench.serving() == sha("A")
    ended = bench.containers()[after["standby"]["name"]]
    assert (ended["State"]["Status"], ended["State"]["ExitCode"]) == ("exited", 137)


def test_the_error_shows_the_last_twenty_log_lines_and_no_more(whole_bench: Bench) -> None:
    bench = whole_bench
    release_a(bench)
    noisy = ["sh", "-c", "for i in $(seq 50); do echo line $i; done; exit 3"]
    result = bench.one(bench.release("B", command=noisy))
    assert result["failure"]["log_lines"] == [f"line {number}" for number in range(31, 51)]
    assert "ended with exit code 3" in result.msg
    assert "last 20 log lines" in result.msg
    assert bench.serving() == sha("A")


def test_a_first_release_that_fails_leaves_no_release(bench: Bench) -> None:
    before = bench.state()
    result = bench.one(bench.release("never-healthy", health=SHORT))
    assert "serving now no release is live on this host" in result.msg
    after = bench.state()
    assert (after["containers"], after["runtime"]) == (before["containers"], before["runtime"])
    assert "no release is live on this host yet" in bench.serving()
