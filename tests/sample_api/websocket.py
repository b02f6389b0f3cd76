# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample API's WebSocket: an echo that says goodbye when the server stops (RFC 6455)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from tests.sample_api import frames
from tests.sample_api.frames import Frame, ProtocolError
from tests.sample_api.protocol import BadRequest, Connection, Request

GOODBYE_SECONDS = 0.8
MIN_PUSH_SECONDS, MAX_PUSH_SECONDS = 0.01, 60.0


def handshake(request: Request) -> bytes:
    """The 101 reply to an upgrade request (section 4.2); BadRequest says what is wrong with it."""
    headers = request.headers
    version_is_ours = headers.get("sec-websocket-version") == "13"
    if not (_has(headers, "upgrade", "websocket") and _has(headers, "connection", "upgrade")):
        raise BadRequest(426, "WebSocket only", *_upgrade_headers())
    if not version_is_ours:
        raise BadRequest(426, "Sec-WebSocket-Version: 13", *_upgrade_headers())
    key = headers.get("sec-websocket-key", "")
    if not frames.is_key(key):
        raise BadRequest(400, "Sec-WebSocket-Key: base64 of 16 bytes")
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {frames.accept_key(key)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def push_seconds(request: Request) -> float:
    """Seconds between the server's own messages, from the query; 0 is none."""
    text = request.query.get("push", "0")
    seconds = float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else -1.0
    if seconds != 0 and not MIN_PUSH_SECONDS <= seconds <= MAX_PUSH_SECONDS:
        raise BadRequest(400, f"push: 0, or {MIN_PUSH_SECONDS} to {MAX_PUSH_SECONDS:.0f}")
    return seconds


def _has(headers: dict[str, str], name: str, token: str) -> bool:
    """True when a header that is a list has the token, in any case."""
    return token in [part.strip().lower() for part in headers.get(name, "").split(",")]


def _upgrade_headers() -> tuple[str, ...]:
    """What a 426 must say: section 4.4, and RFC 9110 sections 7.8 and 15.5.22."""
    return ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")


@dataclass
class Session:
    """One open WebSocket; it ends with the client's close, or with `stopping`."""

    link: Connection
    stopping: asyncio.Event
    push: float
    _closing: bool = False
    _parts: bytearray | None = None

    async def run(self) -> None:
        """Converse until a close frame; an end without one is the caller's ConnectionError."""
        reading = asyncio.create_task(self._read())
        ending = asyncio.create_task(self.stopping.wait())
        pushing = asyncio.create_task(self._push())
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await self._leave(reading)
            if reading.done():
                await reading
        finally:
            for task in (reading, ending, pushing):
                task.cancel()
            await asyncio.gather(reading, ending, pushing, return_exceptions=True)

    async def _leave(self, reading: asyncio.Task[None]) -> None:
        """Say goodbye, then wait a bounded time for the client's close frame (section 7.1.1)."""
        self._write(frames.closing(frames.GOING_AWAY, "going away"))
        # No drain: a client that does not read must not hold up the server's end.
        await asyncio.wait({reading}, timeout=GOODBYE_SECONDS)

    async def _read(self) -> None:
        """Answer frames until the client closes or breaks the protocol (section 7.1.7)."""
        try:
            while True:
                frame = await frames.read_frame(self.link.reader.readexactly, masked=True)
                if frame.opcode == frames.CLOSE:
                    code = frames.close_code(frame)
                    self._write(Frame(frames.CLOSE) if code == frames.NO_STATUS else frame)
                    return
                self._answer(frame)
                await self.link.writer.drain()
        except ProtocolError as exc:
            self._write(frames.closing(exc.code, str(exc)))

    def _answer(self, frame: Frame) -> None:
        """Pong for a ping (section 5.5.3), a message for a message, which may come in parts."""
        if frame.opcode == frames.PING:
            self._write(Frame(frames.PONG, frame.payload))
        elif frame.opcode == frames.BINARY:
            raise ProtocolError(frames.UNSUPPORTED, "text only")
        elif frame.opcode != frames.PONG:
            self._gather(frame)

    def _gather(self, frame: Frame) -> None:
        """Put the parts of a text together (section 5.4); echo it when it is whole."""
        if (frame.opcode == frames.TEXT) != (self._parts is None):
            raise ProtocolError(frames.PROTOCOL_ERROR, "parts of messages mixed up")
        parts = (self._parts or bytearray()) + frame.payload
        if len(parts) > frames.MAX_PAYLOAD:
            raise ProtocolError(frames.TOO_BIG, f"message over {frames.MAX_PAYLOAD} bytes")
        self._parts = parts
        if not frame.final:
            return
        self._parts = None
        try:
            parts.decode()
        except UnicodeDecodeError as exc:
            raise ProtocolError(frames.NOT_UTF8, "text must be UTF-8") from exc
        self._write(Frame(frames.TEXT, bytes(parts)))

    async def _push(self) -> None:
        """Send numbered messages of the server's own, so that a client sees the tunnel live."""
        number = 0
        while self.push and not self._closing:
            await asyncio.sleep(self.push)
            number += 1
            self._write(Frame(frames.TEXT, b"push %d" % number))
            await self.link.writer.drain()

    def _write(self, frame: Frame) -> None:
        """Send a frame, but nothing after a close frame (section 5.5.1)."""
        if not self._closing:
            self._closing = frame.opcode == frames.CLOSE
            self.link.writer.write(frames.encode(frame))
