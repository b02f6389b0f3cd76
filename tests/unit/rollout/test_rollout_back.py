# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every host does when one fails in the middle: all go back, or all have settled."""

from __future__ import annotations

import os
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.greenlight.droplet.plugins.plugin_utils import board
from ansible_collections.greenlight.droplet.plugins.plugin_utils.board import AbandonedError
from tests.unit.rollout.fakes import FIVE, CrashError, FakeFleet, Fault, result_of


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "_INTERVAL", 0.001)


@pytest.mark.parametrize("fault", ["failed", "unreachable", "error"])
@pytest.mark.parametrize(("host", "state"), [("a", "staged"), ("d", "staged"), ("d", "live")])
def test_all_go_back_when_one_fails(tmp_path: Path, host: str, state: str, fault: Fault) -> None:
    fleet = FakeFleet(tmp_path, FIVE, batch=2, faults={(host, state): fault}, missing="")
    results = fleet.run()
    assert fleet.moments("settled", "begin") == []
    for other in FIVE:
        result = result_of(results[other])
        assert result["failed"]
        assert result["changed"] is ((other, "staged") != (host, state)), "the others have staged"
        assert fleet.calls(other)[-3:] == ["reverted", "inspect", "close"]
        text = result["msg"].splitlines()
        if other == "a":
            assert text[0] == f"aaaaaaa was not released: {host} failed."
            assert f"  {'e':<16} bbbbbbb (running)" in text
        else:
            assert text == ["aaaaaaa was not released; serving here: bbbbbbb (running)"]
    live = {h for h in FIVE if "live" in fleet.calls(h)}
    assert live == (set() if state == "staged" else set("abcd"))
    errors = [(who, text) for who, kind, text in fleet.said if kind == "error"]
    assert [who for who, _text in errors] == [host]


def test_whose_turn_never_comes_says_so_without_waiting_for_the_slow(tmp_path: Path) -> None:
    def slow(host: str, call: str) -> None:
        if (host, call) == ("b", "live"):
            end = time.monotonic() + 2.0
            while '"live", "host": "c"' not in (tmp_path / "board").read_text():
                assert time.monotonic() < end, "c waits for b although a has failed"
                time.sleep(0.01)

    fleet = FakeFleet(tmp_path, ["a", "b", "c"], batch=2, faults={("a", "live"): "failed"})
    fleet.before = slow
    assert all(result_of(result)["failed"] for result in fleet.run().values())
    assert "live" not in fleet.calls("c")


@pytest.mark.parametrize("state", ["staged", "live"])
def test_a_process_that_ends_in_the_middle_takes_the_others_back(
    tmp_path: Path, state: str
) -> None:
    fleet = FakeFleet(tmp_path, FIVE, faults={("c", state): "crash"})
    results = fleet.run()
    assert isinstance(results["c"], CrashError)
    assert fleet.calls("c")[-4:] == [state, "reverted", "inspect", "close"]
    for other in "abde":
        assert result_of(results[other])["failed"]
        assert fleet.calls(other)[-3:] == ["reverted", "inspect", "close"]
    summary = result_of(results["a"])["msg"]
    assert "c failed" in summary
    assert "left the release in the middle" in summary
    assert "The hosts differ" in summary, "nobody knows what serves there"


def test_an_error_while_looking_through_the_balancer_takes_all_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_expected: dict[str, str]) -> tuple[str, str]:
        raise CrashError("verify")

    fleet = FakeFleet(tmp_path, FIVE, missing="")
    monkeypatch.setattr(fleet, "_verify", stumble)
    results = fleet.run()
    assert isinstance(results["a"], CrashError)
    assert fleet.moments("settled", "begin") == []
    assert len(fleet.moments("reverted", "end")) == len(FIVE)
    assert all(result_of(results[host])["failed"] for host in "bcde")


def test_nobody_goes_back_by_itself_when_the_playbook_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = FakeFleet(tmp_path, ["a", "b"])
    parent = os.getppid()

    def orphan(host: str, call: str) -> None:
        if (host, call) == ("b", "live"):
            monkeypatch.setattr(os, "getppid", lambda: parent + 1)
            time.sleep(0.05)

    fleet.before = orphan
    results = fleet.run()
    assert isinstance(results["a"], AbandonedError)
    assert fleet.moments("reverted", "begin") == []


def test_what_the_balancer_misses_takes_all_back(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, FIVE, batch=5, missing="b was not seen")
    results = fleet.run()
    assert "b was not seen" in result_of(results["a"])["msg"]
    assert fleet.moments("settled", "begin") == []
    assert len(fleet.moments("reverted", "end")) == len(FIVE)


@pytest.mark.parametrize("fault", ["failed", "unreachable", "error"])
def test_a_host_that_cannot_settle_is_said_once_and_nobody_goes_back(
    tmp_path: Path, fault: Fault
) -> None:
    fleet = FakeFleet(tmp_path, FIVE, faults={("b", "settled"): fault})
    results = fleet.run()
    assert fleet.moments("reverted", "begin") == []
    assert len(fleet.moments("settled", "begin")) == len(FIVE)
    assert [h for h in FIVE if result_of(results[h]).get("failed")] == ["a", "b"]
    text = result_of(results["a"])["msg"]
    assert text.startswith("aaaaaaa is live on every host, but b could not settle:")
    assert all(result_of(results[h])["changed"] for h in FIVE)
    assert all(result_of(results[h])["told"] for h in FIVE)


@pytest.mark.parametrize("fault", ["failed", "unreachable", "error"])
@pytest.mark.parametrize("call", ["reverted", "inspect"])
def test_a_host_that_cannot_go_back_is_not_said_to_serve(
    tmp_path: Path, call: str, fault: Fault
) -> None:
    faults: dict[tuple[str, str], Fault] = {("e", "live"): "failed", ("b", call): fault}
    fleet = FakeFleet(tmp_path, FIVE, faults=faults)
    summary = result_of(fleet.run()["a"])["msg"]
    assert "The hosts differ" in summary
    assert "b, e failed" in summary
    unknown = f"  {'b':<16} unreachable, unknown" in summary
    assert unknown is not (call == "reverted" and fault == "failed")


FAULTS = st.dictionaries(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from(["planned", "staged", "live", "settled", "reverted", "inspect"]),
    ),
    st.sampled_from(t.get_args(Fault)),
    max_size=3,
)


@settings(max_examples=100, deadline=None)
@given(
    faults=FAULTS,
    batch=st.integers(1, 4),
    idle=st.frozensets(st.sampled_from("abcd"), max_size=3),
    missing=st.sampled_from([None, "", "b was not seen"]),
)
def test_all_or_none_wherever_it_fails(
    faults: dict[tuple[str, str], Fault], batch: int, idle: frozenset[str], missing: str | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fleet = FakeFleet(Path(folder), list("abcd"), batch, idle, faults, missing=missing)
        results = fleet.run()
    asked = {h: fleet.calls(h) for h in fleet.hosts}
    if fleet.struck("planned"):
        assert not any("staged" in calls for calls in asked.values())
    elif fleet.struck("staged", "live") or missing:
        assert not any("settled" in calls for calls in asked.values())
        assert all("reverted" in asked[h] for h in fleet.needed())
        assert all(isinstance(r, BaseException) or r["failed"] for r in results.values())
    else:
        assert all("settled" in asked[h] for h in fleet.needed())
        assert not any("reverted" in calls for calls in asked.values())
    assert all("close" in asked[h] for h in fleet.hosts)
