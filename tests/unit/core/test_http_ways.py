# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over a Unix socket and through a proxy; headers that come twice, bodies as they are."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from tests.unit.proxy import proxy_server
from tests.unit.servers import http_server, raw_server


def test_headers_that_come_twice_are_one() -> None:
    head = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nwww-authenticate: Basic realm=x\r\n"
    with raw_server(head + b"Content-Length: 2\r\n\r\n\xffa", b"") as port:
        answer = http.get("127.0.0.1", port, "/", headers={}, timeout=2.0)
    assert answer.headers["www-authenticate"] == "Negotiate, Basic realm=x"
    assert (answer.raw, answer.body) == (b"\xffa", "\ufffda")


def test_a_unix_socket_is_asked(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    seen: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                seen.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")

        thread = threading.Thread(target=serve)
        thread.start()
        answer = http.get(path, 0, "/_ping", headers={"Host": "docker"}, timeout=2.0)
        thread.join()
    assert answer.body == "OK"
    assert seen[0].startswith(b"GET /_ping HTTP/1.1\r\n")
    assert b"Host: docker\r\n" in seen[0]
    with pytest.raises(http.NoAnswer, match="FileNotFoundError"):
        http.get(f"{path}-absent", 0, "/_ping", headers={}, timeout=2.0)


def test_a_proxy_is_asked_for_the_whole_address() -> None:
    with (
        http_server(lambda path, headers: (200, {}, f"{headers['host']} {path}")) as (
            target,
            _seen,
        ),
        proxy_server() as (port, asked_for),
    ):
        answer = http.get(
            "app.test", target, "/a", headers={}, timeout=5.0, proxy=f"http://127.0.0.1:{port}"
        )
    assert answer.body == f"app.test:{target} /a"
    assert asked_for == [f"GET http://app.test:{target}/a"]


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ((b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "no answer within"),
        ((b"HTTP/1.1 407 Log in\r\n\r\n", b""), "answered 'HTTP/1.1 407 Log in'"),
        ((b"\xff\r\n\r\n", b""), "answered '\xff'"),
        ((b"", b""), "the proxy ended its answer"),
    ],
)
def test_a_tunnel_has_the_same_bound_and_its_refusal_is_said(
    chunks: tuple[bytes, ...], reason: str
) -> None:
    with raw_server(*chunks, pause=0.1) as port:
        begin = time.monotonic()
        with pytest.raises(http.NoAnswer, match=reason):
            http.get(
                *("app.test", 443, "/"),
                headers={},
                timeout=0.9,
                tls=True,
                proxy=f"http://127.0.0.1:{port}",
            )
        # Machines that are busy take longer to wake up, not to hang.
        assert time.monotonic() - begin < 5.0


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:99999", "http://127.0.0.1:x", "http://"])
def test_a_proxy_that_cannot_be_is_no_answer(proxy: str) -> None:
    with pytest.raises(http.NoAnswer):
        http.get("app.test", 80, "/", headers={}, timeout=1.0, proxy=proxy)
