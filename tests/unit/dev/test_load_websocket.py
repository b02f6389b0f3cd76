# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load generator's WebSockets, against the sample API and against servers that lose them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest

from tests.load.driver import LoadRun
from tests.load.options import LoadOptions
from tests.sample_api import frames
from tests.sample_api.frames import Frame
from tests.sample_api.server import Server
from tests.sample_api.settings import Settings
from tests.unit.dev.load_servers import Serve, load, scripted
from tests.unit.dev.sample_process import PORT, running

pytestmark = pytest.mark.slow


def accepted(head: bytes, accept: str = "", upgrade: str = "WebSocket") -> bytes:
    """The right reply to an upgrade request, unless the other arguments say otherwise."""
    key = head.decode().partition("Sec-WebSocket-Key: ")[2].split("\r\n")[0]
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        f"upgrade: {upgrade}",
        "connection: upgrade",
        f"sec-websocket-accept: {accept or frames.accept_key(key)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def answering(
    *script: bytes | None, masked: bytes = b"", accept: str = "", unasked: bytes = b""
) -> Serve:
    """A WebSocket server that sends the n-th part of a script for the n-th frame, then ends.

    None in the script is the right answer to that frame. `unasked` follows the handshake.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(accepted(head, accept) + unasked)
            for part in script:
                frame = await frames.read_frame(reader.readexactly, masked=True)
                writer.write(frames.encode(frame, masked) if part is None else part)
                await writer.drain()
        writer.close()

    return serve


def sockets(serve: Serve, **options: Any) -> dict[str, Any]:
    """Result of ten WebSockets of two messages each; an echo may take 0.3 s."""
    return load(serve, "websocket", **{"websocket_seconds": 0.7, **options})


def test_good_websockets_are_ok() -> None:
    """The base line, on the sample API: all messages are sent, and it takes as long as asked."""
    server = Server(Settings.read({}))
    result = sockets(server.serve, websocket_seconds=1.1)
    assert (result["requests"], result["ok"], result["failed"]) == (10, 10, 0)
    assert list(result["kinds"]) == ["websocket"]
    assert 1100 < result["latency_ms"]["p50"] < 1500
    assert server.connections == set()


def test_messages_are_numbered_and_closed() -> None:
    """Each 0.5 s one, then a close with code 1000."""
    seen: list[Frame] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(accepted(await reader.readuntil(b"\r\n\r\n")))
        while not seen or seen[-1].opcode != frames.CLOSE:
            seen.append(await frames.read_frame(reader.readexactly, masked=True))
            writer.write(frames.encode(seen[-1]))

    result = sockets(serve, websocket_rate=4.0, websocket_seconds=1.2)
    assert result["ok"] == 1
    texts = [b"message %d of websocket 0" % number for number in range(3)]
    assert seen == [*(Frame(frames.TEXT, text) for text in texts), frames.closing(1000)]


def test_server_that_stops_closed_early() -> None:
    """Code 1001 before the time is over is counted by itself, not as a lost echo."""
    server = Server(Settings.read({}))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # All ten are open by then, and between their first and their second message.
        asyncio.get_running_loop().call_later(0.35, server.stop)
        await server.serve(reader, writer)

    result = sockets(serve, websocket_seconds=2.0)
    assert (result["ok"], result["reasons"]) == (0, {"closed early": 10})
    assert result["examples"][0]["detail"] == "1001"
    # They ended then, and did not wait for their next message.
    assert result["latency_ms"]["max"] < 500


def test_early_close_is_answered() -> None:
    """The server is owed its code back, or it would wait for nothing."""
    seen: list[Frame] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(accepted(await reader.readuntil(b"\r\n\r\n")))
        writer.write(frames.encode(frames.closing(1001, "going away")))
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                seen.append(await frames.read_frame(reader.readexactly, masked=True))

    # While the second one is under way the server reads what the first one said last.
    result = sockets(serve, websocket_rate=8.0)
    assert result["reasons"] == {"closed early": 2}
    assert frames.closing(1001, "going away") in seen


def test_other_protocol_is_no_websocket() -> None:
    """A right key does not make up for it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(accepted(await reader.readuntil(b"\r\n\r\n"), upgrade="h2c"))

    assert sockets(serve)["reasons"] == {"malformed reply": 10}


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (answering(b"", b"", None), "missing echo"),
        (answering(None, b"", None), "missing echo"),
        (answering(frames.encode(Frame(frames.TEXT, b"other"))), "wrong echo"),
        (answering(frames.encode(Frame(frames.BINARY, b"bytes"))), "wrong echo"),
        (answering(None, None, frames.encode(Frame(frames.TEXT, b"late"))), "wrong echo"),
        (answering(None, unasked=frames.encode(Frame(frames.TEXT, b"me"))), "wrong echo"),
        (answering(b""), "no close handshake"),
        (answering(None), "no close handshake"),
        (answering(None, b"\x81"), "no close handshake"),
        (answering(None, None, b""), "no close handshake"),
        (answering(frames.encode(frames.closing(1001))), "closed early"),
        (answering(frames.encode(frames.closing(1011))), "unexpected close"),
        (answering(frames.encode(Frame(frames.CLOSE))), "unexpected close"),
        (answering(None, None, frames.encode(frames.closing(1002))), "unexpected close"),
        (answering(None, None, None, masked=b"mask"), "malformed reply"),
        (answering(b"\x83\x00"), "malformed reply"),
        (answering(None, None, None, accept="wrong"), "malformed reply"),
        (scripted(b"HTTP/1.1 101 Go\r\nUpgrade: h2c\r\n\r\n"), "malformed reply"),
        (scripted(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "status >= 500"),
        (scripted(b"HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n"), "unexpected status"),
        (scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "unexpected status"),
        (scripted(b"no such thing\r\n\r\n"), "malformed reply"),
        (scripted(b""), "closed without reply"),
        (scripted(after="reset"), "connection reset"),
        (scripted(after="hang"), "timeout"),
    ],
)
def test_every_loss_is_a_failure_with_its_reason(serve: Serve, reason: str) -> None:
    """No bad WebSocket is counted as ok."""
    result = sockets(serve)
    assert (result["ok"], result["reasons"]) == (0, {reason: 10})


def test_close_without_an_answer_is_a_failure() -> None:
    """An open connection is not enough: the goodbye has to come back."""
    result = sockets(answering(None, None, b"", None))
    assert result["reasons"] == {"no close handshake": 10}


def test_reset_between_messages_is_a_failure() -> None:
    """Not an orderly end either."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(accepted(await reader.readuntil(b"\r\n\r\n")))
        await frames.read_frame(reader.readexactly, masked=True)
        writer.transport.abort()

    assert sockets(serve)["reasons"] == {"no close handshake": 10}


def test_ping_is_answered_and_no_echo() -> None:
    """A ping between the messages disturbs nothing and gets its pong."""
    ping = frames.encode(Frame(frames.PING, b"there?"))
    pongs = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(accepted(await reader.readuntil(b"\r\n\r\n")))
        while True:
            frame = await frames.read_frame(reader.readexactly, masked=True)
            if frame.opcode == frames.PONG:
                pongs.append(frame.payload)
                continue
            writer.write(ping + frames.encode(frame))
            if frame.opcode == frames.CLOSE:
                return

    result = sockets(serve)
    assert (result["ok"], result["failed"]) == (10, 0)
    assert pongs == [b"there?"] * 20


def test_driver_counts_websockets_by_phase() -> None:
    """The process of its own knows the options; a WebSocket belongs to where it was opened."""
    url = f"http://127.0.0.1:{PORT}"
    options = LoadOptions(
        url, 60, 0.0, 0.0, 0.0, 0.0, websocket_rate=10.0, websocket_seconds=0.6, timeout=2.0
    )
    with running(), LoadRun(options) as load_run:
        load_run.start_phase("one")
        while load_run.progress()["ok"] < 3:
            time.sleep(0.1)
        result = load_run.stop()
    assert result["failed"] == 0, result["reasons"]
    assert list(result["kinds"]) == ["websocket"]
    assert result["phases"][1]["ok"] >= 3
    assert "p99.9" in result["phases"][1]["latency_ms"]


def test_none_unless_asked_for() -> None:
    """Who does not know WebSockets gets the load they had."""
    assert LoadOptions("http://127.0.0.1:1").rate("websocket") == 0.0
