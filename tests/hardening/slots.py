# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program in the place of a release, in slot green, and HAProxy that leads to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.hardening.droplets import Droplet, changed

PORT = 3002
ADDRESS = "172.31.10.3"
BACKEND = "api-green"
_LIVE = "/var/lib/greenlight/api/live.map"
_ASK_HAPROXY = """
import socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect("/run/haproxy/admin.sock")
link.sendall(sys.argv[1].encode() + b"\\n")
print(b"".join(iter(lambda: link.recv(65536), b"")).decode().strip())
"""


def tell(droplet: Droplet, command: str) -> str:
    """Send HAProxy a command and return its reply."""
    return droplet.inside(f"python3 - '{command}' <<'END'\n{_ASK_HAPROXY}\nEND")


def configure(droplet: Droplet, **variables: object) -> None:
    """Configure the proxy with those variables of its role, and with the defaults of all others."""
    before = worker(droplet)
    done = droplet.setup("--tags", "proxy_configuration", variables=variables)
    assert done.returncode == 0, done.stdout
    if changed(done.stdout) > 0:
        wait_for_worker_after(droplet, before)


def worker(droplet: Droplet) -> str:
    """The process that answers on the runtime socket."""
    shown = tell(droplet, "show info").splitlines()
    return next(line for line in shown if line.startswith("Pid:"))


def wait_for_worker_after(droplet: Droplet, before: str) -> None:
    """Wait until another process answers: what the old one is told would be lost with it."""
    end = time.monotonic() + 10.0
    while worker(droplet) == before:
        assert time.monotonic() < end, f"{before} still answers"
        time.sleep(0.2)


@contextmanager
def in_slot(droplet: Droplet, program: str) -> Iterator[None]:
    """Run a program of Python's at the address of slot green until the end, without traffic."""
    before = tell(droplet, f"show map {_LIVE}").split()
    droplet.inside(f"cat > /run/recorder.py <<'END'\n{program}\nEND")
    try:
        # A namespace on the application's bridge, as the container of the slot would have.
        droplet.inside(
            "ip netns add recorder && ip link add recorder type veth peer name eth0 netns recorder"
            " && ip link set recorder master gl-api up"
            f" && ip -n recorder address add {ADDRESS}/24 dev eth0"
            " && ip -n recorder link set eth0 up"
        )
        command = "ip netns exec recorder python3 /run/recorder.py"
        droplet.inside(f"systemd-run --unit=recorder --collect {command}")
        yield
    finally:
        droplet.try_inside("systemctl stop recorder; ip link del recorder; ip netns del recorder")
        if before:
            point(droplet, before[-1])
        else:
            tell(droplet, f"del map {_LIVE} api")
        configure(droplet)


def point(droplet: Droplet, backend: str) -> None:
    """Lead traffic to a backend, in HAProxy's memory alone, and wait until its check is up."""
    known = "api" in tell(droplet, f"show map {_LIVE}").split()
    tell(droplet, f"{'set' if known else 'add'} map {_LIVE} api {backend}")
    end = time.monotonic() + 10.0
    while f"{backend},slot" not in "".join(
        line for line in tell(droplet, "show stat").splitlines() if ",UP," in line
    ):
        assert time.monotonic() < end, f"{backend} is not up"
        time.sleep(0.2)
