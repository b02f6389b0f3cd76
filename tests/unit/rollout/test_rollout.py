# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of a fleet's phases, and what every host does when one fails anywhere."""

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
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import UnreachableError
from tests.unit.rollout.fakes import OLD, CrashError, FakeFleet, Fault, Result

FIVE = ["a", "b", "c", "d", "e"]
ALL_PHASES = ["planned", "staged", "live", "settled", "close"]
BEFORE_SETTLED = ("staged", "live", "verified")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "_INTERVAL", 0.001)


def result_of(found: Result | BaseException) -> Result:
    assert isinstance(found, dict), found
    return found


def test_phases_keep_their_order_over_the_fleet(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, FIVE, batch=2, missing="")
    results = fleet.run()
    for host in FIVE:
        result = result_of(results[host])
        assert (result["changed"], result["told"], result.get("failed")) == (True, True, None)
        assert result["message"] == "aaaaaaa is live, bbbbbbb is the standby"
        assert fleet.calls(host) == (["reserve"] if host == "a" else []) + ALL_PHASES
    assert max(fleet.moments("planned", "end")) < min(fleet.moments("staged", "begin"))
    assert max(fleet.moments("staged", "end")) < min(fleet.moments("live", "begin"))
    assert max(fleet.moments("live", "end")) < min(fleet.moments("settled", "begin"))
    assert fleet.expected == dict.fromkeys(FIVE, "api-green")
    assert [said for said in fleet.said if said[1] == "line"] == [("a", "line", "all seen")]


def test_batches_cut_over_one_after_another(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, FIVE, batch=2)
    fleet.run()
    begun = {h: fleet.log.index((h, "live", "begin")) for h in FIVE}
    ended = {h: fleet.log.index((h, "live", "end")) for h in FIVE}
    assert max(ended["a"], ended["b"]) < min(begun["c"], begun["d"])
    assert max(ended["c"], ended["d"]) < begun["e"]
    titles = [text for _h, kind, text in fleet.said if kind == "title"]
    assert titles == [
        "Phase staged of the release on a, b, c, d, e",
        "Phase live of the release on a, b",
        "Phase live of the release on c, d",
        "Phase live of the release on e",
        "Phase settled of the release on a, b, c, d, e",
    ]


def test_one_host_without_a_balancer_goes_all_the_way_in_one_call(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, ["only"])
    assert result_of(fleet.run()["only"])["message"].startswith("aaaaaaa is live")
    assert fleet.calls("only") == ["reserve", "planned", "settled", "close"]


def test_one_host_behind_a_balancer_is_looked_at_before_it_settles(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, ["only"], missing="only was not seen")
    result = result_of(fleet.run()["only"])
    assert result["failed"]
    assert fleet.calls("only")[2:] == ["staged", "live", "reverted", "inspect", "close"]


def test_hosts_that_need_nothing_wait_beside_those_that_do(tmp_path: Path) -> None:
    # The first of them leads all the same: it reserves, looks through the balancer and sums up.
    fleet = FakeFleet(tmp_path, FIVE, batch=2, idle=frozenset("ac"), missing="")
    results = fleet.run()
    assert [result_of(results[h])["changed"] for h in FIVE] == [False, True, False, True, True]
    assert fleet.calls("a") == ["reserve", "planned", "close"]
    assert fleet.calls("c") == ["planned", "close"]
    assert [said[0] for said in fleet.said if said[1] == "line"] == ["a"]
    assert "Phase live of the release on b, d" in [text for _h, _k, text in fleet.said]
    assert fleet.expected == dict.fromkeys(FIVE, "api-green")


def test_nobody_in_need_changes_nothing(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, FIVE, idle=frozenset(FIVE), missing="never asked")
    results = fleet.run()
    assert {result_of(results[h])["message"] for h in FIVE} == {"what the host says"}
    assert not any(result_of(results[h])["changed"] for h in FIVE)
    assert {call for _h, call, _m in fleet.log} == {"reserve", "planned", "close"}


def test_check_mode_asks_for_plans_alone(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, FIVE, check_mode=True, missing="never asked")
    results = fleet.run()
    assert all(result_of(results[h])["changed"] for h in FIVE)
    assert {call for _h, call, _m in fleet.log} == {"reserve", "planned", "close"}


def test_check_mode_gives_nothing_back_since_nothing_was_reserved(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, FIVE, check_mode=True, faults={("b", "planned"): "failed"})
    assert all(result_of(result)["failed"] for result in fleet.run().values())
    assert {call for _h, call, _m in fleet.log} == {"reserve", "planned", "close"}


@pytest.mark.parametrize("fault", ["failed", "unreachable", "error", "crash"])
@pytest.mark.parametrize("host", ["a", "c"])
def test_a_host_that_cannot_plan_keeps_all_from_beginning(
    tmp_path: Path, host: str, fault: Fault
) -> None:
    fleet = FakeFleet(tmp_path, FIVE, faults={(host, "planned"): fault})
    results = fleet.run()
    for other in set(FIVE) - {host}:
        result = result_of(results[other])
        assert result["failed"]
        assert not result["changed"]
        assert result["msg"] == "Another host cannot take part.\nNo host was touched."
    if fault == "unreachable":
        assert isinstance(results[host], UnreachableError)
    elif fault != "crash":
        assert result_of(results[host])["msg"].endswith("\nNo host was touched.")
    # The leader gives its reservation back, unless it has none.
    assert ("reverted" in fleet.calls("a")) is (host != "a")
    others = {call for who, call, _m in fleet.log if who != "a"}
    assert others <= {"planned", "close"}


@pytest.mark.parametrize("fault", ["failed", "unreachable", "error"])
def test_a_reservation_that_stays_does_not_hide_the_reason(tmp_path: Path, fault: Fault) -> None:
    fleet = FakeFleet(tmp_path, ["a", "b"], shas={"b": OLD}, faults={("a", "reverted"): fault})
    message = result_of(fleet.run()["a"])["msg"]
    assert "do not mean the same release" in message
    assert "It stays reserved for a while" in message


def test_plans_that_contradict_begin_nothing(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, FIVE, shas={"d": OLD})
    results = fleet.run()
    for host in FIVE:
        message = result_of(results[host])["msg"]
        assert "do not mean the same release" in message
        assert "  d: bbbbbbb" in message
    assert "reverted" in fleet.calls("a")
    assert fleet.moments("staged", "begin") == []


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
