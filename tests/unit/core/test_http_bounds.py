# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request has one total time and size, whatever the other side sends."""

from __future__ import annotations

import socket
import threading
import time
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from tests.unit.servers import http_server, raw_server

HEAD = b"HTTP/1.1 200 OK\r\n"


def get(port: int, timeout: float = 2.0, limit: int = http.BODY_LIMIT) -> http.Answer:
    """Ask the local server."""
    return http.get("127.0.0.1", port, "/", headers={}, timeout=timeout, limit=limit)


@pytest.mark.parametrize(
    "chunks",
    [
        (b"H", b"T"),
        (HEAD, b"X-Header: of many\r\n"),
        (HEAD + b"\r\n", b"b"),
        (HEAD + b"Content-Length: 1000\r\n\r\n", b"b"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nb\r\n"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n",),
    ],
)
def test_what_trickles_in_ends_with_the_total_time(chunks: tuple[bytes, ...]) -> None:
    with raw_server(*chunks, pause=0.2) as port:
        begin = time.monotonic()
        with pytest.raises(http.NoAnswer, match=r"^no answer within 0\.9 s$"):
            get(port, timeout=0.9)
        assert 0.8 < time.monotonic() - begin < 1.1


def test_tls_has_the_same_total_time() -> None:
    with raw_server(b"\x16", b"\x03", b"\x03", b"\x00", pause=0.2) as port:
        begin = time.monotonic()
        with pytest.raises(http.NoAnswer):
            http.get("127.0.0.1", port, "/", headers={}, timeout=0.9, tls=True)
        assert time.monotonic() - begin < 1.1


def test_a_name_server_that_says_nothing_has_the_same_total_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, ended = socket.getaddrinfo, threading.Event()

    def look_up(host: str, port: int, *args: t.Any, **named: t.Any) -> t.Any:
        if not named.get("flags"):
            ended.wait(60)
        return real(host, port, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    begin = time.monotonic()
    with pytest.raises(http.NoAnswer, match=r"the name registry\.test was not resolved in time"):
        http.get("registry.test", 80, "/", headers={}, timeout=0.5)
    assert time.monotonic() - begin < 30.0
    ended.set()


def test_a_dead_first_address_leaves_time_for_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a name that has an IPv6 address where no IPv6 leads anywhere."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as dead,
        http_server(lambda _path, _headers: (200, {}, "fine")) as (port, _seen),
    ):
        full = [socket.socket() for _number in range(4)]
        for one in full:
            one.setblocking(False)
            one.connect_ex(dead.getsockname())
        places = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", number))
            for number in (dead.getsockname()[1], port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: places)
        assert http.get("two.test", 80, "/", headers={}, timeout=1.0).body == "fine"
        for one in full:
            one.close()


def test_a_server_that_accepts_nobody_takes_no_longer() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        waiting = [socket.socket() for _number in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        begin = time.monotonic()
        with pytest.raises(http.NoAnswer, match="no answer within"):
            get(port, timeout=0.5)
        assert time.monotonic() - begin < 0.7
        for one in waiting:
            one.close()


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 20,
    ],
)
def test_interim_answers_are_passed_over(interim: bytes) -> None:
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Final: yes\r\n\r\nfine"
    with raw_server(interim + final, b"") as port:
        answer = get(port)
    assert (answer.status, answer.body, answer.headers["x-final"]) == (200, "fine", "yes")


def test_too_many_interim_answers_are_none() -> None:
    with (
        raw_server(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 22, b"") as port,
        pytest.raises(http.NoAnswer, match="more than 20 interim answers"),
    ):
        get(port)


def test_an_upgrade_that_nobody_asked_for_is_the_answer() -> None:
    with raw_server(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"") as port:
        assert get(port).status == 101


@pytest.mark.parametrize(
    ("size", "cut_at", "length"), [(9, 0, 9), (10, 0, 10), (11, 10, 10), (5000, 10, 10)]
)
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_is_read_up_to_the_limit(
    size: int, cut_at: int, length: int, announced: bool
) -> None:
    head = f"Content-Length: {size}\r\n".encode() if announced else b""
    with raw_server(HEAD + head + b"\r\n" + b"b" * size, b"") as port:
        answer = get(port, limit=10)
    assert (answer.cut_at, answer.body) == (cut_at, "b" * length)


def test_a_body_that_ends_early_is_no_answer() -> None:
    with (
        raw_server(HEAD + b"Content-Length: 10\r\n\r\nbbb", b"") as port,
        pytest.raises(http.NoAnswer, match=r"7 (bytes|more)"),
    ):
        get(port)


@pytest.mark.parametrize("path", ["/a b", "/ä", "/\x1b"])
def test_a_path_that_cannot_be_asked_for_is_said(path: str) -> None:
    with http_server(lambda _path, _headers: (200, {}, "")) as (port, _seen):
        with pytest.raises(http.NoAnswer):
            http.get("127.0.0.1", port, path, headers={}, timeout=1.0)
        with pytest.raises(http.NoAnswer):
            http.get("127.0.0.1", port, "/", headers={"X": "a\r\nb"}, timeout=1.0)


@pytest.mark.parametrize(
    "garbage", [b"\xff\xfe\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 70_000]
)
def test_what_is_no_http_is_no_answer(garbage: bytes) -> None:
    with raw_server(garbage, b"") as port, pytest.raises(http.NoAnswer):
        get(port)


def test_a_name_that_cannot_exist_is_no_answer() -> None:
    with pytest.raises(http.NoAnswer):
        http.get(f"{'a' * 70}.test", 80, "/", headers={}, timeout=1.0)


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    with raw_server(HEAD + b"Content-Length: 2\r\n\r\n\xffa", b"") as port:
        assert get(port).body == "\ufffda"
