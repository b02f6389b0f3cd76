# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller makes of the hosts' results: decisions, summaries, tables, lines, rules."""

from __future__ import annotations

import json
import re
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import networks
from ansible_collections.greenlight.droplet.plugins.plugin_utils import console, fleet

SHA, OLD = "a" * 40, "b" * 40


def test_expected_backends_follow_the_live_slots() -> None:
    blue, green = {"live": {"slot": "blue"}, "run": "2"}, {"live": {"slot": "green"}, "run": "2"}
    hostvars = {
        "a": {"__app_plan": blue, "__app_live": green},
        "b": {"__app_plan": blue},
        "c": {"__app_plan": blue, "__app_live": {**green, "run": "1"}},
    }
    expected = {"a": "api-green", "b": "api-blue", "c": "api-blue"}
    assert fleet.expected_backends(hostvars, ["a", "b", "c"], "api") == expected


def test_status_table_lines_up_and_notes_trouble() -> None:
    live = {"sha": SHA, "digest": "sha256:" + "c" * 64, "slot": "blue", "since": "now"}
    live |= {"config": "0123456789ab", "release": "20261127T075800Z-aaaaaaa"}
    info = {
        "live": {**live, "state": "exited"},
        "standby": {},
        "retained": [{"sha": OLD, "digest": "", "state": "retained", "since": ""}],
        "pointer": {"file": "blue", "runtime": "green", "answered": True},
        "leftovers": [{"name": "api-blue-1"}],
        "canary": {"slot": "", "percent": 0},
        "freeze": "",
        "unfinished": "",
        "damaged_lines": 0,
        "notes": [],
        "lease": "ann until noon",
    }
    text = fleet.status_table({"a": {"__app_info": info}}, ["a"])
    rows = text.splitlines()
    assert rows[0].startswith("HOST  STATE")
    assert rows[1].split()[:5] == ["a", "live", "aaaaaaa", "c" * 12, "0123456789ab"]
    assert rows[1].split()[-1] == "20261127T075800Z-aaaaaaa"
    assert rows[2].split()[:3] == ["a", "retained", "bbbbbbb"]
    for note in ("container is exited", "HAProxy uses green", "api-blue-1 is left over", "ann"):
        assert note in text


def test_step_lines_and_errors_of_ours_only() -> None:
    step = {"step": "gate", "seconds": 1.234, "text": "3 of 3"}
    action = "greenlight.droplet.release"
    assert console.result_lines(action, {"steps": [step]}) == ["gate              1.23 s   3 of 3"]
    quiet = {"message": "m", "plan": ["start: x"], "changed": False}
    assert console.result_lines(action, quiet) == ["m"]
    assert console.result_lines(action, {**quiet, "changed": True}) == ["m", "  start: x"]
    assert console.result_lines("ansible.builtin.copy", {"msg": "a\nb"}) is None
    assert console.result_lines("ansible.builtin.debug", {"msg": "a\nb"}) == ["a", "b"]
    assert console.failure_text(action, {"msg": "why"}) == "why"
    assert console.failure_text("ansible.builtin.copy", {"msg": "why"}) is None


@pytest.mark.parametrize(
    ("addresses", "found"),
    [
        (["10.20.0.11"], ["10.20.0.0/20"]),
        (["10.20.16.1"], []),
        (["2001:db8::5"], ["2001:db8::/32"]),
        (["fe80::1%eth0"], []),
    ],
)
def test_networks_holding_addresses(addresses: list[str], found: list[str]) -> None:
    assert networks.networks_holding(["10.20.0.0/20", "2001:db8::/32"], addresses) == found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: networks.networks_holding(["10.0.0.0/33"], []), "'10.0.0.0/33' is not a network"),
        (lambda: networks.networks_holding([], ["ten"]), "'ten' is not an IP address"),
        (lambda: networks.slot_address("10.0.0.0/24", "red"), "'red' is not a slot"),
        (lambda: networks.slot_address("10.0.0.0/32", "blue"), "holds two slots"),
    ],
)
def test_bad_networks_are_named(call: t.Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_slots_have_fixed_addresses() -> None:
    assert networks.slot_address("172.31.10.0/24", "blue") == "172.31.10.2"
    assert networks.slot_address("172.31.10.0/24", "green") == "172.31.10.3"


def run_of(time: str, **changes: t.Any) -> dict[str, t.Any]:
    """A run as release_info tells it."""
    told = {"time": time, "ended": "later", "action": "release", "from_sha": OLD, "sha": SHA}
    rest = {"outcome": "settled", "reason": "", "seconds": {"gate": 1.0, "drain": 0.25}}
    return {**told, **rest, "holder": "ann@laptop", "ci_run": "", **changes}


def test_runs_table_is_newest_first_and_says_who_and_why() -> None:
    runs = [
        run_of("noon", outcome="reverted", reason="x" * 80 + "\nsecond line"),
        run_of("one", ended="", outcome="staged", ci_run="https://ci.example.com/7"),
    ]
    text = fleet.runs_table({"a": {"__app_info": {"runs": runs}}}, ["a"], 5)
    header, newest, oldest = text.splitlines()
    assert header.split() == ["HOST", "BEGAN", "ACTION", "FROM", "TO", "OUTCOME", "SECONDS", "WHO"]
    assert "unfinished (staged)" in newest
    assert newest.split()[-3:] == ["1.2", "ann@laptop", "https://ci.example.com/7"]
    assert f"reverted: {'x' * 57}..." in oldest
    assert OLD[:7] in oldest
    assert len(fleet.runs_table({"a": {"__app_info": {"runs": runs}}}, ["a"], 1).splitlines()) == 2


def test_journal_lines_are_sorted_over_the_hosts() -> None:
    events = {"a": [{"time": "2", "event": "live"}], "b": [{"time": "1", "event": "begin"}]}
    hosts = {name: {"__app_info": {"events": found}} for name, found in events.items()}
    lines = [json.loads(line) for line in fleet.journal_lines(hosts, ["a", "b"]).splitlines()]
    assert [(line["host"], line["event"]) for line in lines] == [("b", "begin"), ("a", "live")]


ESCAPE, SEEN = "\x1b[2J\u202e", "\\x1b[2J\\u202e"


def test_what_hosts_and_users_said_moves_no_terminal() -> None:
    action = "greenlight.droplet.release"
    step = {"step": "gate", "seconds": 1.0, "text": ESCAPE}
    results: list[tuple[str, dict[str, t.Any]]] = [
        (action, {"steps": [step]}),
        (action, {"message": ESCAPE, "plan": [ESCAPE], "changed": True}),
        (action, {"message": ESCAPE}),
        ("debug", {"msg": f"{ESCAPE}\nb\r"}),
    ]
    for name, result in results:
        lines = console.result_lines(name, result)
        assert lines is not None
        assert all(line.isprintable() for line in lines)
        assert SEEN in lines[0]
    assert console.failure_text(action, {"msg": f"a\n{ESCAPE}"}) == f"a\n{SEEN}"


def test_a_cell_is_one_line_and_columns_line_up() -> None:
    rows = [("HOST", "WHO"), ("a", f"ann{ESCAPE}\nb  x"), (f"{ESCAPE}", "y" * 999)]
    lines = fleet.aligned(rows)
    assert all(line.isprintable() for line in lines)
    assert lines[1] == f"{'a':<{len(SEEN)}}  ann{SEEN} b x"
    assert len({line.index("ann") for line in lines if "ann" in line}) == 1
    assert len(lines[2]) < 600


def test_tables_and_lines_are_safe() -> None:
    run = {
        "outcome": "reverted",
        "ended": "now",
        "reason": f"{ESCAPE}\nmore",
        "holder": f"ann{ESCAPE}",
        "ci_run": "",
        "seconds": {},
        "from_sha": "",
        "sha": "",
        "time": ESCAPE,
        "action": "release",
    }
    info = {"runs": [run], "events": [{"reason": f"{ESCAPE}\x7f\x9b"}]}
    hostvars = {"a": {"__app_info": info}}
    assert all(line.isprintable() for line in fleet.runs_table(hostvars, ["a"], 5).splitlines())
    line = fleet.journal_lines(hostvars, ["a"])
    assert line.isprintable()
    assert json.loads(line)["reason"] == f"{ESCAPE}\x7f\x9b"
