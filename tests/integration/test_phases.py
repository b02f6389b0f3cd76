# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phases of a fleet release on one host: each by itself, repeated, and taken back."""

from __future__ import annotations

import pytest

from tests.integration.support.bench import Bench, sha


@pytest.fixture
def live_a(bench: Bench) -> Bench:
    """The droplet with A live."""
    bench.one(bench.release("A")).ok()
    return bench


def test_each_phase_does_its_part_once(live_a: Bench) -> None:
    bench = live_a
    bench.four(bench.release("B", state="staged", run="r1"))
    state = bench.state()
    assert state["runtime"] == ["api api-blue"]
    assert '"run": "r1"' in state["lease"]
    assert bench.serving() == sha("A")
    assert {c["State"]["Status"] for c in bench.containers().values()} == {"running"}

    live = bench.four(bench.release("B", state="live", run="r1", watch={"seconds": 0.2}))
    assert live.apply.steps == ["confirm", "cut over", "watch"]
    assert bench.state()["runtime"] == ["api api-green"]
    assert bench.serving() == sha("B")
    assert {c["State"]["Status"] for c in bench.containers().values()} == {"running"}

    settled = bench.four(bench.release("B", state="settled", run="r1"))
    steps = [step for step in settled.apply.steps if step != "retain"]
    assert steps == ["commit", "drain", "retire"]
    assert bench.state()["lease"] is None
    events = [entry["event"] for entry in bench.journal() if entry["run"] == "r1"]
    wanted = ["begin", "start", "staged", "phase", "live", "phase", "committed", "settled"]
    assert events == wanted
    assert sorted(c["State"]["Status"] for c in bench.containers().values()) == [
        "exited",
        "running",
    ]


def test_a_staged_release_is_taken_back_once(live_a: Bench) -> None:
    bench = live_a
    before = bench.state()
    back = bench.release("B", state="reverted", run="r1")
    staged, reverted, again, unknown = bench.play(
        bench.release("B", state="staged", run="r1"),
        back,
        back,
        bench.release("B", state="reverted", run="nobody"),
    )
    assert staged.ok().changed
    assert reverted.ok().changed
    assert "is gone" in reverted["steps"][0]["text"]
    for nothing in (again, unknown):
        assert not nothing.ok().changed
        assert nothing["message"] == "this run has changed nothing here"
    after = bench.state()
    for what in ("containers", "map", "runtime", "lease"):
        assert after[what] == before[what]
    assert bench.serving() == sha("A")


def test_a_live_release_is_taken_back_and_the_pointer_first(live_a: Bench) -> None:
    bench = live_a
    live, reverted, again = bench.play(
        bench.release("B", state="live", run="r2"),
        bench.release("B", state="reverted", run="r2"),
        bench.release("B", state="reverted", run="r2"),
    )
    assert live.ok()["live"]["sha"] == sha("B")
    assert f"the pointer is back on {sha('A')[:7]}" in reverted.ok()["steps"][0]["text"]
    assert reverted["live"]["sha"] == sha("A")
    assert not again.ok().changed
    assert bench.serving() == sha("A")
    assert [c["State"]["Status"] for c in bench.containers().values()] == ["running"]
    # What was taken back does not count as a release that was live.
    assert "no previous release" in bench.one(bench.rollback()).msg


def test_a_run_that_was_taken_back_does_not_go_on_and_the_next_one_does(live_a: Bench) -> None:
    bench = live_a
    _staged, _back, refused, settled = bench.play(
        bench.release("B", state="staged", run="r3"),
        bench.release("B", state="reverted", run="r3"),
        bench.release("B", state="staged", run="r3"),
        bench.release("B", state="settled", run="r3-again"),
    )
    assert "This run was taken back on this host" in refused.msg
    assert settled.ok()["live"]["sha"] == sha("B")
    assert settled["standby"]["sha"] == sha("A")
    assert bench.serving() == sha("B")


def test_what_is_settled_is_not_taken_back(live_a: Bench) -> None:
    bench = live_a
    bench.one(bench.release("B", run="r4")).ok()
    bench.refused(
        bench.release("B", state="reverted", run="r4"), "Run r4 is final", "Roll back instead"
    )
    bench.refused(bench.release("B", state="reverted"), "state=reverted needs option run")


def test_a_rollback_has_the_same_phases(live_a: Bench) -> None:
    bench = live_a
    bench.one(bench.release("B")).ok()
    staged, back, live, settled = bench.play(
        bench.rollback(state="staged", run="r5"),
        bench.rollback(state="reverted", run="r5"),
        bench.rollback(state="live", run="r6"),
        bench.rollback(state="settled", run="r6"),
    )
    assert staged.ok().steps == ["start standby", "gate"]
    assert "stopped again and kept" in back.ok()["steps"][0]["text"]
    assert back["standby"]["sha"] == sha("A")
    assert live.ok()["live"]["sha"] == sha("A")
    assert settled.ok()["standby"]["sha"] == sha("B")
    assert settled["standby"]["state"] == "exited"
    assert bench.serving() == sha("A")
