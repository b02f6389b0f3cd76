# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The droplet of scenario default, seen over SSH, and a neighbour of it on the same network."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import testinfra

ROOT = Path(__file__).parents[3]
PREFIX = os.environ.get("GREENLIGHT_TEST_PREFIX", "")

SCAN = """
import select, socket, sys
target, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for start in range(first, last, 4000):
    tried = {}
    for port in range(start, min(start + 4000, last)):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((target, port))
        tried[s.fileno()] = (s, port)
    poll = select.poll()
    for number in tried:
        poll.register(number, select.POLLOUT)
    while ready := poll.poll(1000):
        for number, _events in ready:
            poll.unregister(number)
            if tried[number][0].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                print(tried[number][1])
    for s, _port in tried.values():
        s.close()
"""


@dataclass(frozen=True)
class Neighbour:
    """A host on the droplet's network: runs commands with Docker's exec."""

    container: str
    target: str

    def can_connect(self, port: int) -> bool:
        """Tell whether a TCP connection to the droplet's port opens within a second."""
        script = f"exec 3<>/dev/tcp/{self.target}/{port}"
        command = ["docker", "exec", self.container, "timeout", "1", "bash", "-c", script]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def open_ports(self, ports: range) -> list[int]:
        """Return those of the ports that open within a second; 4,000 are tried at once."""
        command = ["docker", "exec", "-i", self.container, "python3", "-"]
        words = [self.target, str(ports.start), str(ports.stop)]
        found = subprocess.run(
            [*command, *words], input=SCAN, capture_output=True, text=True, check=True
        )
        return [int(word) for word in found.stdout.split()]


@pytest.fixture(scope="session", name="connection")
def fixture_connection() -> dict[str, t.Any]:
    """How the droplet is reached."""
    text = (ROOT / ".fleet" / f"{PREFIX}molecule-default.json").read_text()
    return t.cast("dict[str, t.Any]", json.loads(text))


@pytest.fixture(scope="session", name="host")
def fixture_host(connection: dict[str, t.Any]) -> t.Any:
    """The droplet, for testinfra."""
    return testinfra.get_host(
        f"ssh://{connection['user']}@{connection['host']}:{connection['port']}",
        ssh_identity_file=connection["key"],
        ssh_extra_args=f"-o UserKnownHostsFile={connection['known_hosts']} -o IdentitiesOnly=yes",
    )


@pytest.fixture(scope="session", name="neighbour")
def fixture_neighbour(connection: dict[str, t.Any]) -> t.Iterator[Neighbour]:
    """A droplet on the same network that nobody has allowed anything."""
    name = f"{PREFIX}molecule-neighbour"
    fleet = [str(ROOT / ".venv/bin/python"), "-m", "dev.fleet", "droplet"]
    subprocess.run([*fleet, "up", name], cwd=ROOT, check=True, capture_output=True)
    yield Neighbour(f"greenlight-fleet-{name}", connection["address"])
    subprocess.run([*fleet, "down", name], cwd=ROOT, check=True, capture_output=True)
