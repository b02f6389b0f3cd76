# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pointer: its file, the runtime socket's replies and refusals, and the counters."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import socket
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FileError,
    ProxyError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy import runtime_api
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy.check import check_lines
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy.runtime_api import (
    Proxy,
    Route,
    SlotStatus,
    is_edited,
    parse_map,
    parse_shown_map,
    parse_stat,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    Application,
    design_application,
)
from tests.unit import asked
from tests.unit.servers import RuntimeSocket

STAT = """# pxname,svname,qcur,qmax,scur,smax,stot,status,hrsp_5xx,econ,eresp,wretr,req_tot,
api-blue,slot,1,1,2,9,124,UP 1/2,3,1,2,4,3,
api-green,slot,0,0,0,0,0,UP,0,0,0,0,0,
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
    return dataclasses.replace(
        made, map=str(folder / "live.map"), socket=str(folder / "admin.sock")
    )


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
    assert blue == SlotStatus("UP 1/2", 3, 120, 3, 3, answered=3)
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


def test_a_canary_sets_its_target_before_its_share_and_goes_in_reverse(
    tmp_path: Path, runtime: RuntimeSocket
) -> None:
    proxy = Proxy(application(tmp_path))
    runtime.maps[application(tmp_path).canary_map] = {}
    proxy.set_canary("green", 20)
    route = proxy.read_route()
    assert (route.canary, route.percent) == ("green", 20)
    proxy.set_canary("green", 50)
    proxy.clear_canary()
    proxy.clear_canary()
    changes = [" ".join(c.split()[:2] + c.split()[3:]) for c in runtime.commands if "show" not in c]
    assert changes == [
        "add map backend api-green",
        "add map percent 20",
        "set map backend api-green",
        "set map percent 50",
        "del map percent",
        "del map backend",
    ]


def test_a_canary_without_its_map_says_what_to_run(tmp_path: Path, runtime: RuntimeSocket) -> None:
    assert runtime.commands == []
    with pytest.raises(ProxyError, match=r"which a canary needs. Run setup-api\.yml again"):
        Proxy(application(tmp_path)).set_canary("green", 20)


def test_a_map_of_a_newer_version_is_refused(tmp_path: Path, runtime: RuntimeSocket) -> None:
    assert runtime.commands == []
    Path(application(tmp_path).map).write_text("# The live slot (format 2).\napi api-blue\n")
    with pytest.raises(ProxyError, match=r"has format 2; this version .* knows 1"):
        Proxy(application(tmp_path)).read_route()


def test_a_configuration_changed_by_hand_is_seen() -> None:
    body = "global\n  daemon\n"
    checksum = hashlib.sha256(body.strip().encode()).hexdigest()
    ours = f"# Written by greenlight.droplet, checksum {checksum}\n{body}"
    assert not is_edited(ours)
    assert is_edited(ours + "maxconn 5\n")
    assert is_edited(body)


@pytest.mark.parametrize(
    "stat",
    [
        STAT.replace("124", "many"),
        STAT.replace("status", "state"),
        STAT.replace("svname", "name\x00"),
        STAT.replace("api-blue", "x" * 200_000, 1),
    ],
)
def test_a_status_of_another_form_is_said(runtime: RuntimeSocket, stat: str) -> None:
    runtime.stat = stat
    with pytest.raises(ProxyError, match=r"HAProxy('s reply to 'show stat'| has no server)"):
        Proxy(application(runtime.path.parent)).status("blue")


def test_a_refusal_reaches_no_terminal_as_it_is(runtime: RuntimeSocket) -> None:
    runtime.refusal = "no \x1b]0;title\x07"
    with pytest.raises(ProxyError) as caught:
        Proxy(application(runtime.path.parent)).set_runtime_route("blue")
    assert str(caught.value).endswith("no \\x1b]0;title\\x07")


def test_a_map_that_is_a_folder_is_said(runtime: RuntimeSocket) -> None:
    folder = runtime.path.parent
    (folder / "live.map").mkdir()
    proxy = Proxy(application(folder))
    with pytest.raises(FileError, match=r"Cannot read .*live\.map"):
        proxy.read_route()
    with pytest.raises(FileError, match=r"Cannot write .*live\.map"):
        proxy.write_route_file("blue")
    assert sorted(path.name for path in folder.iterdir()) == ["admin.sock", "live.map"]


def test_a_reply_that_trickles_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_api, "TIMEOUT", 0.5)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "admin.sock"))
    server.listen()

    def trickle() -> None:
        connection, _address = server.accept()
        with connection, contextlib.suppress(OSError):
            for _number in range(20):
                connection.sendall(b"x")
                time.sleep(0.1)

    thread = threading.Thread(target=trickle)
    thread.start()
    begin = time.monotonic()
    with pytest.raises(ProxyError, match="does not answer"):
        Proxy(application(tmp_path)).status("blue")
    assert time.monotonic() - begin < 0.8
    server.close()
    thread.join()


def test_a_health_check_that_set_up_was_not_told_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "haproxy.cfg"
    monkeypatch.setattr(runtime_api, "CONFIGURATION", str(path))
    proxy = Proxy(application(tmp_path))
    assert proxy.other_checks(asked.health()) == []
    lines = "".join(f"    {line}\n" for line in check_lines(asked.health()))
    path.write_text(f"global\n\nbackend api-blue\n{lines}\nbackend api-green\n{lines}")
    assert proxy.other_checks(asked.health()) == []
    assert proxy.other_checks(asked.health(path="/up", deadline=9.0)) == ["health.path"]
