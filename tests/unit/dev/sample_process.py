# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample API as a process on this machine, for the tests of it."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def _free_port() -> int:
    """A port nobody listens on: runs of these tests side by side each have one of their own."""
    first = 13000 + os.getpid() % 1000
    for port in range(first, first + 1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise OSError(f"no port from {first} to {first + 999} is free")


PORT = _free_port()


@contextlib.contextmanager
def running(**environment: str) -> Iterator[subprocess.Popen[str]]:
    """The server as a process, ready to answer; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sample_api"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(PORT), "SAMPLE_SHA": "f" * 40, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        while "started" not in process.stdout.readline():
            assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.communicate()


def get(path: str, method: str = "GET", body: str | None = None) -> tuple[int, bytes]:
    """Status and body of one request."""
    client = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    with contextlib.closing(client):
        client.request(method, path, body)
        reply = client.getresponse()
        return reply.status, reply.read()
