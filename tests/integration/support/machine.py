# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A droplet as the tests see it: its connection, and commands over SSH."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dev import settings

ROOT = settings.ROOT
COMMAND_SECONDS = 60.0
TUNNEL_SECONDS = 10.0


def fleet(*arguments: str, module: str = "dev.fleet") -> str:
    """Run the fleet's command line, or another one of dev; its output is in the error."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


class Machine:
    """One droplet, reached through the connection file that the fleet wrote."""

    def __init__(self, name: str, sockets: str) -> None:
        self.name = name
        text = (settings.STATE / f"{name}.json").read_text(encoding="utf-8")
        self.connection: dict[str, Any] = json.loads(text)
        self._socket = f"{sockets}/{name}"

    @property
    def address(self) -> str:
        """The droplet's address in the fleet's network."""
        return str(self.connection["address"])

    def options(self) -> list[str]:
        """What both ssh and Ansible are told: pinned host key, this key alone."""
        known_hosts = f"UserKnownHostsFile={self.connection['known_hosts']}"
        return ["-o", known_hosts, "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"]

    def _ssh(self, *extra: str) -> list[str]:
        link = self.connection
        options = [*self.options(), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
        target = ["-i", link["key"], "-p", str(link["port"]), f"{link['user']}@{link['host']}"]
        return ["ssh", *options, *extra, *target]

    def _kept(self) -> list[str]:
        """The ssh command over one connection that is kept."""
        reuse = ("-o", "ControlMaster=auto", "-o", "ControlPersist=60s")
        return self._ssh(*reuse, "-o", f"ControlPath={self._socket}")

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a command on the droplet; its three streams are the caller's."""
        return subprocess.Popen(
            [*self._kept(), command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sh(self, script: str, *, check: bool = True) -> str:
        """Run a shell script on the droplet; return what it wrote, both streams."""
        done = subprocess.run(
            [*self._kept(), "sh", "-s"],
            input=f"exec 2>&1\n{script}\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{script}\n{done.stdout}"
        return done.stdout

    def json(self, script: str) -> Any:
        """Run a shell script that prints one JSON document."""
        return json.loads(self.sh(script))

    def write(self, path: str, text: str) -> None:
        """Write a file on the droplet."""
        self.sh(f"cat > {shlex.quote(path)} <<'END_OF_FILE'\n{text}\nEND_OF_FILE")

    def unpack(self, archive: bytes, folder: str) -> None:
        """Unpack a gzipped tar file into a folder of the droplet."""
        command = [*self._ssh(), f"tar -xz -C {shlex.quote(folder)}"]
        subprocess.run(command, input=archive, timeout=COMMAND_SECONDS, check=True)

    @contextmanager
    def tunnel(self, address: str, port: int) -> Iterator[str]:
        """Let a free port of 127.0.0.1 lead from this droplet to another one; yields its URL."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            local = probe.getsockname()[1]
        forward = ("-N", "-L", f"127.0.0.1:{local}:{address}:{port}", "-o", "ControlPath=none")
        process = subprocess.Popen(self._ssh(*forward, "-o", "ExitOnForwardFailure=yes"))
        try:
            end = time.monotonic() + TUNNEL_SECONDS
            while not _listens(local):
                assert process.poll() is None, "the tunnel ended"
                assert time.monotonic() < end, "the tunnel did not open"
                time.sleep(0.05)
            yield f"http://127.0.0.1:{local}"
        finally:
            process.terminate()
            process.wait(timeout=TUNNEL_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
