# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pointer: its file, the runtime socket's replies and refusals, and the counters."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils.errors import ProxyError
from ansible_collections.greenlight.droplet.plugins.module_utils.proxy import (
    Proxy,
    Route,
    SlotStatus,
    parse_map,
    parse_shown_map,
    parse_stat,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import (
    Application,
    Watch,
    design_application,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.watch import assess
from tests.unit.parts.servers import RuntimeSocket

STAT = """# pxname,svname,qcur,qmax,scur,smax,stot,status,hrsp_5xx,econ,eresp,req_tot,
api-blue,slot,1,1,2,9,120,UP 1/2,3,1,2,,
api-green,slot,0,0,0,0,0,UP,0,0,0,,
"""


@pytest.fixture(name="runtime")
def fixture_runtime(tmp_path: Path) -> t.Iterator[RuntimeSocket]:
    """A runtime socket that lives as long as the test."""
    server = RuntimeSocket(tmp_path / "admin.sock")
    yield server
    server.close()


def application(folder: Path) -> Application:
    """An application whose map and socket are in a folder."""
    made = design_application("api", 3002, 3002, "172.31.10.0/24")
    return replace(made, map=str(folder / "live.map"), socket=str(folder / "admin.sock"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# api api-blue\n", None),
        ("api api-blue\n", "api-blue"),
        ("web web-blue\napi api-green\n", "api-green"),
        ("api\n", None),
    ],
)
def test_map_file(text: str, value: str | None) -> None:
    assert parse_map(text, "api") == value


def test_shown_map_ignores_what_is_no_entry() -> None:
    assert parse_shown_map("0x1 web web-blue\n0x2 api api-blue\n", "api") == "api-blue"
    assert parse_shown_map("Unknown map identifier.", "api") is None


def test_stat_counts_what_waits_and_what_is_served() -> None:
    slots = application(Path("/x")).slots
    blue, green = parse_stat(STAT, slots["blue"]), parse_stat(STAT, slots["green"])
    assert blue == SlotStatus("UP 1/2", 3, 120, 3, 3)
    assert green is not None
    assert green.is_up
    assert blue is not None
    assert not blue.is_up
    assert parse_stat("# pxname,svname\n", slots["blue"]) is None


def test_pointer_is_added_then_set_then_removed(tmp_path: Path, runtime: RuntimeSocket) -> None:
    proxy = Proxy(application(tmp_path))
    proxy.write_route_file("blue")
    proxy.set_runtime_route("blue")
    proxy.write_route_file("green")
    proxy.set_runtime_route("green")
    assert proxy.read_route() == Route("green", "green", answered=True)
    proxy.set_runtime_route(None)
    verbs = [command.split()[0] for command in runtime.commands if "show" not in command]
    assert verbs == ["add", "set", "del"]
    assert proxy.read_route().slot is None


def test_refusal_of_haproxy_is_an_error(tmp_path: Path, runtime: RuntimeSocket) -> None:
    runtime.refusal = "entry not found."
    with pytest.raises(ProxyError, match=r"HAProxy refused.*entry not found"):
        Proxy(application(tmp_path)).set_runtime_route("blue")


def test_a_pointer_that_did_not_move_is_an_error(
    tmp_path: Path, runtime: RuntimeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_answer", lambda _command: "")
    with pytest.raises(ProxyError, match="did not take over"):
        Proxy(application(tmp_path)).set_runtime_route("blue")


def test_silent_haproxy_leaves_the_file_as_witness(tmp_path: Path) -> None:
    proxy = Proxy(application(tmp_path))
    proxy.write_route_file("blue")
    route = proxy.read_route()
    assert route == Route("blue", None, answered=False)
    assert route.slot == "blue"
    with pytest.raises(ProxyError, match="systemctl status haproxy"):
        proxy.status("blue")


def counters(requests: int, errors: int, broken: int = 0) -> SlotStatus:
    """The counters of a slot."""
    return SlotStatus("UP", 0, requests, errors, broken)


@pytest.mark.parametrize(
    ("before", "now", "checks", "verdict"),
    [
        (counters(0, 0), counters(100, 0), 10, None),
        (counters(0, 0), counters(20, 2), 10, None),
        (counters(0, 0), counters(1000, 40), 0, None),
        (counters(0, 0), counters(100, 6), 0, "6 of 100 requests failed (6.0 %"),
        (counters(0, 0), counters(13, 3), 10, "3 of 3 requests failed (100.0 %"),
        (counters(50, 50), counters(150, 50), 0, None),
        (counters(0, 0), counters(100, 3, 4), 0, "7 of 100"),
        (counters(500, 90), counters(40, 9), 0, "9 of 40"),
    ],
)
def test_watch_judges_share_and_number(
    before: SlotStatus, now: SlotStatus, checks: int, verdict: str | None
) -> None:
    found = assess(before, now, checks, Watch())
    assert (found is None) if verdict is None else (found is not None and found.startswith(verdict))
