# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of a fleet's phases, and what keeps a fleet from beginning."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.plugin_utils import board
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import UnreachableError
from tests.unit.rollout.fakes import FIVE, OLD, FakeFleet, Fault, result_of

ALL_PHASES = ["planned", "staged", "live", "settled", "close"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "_INTERVAL", 0.001)


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
    assert fleet.calls("only") == ["whole", "close"]


def test_one_host_whose_process_is_killed_goes_back(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, ["only"], faults={("only", "whole"): "failed"})
    result = result_of(fleet.run()["only"])
    assert result["failed"]
    assert "killed. The old release serves." in result["msg"]
    assert fleet.calls("only") == ["whole", "reverted", "close"]


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
