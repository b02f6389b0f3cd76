# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample API itself, as a process, over real connections."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.dev.sample_process import PORT, ROOT, get, running

pytestmark = pytest.mark.slow


def test_endpoints() -> None:
    """What the issue asks of the health endpoint, and the rest."""
    with running(GREETING="moin", SAMPLE_API_TOKEN="planted"):
        status, body = get("/v1/health")
        document = json.loads(body)
        assert status == 200
        assert list(document) == ["status", "uptime", "timestamp", "services"]
        assert document["status"] == "healthy"
        assert document["services"] == {"database": "connected", "redis": "connected"}
        status, body = get("/v1/version")
        assert json.loads(body)["sha"] == "f" * 40
        assert json.loads(body)["greeting"] == "moin"
        assert b"planted" not in body
        assert get("/v1/echo", "POST", "as sent") == (200, b"as sent")
        assert get("/v1/slow?ms=1") == (200, b'{"slept_ms": 1}\n')
        assert get("/v1/stream?seconds=0.2")[1] == b"chunk 1\nchunk 2\nend 2\n"
        assert get("/nothing")[0] == 404
        assert get("/v1/version", "POST")[0] == 405
        assert get("/v1/slow?ms=x")[0] == 400


def test_malformed_request_is_refused() -> None:
    """Bytes that are no HTTP get a 400 and the end of the connection."""
    with running(), socket.create_connection(("127.0.0.1", PORT), timeout=5) as link:
        link.sendall(b"nonsense\r\n\r\n")
        assert link.recv(100).startswith(b"HTTP/1.1 400 ")


def test_kept_connection_answers_pipelined_requests() -> None:
    """Two requests in one packet get two whole answers."""
    with running(), socket.create_connection(("127.0.0.1", PORT), timeout=5) as link:
        link.sendall(b"GET /v1/echo?text=1 HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        time.sleep(0.3)
        assert link.recv(4096).count(b"HTTP/1.1 200 OK") == 2


def test_sigterm_finishes_what_is_in_flight() -> None:
    """A slow request is answered in full, an idle connection ends, the exit code is 0."""
    with running() as process:
        idle = socket.create_connection(("127.0.0.1", PORT), timeout=5)
        busy = socket.create_connection(("127.0.0.1", PORT), timeout=5)
        busy.sendall(b"GET /v1/slow?ms=700 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", PORT), timeout=5)
        assert idle.recv(10) == b""
        reply = busy.recv(4096)
        assert reply.startswith(b"HTTP/1.1 200 OK")
        assert b"Connection: close" in reply
        assert reply.endswith(b'{"slept_ms": 700}\n')
        assert process.wait(timeout=5) == 0
        idle.close()
        busy.close()


@pytest.mark.parametrize(
    ("behaviour", "status", "word"),
    [
        ("never-healthy", 503, "unhealthy"),
        ("unhealthy-json", 200, "unhealthy"),
        ("redirect-health", 302, ""),
    ],
)
def test_bad_health(behaviour: str, status: int, word: str) -> None:
    """Each way of being unhealthy."""
    with running(SAMPLE_BEHAVIOUR=behaviour):
        found, body = get("/v1/health")
    assert found == status
    assert json.loads(body)["status"] == word if word else body == b""


def test_planned_errors_are_their_share() -> None:
    """25 percent of the requests fail, and never a health check."""
    with running(SAMPLE_BEHAVIOUR="errors", SAMPLE_ERROR_PERCENT="25"):
        statuses = [get("/v1/version")[0] for _request in range(20)]
        assert {get("/v1/health")[0] for _request in range(5)} == {200}
    assert statuses.count(500) == 5


def test_sigterm_can_be_ignored() -> None:
    """For the version that has to be killed."""
    with running(SAMPLE_BEHAVIOUR="ignore-sigterm") as process:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert get("/v1/health")[0] == 200


def test_crash_waits_for_traffic() -> None:
    """Health checks do not set it off; the first other request does."""
    with running(SAMPLE_BEHAVIOUR="crash-after-traffic", SAMPLE_CRASH_SECONDS="0.2") as process:
        get("/v1/health")
        time.sleep(0.5)
        assert process.poll() is None
        get("/v1/version")
        assert process.wait(timeout=5) == 1


def test_hanging_requests_spare_the_health_check() -> None:
    """No other path is answered, unknown ones neither; a client that leaves costs nothing."""
    with running(SAMPLE_BEHAVIOUR="hang-requests") as process:
        for path in ("/v1/version", "/nothing", "/v1/websocket"):
            with socket.create_connection(("127.0.0.1", PORT), timeout=0.3) as link:
                link.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                with pytest.raises(TimeoutError):
                    link.recv(1)
            assert get("/v1/health")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


def test_sigterm_waits_for_a_hanging_request() -> None:
    """What is never answered holds up the graceful end, until somebody loses patience."""
    with running(SAMPLE_BEHAVIOUR="hang-requests") as process:
        with socket.create_connection(("127.0.0.1", PORT), timeout=5) as link:
            link.sendall(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert process.poll() is None
        assert process.wait(timeout=5) == 0


def resident_mib(process: subprocess.Popen[str]) -> int:
    """Memory that a process really has, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def test_memory_is_eaten_after_the_first_request() -> None:
    """Health checks do not set it off; then it is touched memory, and the server still answers."""
    with running(SAMPLE_BEHAVIOUR="eat-memory") as process:
        get("/v1/health")
        time.sleep(0.4)
        before = resident_mib(process)
        assert before < 60
        assert get("/v1/version")[0] == 200
        time.sleep(0.5)
        assert resident_mib(process) > before + 100
        assert get("/v1/health")[0] == 200


def test_crash_on_start_says_why() -> None:
    """The reason is in the last lines, as a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.sample_api"],
        cwd=ROOT,
        env={**os.environ, "SAMPLE_BEHAVIOUR": "crash-on-start"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot connect to database" in done.stderr.splitlines()[-1]
