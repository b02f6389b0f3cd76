# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Not one packet for a slot leaves the droplet, whatever becomes of the bridge.

A packet for a slot whose bridge is not there would follow the default route to somebody else's
server, which would answer HAProxy's checks and users' requests.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev import sample_api, settings
from dev.sample_versions import VERSIONS
from tests.hardening.droplets import Droplet, fleet

PROGRAM = Path(__file__).resolve().parent / "remote" / "slot_watch.py"
WATCH = "/root/slot_watch.py"
SEEN = "/root/slot_watch.json"
RATE = 20
NETWORK = "greenlight-api"
BLUE, GREEN = "172.31.10.2", "172.31.10.3"
# Of the application's subnet, and given a way out of the droplet by a test.
AWAY = "172.31.10.99"
LIVE = "/var/lib/greenlight/api/live.map"
REPOSITORY = "hardening"
IMAGE = f"{settings.REGISTRY_HOST}:5000/{REPOSITORY}:{VERSIONS['A'].sha}"
RUN = f"docker run --detach --restart unless-stopped --network {NETWORK}"
# It captures before there is a network, HAProxy or Docker, and its unit is gone after one boot.
BOOT_UNIT = f"""[Unit]
DefaultDependencies=no
Before=network-pre.target greenlight-slots.service
[Service]
Type=notify
ExecStartPre=/bin/rm -f /etc/systemd/system/sysinit.target.wants/slot-watch-boot.service
ExecStart=/usr/bin/python3 {WATCH} 8 {RATE} {SEEN}
"""
# Listens like an application that is not ready: its check fails, and all else gets an answer.
UNREADY = """
import http.server
class Unready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if self.path == "/v1/health" else 200)
        self.end_headers()
        self.wfile.write(b"unready")
http.server.ThreadingHTTPServer(("0.0.0.0", 3002), Unready).serve_forever()
"""

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def live(whole_droplet: Droplet) -> Iterator[Droplet]:
    """A droplet with the sample API live in slot blue, as a release leaves it."""
    droplet = whole_droplet
    fleet("up", "--droplets", "0")
    sample_api.build([VERSIONS["A"]], push=True, name=REPOSITORY)
    password = settings.REGISTRY_PASSWORD.read_text(encoding="utf-8").strip()
    server = f"{settings.REGISTRY_HOST}:5000"
    pulled = f"docker --config /run/slots pull --quiet {IMAGE}"
    droplet.inside(
        f"docker --config /run/slots login --username {settings.REGISTRY_USER} --password-stdin"
        f" {server} <<<{password} && {pulled} && rm -r /run/slots"
    )
    droplet.inside(f"cat >{WATCH} <<'END'\n{PROGRAM.read_text(encoding='utf-8')}\nEND")
    before = droplet.inside(f"cat {LIVE}")
    try:
        droplet.inside(f"{RUN} --name slot-blue --ip {BLUE} {IMAGE}")
        droplet.inside(f"echo 'api api-blue' >{LIVE} && systemctl restart haproxy")
        wait_served(droplet)
        yield droplet
    finally:
        listed = "docker ps --all --quiet --filter name=slot-"
        droplet.inside(f"{listed} | xargs --no-run-if-empty docker rm --force")
        droplet.inside(f"cat >{LIVE} <<'END'\n{before.strip()}\nEND\nsystemctl restart haproxy")
        droplet.inside(f"rm -f {WATCH} {SEEN} /etc/systemd/system/slot-watch-boot.service")


def wait_served(droplet: Droplet) -> None:
    """Wait until the release answers through the proxy."""
    ask = "python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:3002/v1/version\")'"
    end = time.monotonic() + 15.0
    while droplet.try_inside(ask)[0] != 0:
        assert time.monotonic() < end, droplet.inside("journalctl -u haproxy -n 20 --no-pager")
        time.sleep(0.2)


def watched(droplet: Droplet, seconds: float, command: str, rate: int = RATE) -> Seen:
    """Run a command while requests come in, and return what was answered and what has left."""
    droplet.inside(
        f"rm -f {SEEN}; systemd-run --quiet --collect --unit=slot-watch --service-type=notify"
        f" python3 {WATCH} {seconds} {rate} {SEEN}"
    )
    droplet.inside(command)
    return seen(droplet)


def seen(droplet: Droplet) -> Seen:
    """Wait for the end of the watch; nothing may have left, whoever answered must be ours."""
    found = read(droplet)
    assert found["left"] == {}, found
    return found


def read(droplet: Droplet) -> Seen:
    """Wait for the end of the watch and return what it saw."""
    end = time.monotonic() + 40.0
    while droplet.try_inside(f"test -e {SEEN}")[0] != 0:
        assert time.monotonic() < end, droplet.inside("systemctl status slot-watch --no-pager")
        time.sleep(0.3)
    found: Seen = json.loads(droplet.inside(f"cat {SEEN}"))
    print(found)
    return found


def test_the_capture_sees_what_the_guard_keeps_here(live: Droplet) -> None:
    """Without it every test of this file would pass on a droplet that guards nothing."""
    gateway = live.inside("ip -4 route show default").split()[2]
    send = f"for i in 1 2 3; do echo x >/dev/udp/{AWAY}/9; sleep 0.1; done; true"
    live.inside(f"ip route add {AWAY}/32 via {gateway} dev eth0")
    try:
        watched(live, 2, send)
        live.inside("nft delete table ip greenlight_slots")
        watch = f"--service-type=notify python3 {WATCH} 2 {RATE} {SEEN}"
        live.inside(f"rm -f {SEEN}; systemd-run --quiet --collect --unit=slot-watch {watch}")
        live.inside(send)
        assert read(live)["left"] == {AWAY: 3}
    finally:
        live.inside(f"ip route delete {AWAY}/32; systemctl reload greenlight-slots")
    watched(live, 1, "true")


def test_a_reboot(live: Droplet) -> None:
    wants = "/etc/systemd/system/sysinit.target.wants"
    unit = "/etc/systemd/system/slot-watch-boot.service"
    live.inside(f"rm -f {SEEN}; cat >{unit} <<'END'\n{BOOT_UNIT}\nEND\nln -s {unit} {wants}")
    live.reboot()
    found = seen(live)
    live.inside(f"rm {unit}; systemctl daemon-reload")
    assert found["answers"]["200"] > 2 * RATE
    assert all(answer.startswith(("200", "503 ", "Conn")) for answer in found["answers"]), found
    order = live.inside(
        "systemctl show --property=ActiveEnterTimestampMonotonic --value"
        " greenlight-slots docker haproxy"
    ).split()
    assert order == sorted(order, key=int)


@pytest.mark.parametrize(
    ("seconds", "command"),
    [
        (5, "systemctl restart docker"),
        (12, "systemctl stop docker; sleep 10; systemctl start docker"),
    ],
    ids=["restart", "stop"],
)
def test_docker_goes_away_and_comes_back(live: Droplet, seconds: float, command: str) -> None:
    # Containers and their bridge outlive the engine (live-restore): no request is lost either.
    assert set(watched(live, seconds, command)["answers"]) == {"200"}


def test_a_reload_leads_nobody_to_a_refusal(live: Droplet) -> None:
    reloads = "for i in 1 2 3; do systemctl reload haproxy; sleep 1; done"
    assert set(watched(live, 4, reloads, rate=100)["answers"]) == {"200"}


def test_after_a_start_a_slot_is_down_until_a_check_was_good(live: Droplet) -> None:
    live.inside(
        f"{RUN} --name slot-green --ip {GREEN} {IMAGE} python3 -c '{UNREADY}'"
        f" && echo 'api api-green' >{LIVE} && sleep 1"
    )
    try:
        answers = watched(live, 3, "systemctl restart haproxy", rate=200)["answers"]
        assert not [answer for answer in answers if "unready" in answer], answers
    finally:
        live.inside(f"echo 'api api-blue' >{LIVE}; systemctl restart haproxy")
        live.inside("docker rm --force slot-green")
    wait_served(live)


def test_the_network_is_removed(live: Droplet) -> None:
    made = json.loads(live.inside(f"docker network inspect {NETWORK}"))[0]
    pool, labels = made["IPAM"]["Config"][0], made["Labels"].items()
    again = f"docker network create --subnet {pool['Subnet']} --gateway {pool['Gateway']}"
    again += f" --ip-range {pool['IPRange']}"
    again += "".join(f" --opt {key}={value}" for key, value in made["Options"].items())
    again += "".join(f" --label {key}={value}" for key, value in labels)
    gone = f"sleep 1; docker rm --force slot-blue; docker network rm {NETWORK}"
    try:
        answers = watched(live, 6, gone)["answers"]
    finally:
        live.inside(f"{again} {NETWORK} && {RUN} --name slot-blue --ip {BLUE} {IMAGE}")
    assert answers.pop("200") > 0
    # What was in flight in the container that went is a 502 of our own HAProxy.
    assert all(answer.startswith(("502 ", "503 ")) for answer in answers), answers
    wait_served(live)
