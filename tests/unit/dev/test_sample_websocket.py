# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample API's WebSocket over real connections, and its frames by RFC 6455's own examples."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from tests.sample_api import frames
from tests.sample_api.frames import Frame
from tests.unit.dev.sample_process import PORT, get, running

pytestmark = pytest.mark.slow

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x37\xfa\x21\x3d"
UPGRADE = {
    "Upgrade": "WebSocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


class Client:
    """A WebSocket client that may break the rules; waits 5 s at most."""

    def __init__(self, link: socket.socket) -> None:
        """Take over a connection."""
        self.link = link
        self.file = link.makefile("rb")

    def head(self) -> list[str]:
        """The lines of a reply's head."""
        lines = []
        while line := self.file.readline().decode().rstrip("\r\n"):
            lines.append(line)
        return lines

    def send(self, opcode: int, payload: bytes = b"", *, final: bool = True) -> None:
        """Send a masked frame."""
        self.link.sendall(frames.encode(Frame(opcode, payload, final), MASK))

    def frame(self) -> Frame:
        """The next frame of the server."""

        async def exactly(count: int) -> bytes:
            if len(data := self.file.read(count)) < count:
                raise EOFError
            return data

        return asyncio.run(frames.read_frame(exactly, masked=False))

    def closed(self) -> int:
        """The code of the close frame that comes now, after which the connection ends."""
        frame = self.frame()
        assert frame.opcode == frames.CLOSE, frame
        assert self.file.read() == b""
        return frames.close_code(frame)


@contextlib.contextmanager
def asking(path: str = "/v1/websocket", **changes: str) -> Iterator[Client]:
    """A client that sent an upgrade request; an empty value leaves that header out."""
    headers = UPGRADE | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value]
    with socket.create_connection(("127.0.0.1", PORT), timeout=5) as link:
        head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *lines])
        link.sendall(head.encode() + b"\r\n\r\n")
        client = Client(link)
        with contextlib.closing(client.file):
            yield client


@contextlib.contextmanager
def connected(path: str = "/v1/websocket") -> Iterator[Client]:
    """A client whose upgrade was accepted."""
    with asking(path) as client:
        assert client.head()[0].startswith("HTTP/1.1 101 ")
        yield client


def test_frames_of_the_rfc() -> None:
    """The examples of sections 1.3 and 5.7, so that both ends cannot be wrong alike."""
    assert frames.accept_key(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    hello = Frame(frames.TEXT, b"Hello")
    assert frames.encode(hello) == bytes.fromhex("810548656c6c6f")
    assert frames.encode(hello, MASK) == bytes.fromhex("818537fa213d7f9f4d5158")
    assert frames.encode(Frame(frames.TEXT, b"Hel", final=False)) == bytes.fromhex("010348656c")
    assert frames.encode(Frame(frames.BINARY, bytes(256)))[:4] == bytes.fromhex("827e0100")
    long = frames.encode(Frame(frames.BINARY, bytes(65536)))
    assert long[:10] == bytes.fromhex("827f0000000000010000")


def test_handshake() -> None:
    """What a client must find in the reply."""
    with running(), asking() as client:
        first, *headers = client.head()
        assert first == "HTTP/1.1 101 Switching Protocols"
        assert set(headers) == {
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {frames.accept_key(KEY)}",
        }


@pytest.mark.parametrize(
    ("path", "header", "value", "status"),
    [
        ("", "Upgrade", "", 426),
        ("", "Upgrade", "h2c", 426),
        ("", "Connection", "keep-alive", 426),
        ("", "Sec_WebSocket_Version", "8", 426),
        ("", "Sec_WebSocket_Key", "short", 400),
        ("", "Sec_WebSocket_Key", "", 400),
        ("?push=x", "Upgrade", "websocket", 400),
        ("?push=0.001", "Upgrade", "websocket", 400),
    ],
)
def test_what_is_no_upgrade(path: str, header: str, value: str, status: int) -> None:
    """A request that is not one gets an HTTP reply; 426 says what to ask for."""
    with running(), asking(f"/v1/websocket{path}", **{header: value}) as client:
        first, *headers = client.head()
        assert first.startswith(f"HTTP/1.1 {status} ")
        assert ("Upgrade: websocket" in headers) == (status == 426)
        assert ("Sec-WebSocket-Version: 13" in headers) == (status == 426)


def test_plain_request_is_answered_and_the_next_one_too() -> None:
    """Not being an upgrade does not cost the connection."""
    with running():
        assert get("/v1/websocket") == (426, b'{"error": "WebSocket only"}\n')
        with asking(Upgrade="") as client:
            client.head()
            client.link.sendall(b"GET /v1/version HTTP/1.1\r\n\r\n")
            client.file.readline()
            assert client.head()[0] == "HTTP/1.1 200 OK"


def test_echo_ping_and_close() -> None:
    """A text comes back, also a long one and one in parts; a ping in between is answered."""
    with running(), connected() as client:
        for text in (b"short", b"", "gr\u00fcn".encode(), b"x" * 126, b"y" * 65536):
            client.send(frames.TEXT, text)
            assert client.frame() == Frame(frames.TEXT, text)
        client.send(frames.TEXT, b"one, ", final=False)
        client.send(frames.PING, b"there?")
        client.send(frames.CONTINUATION, b"two")
        assert client.frame() == Frame(frames.PONG, b"there?")
        assert client.frame() == Frame(frames.TEXT, b"one, two")
        client.send(frames.CLOSE, b"\x03\xe8bye")
        assert client.closed() == frames.NORMAL


def test_close_without_a_code() -> None:
    """The answer has none either."""
    with running(), connected() as client:
        client.send(frames.CLOSE)
        assert client.closed() == frames.NO_STATUS


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frames.encode(Frame(frames.TEXT, b"bare")), 1002),
        (frames.encode(Frame(frames.TEXT | 0x40, b"x"), MASK), 1002),
        (frames.encode(Frame(0x3), MASK), 1002),
        (frames.encode(Frame(frames.PING, b"x" * 126), MASK), 1002),
        (frames.encode(Frame(frames.CONTINUATION, b"x"), MASK), 1002),
        (frames.encode(Frame(frames.CLOSE, b"x"), MASK), 1002),
        (frames.encode(Frame(frames.BINARY, b"x"), MASK), 1003),
        (frames.encode(Frame(frames.TEXT, b"\xff"), MASK), 1007),
        (frames.encode(Frame(frames.TEXT, bytes(65537)), MASK)[:14], 1009),
    ],
)
def test_broken_protocol_ends_with_its_code(sent: bytes, code: int) -> None:
    """Section 7.4.1's codes; the server says them and ends."""
    with running(), connected() as client:
        # The server stops reading early: what it leaves unread would reset the connection.
        client.link.sendall(sent[:14] if len(sent) > 100 else sent)
        assert frames.close_code(client.frame()) == code


def test_pushed_messages_are_numbered() -> None:
    """They come by themselves, and an echo does not disturb their count."""
    with running(), connected("/v1/websocket?push=0.1") as client:
        assert client.frame().payload == b"push 1"
        client.send(frames.TEXT, b"me")
        assert {client.frame().payload for _frame in range(2)} == {b"me", b"push 2"}
        assert client.frame().payload == b"push 3"


@pytest.mark.parametrize("answers", [True, False])
def test_sigterm_says_goodbye_and_ends_in_a_second(answers: bool) -> None:
    """A draining server finishes, whether or not the client answers its close frame."""
    with running() as process, connected("/v1/websocket?push=0.05") as client:
        assert client.frame().payload == b"push 1"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        while (frame := client.frame()).opcode == frames.TEXT:
            pass
        assert (frame.opcode, frames.close_code(frame)) == (frames.CLOSE, frames.GOING_AWAY)
        if answers:
            client.send(frames.CLOSE, frame.payload)
        assert client.file.read() == b""
        assert process.wait(timeout=5) == 0
        assert time.monotonic() - began < (0.5 if answers else 1.2)


def test_planned_errors_count_upgrades() -> None:
    """An upgrade is a request like any other."""
    with running(SAMPLE_BEHAVIOUR="errors", SAMPLE_ERROR_PERCENT="100"), asking() as client:
        assert client.head()[0].startswith("HTTP/1.1 500 ")
