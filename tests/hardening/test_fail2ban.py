# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An attacker is really banned, from every port; others, the owner and the balancer go on."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator

import pytest

from dev import settings
from tests.hardening.droplets import Droplet, Host

# From the last failure that counts to the ban; measured: 1.0 to 1.3 s.
BAN_SECONDS = 5.0
APP_PORT = 3002
TABLE = "inet greenlight_bans"
MAP = "/var/lib/greenlight/api/live.map"
BRIDGE = "gl-api"

# Until nothing answers any more: on a busy machine more is tried than what would do.
LOG_IN = (
    "for i in 1 2 3 4 5 6 7 8 9; do timeout 4 ssh -o BatchMode=yes -o ConnectTimeout=2"
    " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null nobody@{target} true 2>&1"
    " | grep -q 'timed out' && break; done; true"
)

# Arguments: address, port, how often, then what is asked for in turn; an empty one is no HTTP.
ASK = """
import socket, sys
target, port, times, asked = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
for number in range(times):
    path = asked[number % len(asked)]
    head = f"GET {path} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close" if path else "?"
    text = head + "\\r\\n\\r\\n"
    try:
        with socket.create_connection((target, port), 1) as connection:
            connection.settimeout(1)
            connection.sendall(text.encode())
            print(connection.recv(64).split(b"\\r\\n")[0].decode())
    except OSError as error:
        print("no answer:", error)
"""

# A connection that is open when the ban comes: asks, waits for a line on its input, asks again.
TALK = """
import socket, sys, time
target, port = sys.argv[1], int(sys.argv[2])
ask = b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
with socket.create_connection((target, port), 2) as connection:
    connection.settimeout(2)
    for wait in (0.0, float(sys.argv[3])):
        time.sleep(wait)
        connection.sendall(ask)
        try:
            print("answered" if connection.recv(4096) else "closed", flush=True)
        except OSError:
            print("silence", flush=True)
"""

# Stands in for a release that refuses everything but the health check.
REFUSE = """
import http.server
class Refuse(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/v1/health" else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("", 3002), Refuse).serve_forever()
"""

SET_MAP = """
import socket, sys
for command in sys.argv[1:]:
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("/run/haproxy/admin.sock")
        s.sendall(command.encode() + b"\\n")
        print(s.recv(65536).decode())
"""


def python(script: str, *arguments: str) -> str:
    """The shell command that runs the script."""
    return shlex.join(["python3", "-c", script, *arguments])


def is_banned(droplet: Droplet, address: str, jail: str) -> bool:
    """Tell whether the jail's set in the packet filter holds the address."""
    code, text = droplet.try_inside(f"nft list set {TABLE} addr-set-{jail}")
    return code == 0 and address in text.replace(",", " ").split()


def seconds_until(condition: Callable[[], bool], limit: float) -> float:
    """Wait until the condition holds; return after how many seconds. It has to in time."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < limit, f"not within {limit} s"
        time.sleep(0.1)
    return time.monotonic() - begin


def forgive(droplet: Droplet) -> None:
    """Forget every ban and failure, also those of the tests before."""
    droplet.inside("fail2ban-client unban --all && systemctl restart fail2ban")
    seconds_until(lambda: droplet.try_inside("fail2ban-client ping")[0] == 0, 10.0)


@pytest.fixture
def target(droplet: Droplet, attacker: Host, neighbour: Host) -> Iterator[str]:
    """Address of the droplet, whose firewall lets attacker and neighbour reach its two ports."""
    rules = [
        f"allow from {host.address} to any port {port}"
        for host in (attacker, neighbour)
        for port in (22, APP_PORT)
    ]
    forgive(droplet)
    for rule in rules:
        droplet.inside(f"ufw insert 1 {rule}")
    try:
        yield droplet.address
    finally:
        for rule in rules:
            droplet.inside(f"ufw delete {rule}")
        forgive(droplet)


@pytest.fixture
def banned(droplet: Droplet, attacker: Host, target: str) -> str:
    """Address of the droplet, which the jail for SSH has closed to the attacker."""
    assert attacker.can_connect(target, 22)
    assert attacker.can_connect(target, APP_PORT)
    attacker.inside(LOG_IN.format(target=target))
    seconds_until(lambda: is_banned(droplet, attacker.address, "sshd"), BAN_SECONDS)
    return target


def is_shut_out(attacker: Host, target: str) -> bool:
    """Tell whether the attacker reaches neither port."""
    return not any(attacker.can_connect(target, port) for port in (22, APP_PORT))


def test_attacker_reaches_no_port_while_another_goes_on(
    banned: str, attacker: Host, neighbour: Host
) -> None:
    assert is_shut_out(attacker, banned)
    assert neighbour.can_connect(banned, 22)
    assert neighbour.can_connect(banned, APP_PORT)


def test_unban_frees_the_attacker(banned: str, droplet: Droplet, attacker: Host) -> None:
    droplet.run(f"fail2ban-client unban {attacker.address}")
    seconds_until(lambda: attacker.can_connect(banned, 22), BAN_SECONDS)


def test_ban_cuts_what_is_open(droplet: Droplet, attacker: Host, target: str) -> None:
    # The connection is older than the ban, and idle meanwhile.
    talk = python(TALK, target, str(APP_PORT), "4")
    attacker.inside(f"nohup {talk} > /run/talk 2>&1 &")
    seconds_until(lambda: "answered" in attacker.inside("cat /run/talk"), 3.0)
    attacker.inside(LOG_IN.format(target=target))
    seconds_until(lambda: is_banned(droplet, attacker.address, "sshd"), BAN_SECONDS)
    seconds_until(lambda: len(attacker.inside("cat /run/talk").split()) == 2, 10.0)
    assert attacker.inside("cat /run/talk").split() == ["answered", "silence"]


@pytest.mark.parametrize(
    "harm",
    [
        "ufw reload",
        "ufw --force reset",
        "iptables -P INPUT ACCEPT && iptables -F && iptables -t nat -F",
        "systemctl restart docker",
        "systemctl restart fail2ban",
    ],
)
def test_ban_outlives(banned: str, droplet: Droplet, attacker: Host, harm: str) -> None:
    # UFW does not hang its chains in again after a flush: they are put back as they were.
    droplet.inside("rm -rf /run/kept; cp -a /etc/ufw /run/kept; iptables-save > /run/kept/rules")
    try:
        droplet.inside(harm)
        seconds_until(lambda: is_banned(droplet, attacker.address, "sshd"), BAN_SECONDS)
        assert is_shut_out(attacker, banned)
    finally:
        droplet.inside("iptables-restore < /run/kept/rules && rm /run/kept/rules")
        droplet.inside("cp -a /run/kept/. /etc/ufw/ && ufw --force enable && ufw reload")


def test_bans_grow_and_recidive_comes_on_top(droplet: Droplet, attacker: Host, target: str) -> None:
    journal = f"journalctl -u fail2ban -o cat --since @{droplet.inside('date +%s').strip()}"
    # In the running service alone: the fixture restarts it.
    droplet.inside("fail2ban-client set sshd bantime 5")
    ban = f"[sshd] Ban {attacker.address}\n"
    end = time.monotonic() + 90.0
    while droplet.inside(journal).count(ban) < 3:
        assert time.monotonic() < end, droplet.inside(journal)
        attacker.inside(LOG_IN.format(target=target))
    growth = re.findall(r"\[sshd\] Increase Ban \S+ \((\d) # (\d+)s ", droplet.inside(journal))
    assert growth == [("2", "10"), ("3", "20")]
    seconds_until(lambda: is_banned(droplet, attacker.address, "recidive"), BAN_SECONDS)
    shown = droplet.inside("fail2ban-client get recidive banip --with-time")
    assert f"+ {7 * 24 * 3600} =" in shown
    seconds_until(lambda: not is_banned(droplet, attacker.address, "sshd"), 30.0)
    assert is_shut_out(attacker, target)


@pytest.mark.parametrize(
    ("jail", "times", "asked", "status"),
    [
        ("haproxy-probe", 3, ["/.env", "/wp-login.php", "/.git/config"], "503"),
        ("haproxy-scan", 30, [""], "400"),
    ],
)
def test_scanner_is_banned(
    droplet: Droplet,
    attacker: Host,
    target: str,
    jail: str,
    times: int,
    asked: list[str],
    status: str,
) -> None:
    before = attacker.inside(python(ASK, target, str(APP_PORT), str(times - 1), *asked))
    assert [line.split()[1] for line in before.splitlines()] == [status] * (times - 1)
    time.sleep(2)
    assert not is_banned(droplet, attacker.address, jail)
    attacker.inside(python(ASK, target, str(APP_PORT), "1", *asked))
    seconds_until(lambda: is_banned(droplet, attacker.address, jail), BAN_SECONDS)
    assert is_shut_out(attacker, target)


@pytest.fixture
def refusing(droplet: Droplet, target: str) -> Iterator[str]:
    """Address of the droplet, on which an application answers every request with 401."""
    names = "slot type veth peer name eth0 netns slot"
    droplet.inside(
        f"ip netns add slot && ip link add {names} && ip link set slot master {BRIDGE} up"
        " && ip -n slot address add 172.31.10.2/24 dev eth0 && ip -n slot link set eth0 up"
    )
    serve = f"ip netns exec slot {python(REFUSE)}"
    droplet.inside(f"nohup {serve} > /run/refuse.log 2>&1 & echo $! > /run/refuse.pid")
    try:
        droplet.inside(python(SET_MAP, f"clear map {MAP}", f"add map {MAP} api api-blue"))
        ask = python(ASK, "127.0.0.1", str(APP_PORT), "1", "/v1/me")
        seconds_until(lambda: " 401 " in droplet.inside(ask), 10.0)
        yield target
    finally:
        droplet.inside("kill $(cat /run/refuse.pid); ip netns delete slot")
        droplet.inside("systemctl reload haproxy")


def test_guesser_of_credentials_is_banned(droplet: Droplet, attacker: Host, refusing: str) -> None:
    attacker.inside(python(ASK, refusing, str(APP_PORT), "20", "/v1/me"))
    seconds_until(lambda: is_banned(droplet, attacker.address, "haproxy-auth"), BAN_SECONDS)
    assert is_shut_out(attacker, refusing)


def test_balancer_is_never_banned(droplet: Droplet, target: str) -> None:
    balancer = Host("lb")
    # It has no Python.
    ask = f"exec 3<>/dev/tcp/{target}/{APP_PORT}; echo $'GET /.env HTTP/1.0\\r\\n\\r' >&3"
    asked = balancer.inside(f"for i in $(seq 40); do {ask}; head -1 <&3; done")
    assert asked.count(" 503 ") == 40
    time.sleep(BAN_SECONDS)
    assert balancer.can_connect(target, APP_PORT)
    assert settings.BALANCER_ADDRESS not in droplet.inside("fail2ban-client banned")


def test_owner_is_never_banned(droplet: Droplet, target: str) -> None:
    for _time in range(8):
        assert droplet.try_run("true", user="nobody")[0] != 0
    time.sleep(BAN_SECONDS)
    assert droplet.run("true") == ""
    assert settings.GATEWAY not in droplet.inside("fail2ban-client banned")
    assert target == droplet.address
