# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One WebSocket as a client sees it (RFC 6455): every echo and the goodbye have to come."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import time
from dataclasses import dataclass

from tests.load.client import Connection, RequestFailed
from tests.load.options import LoadOptions
from tests.sample_api import frames
from tests.sample_api.frames import Frame, ProtocolError

MESSAGE_SECONDS = 0.5


@dataclass
class Conversation:
    """A WebSocket over a connection of its own; RequestFailed says how it went wrong."""

    connection: Connection
    options: LoadOptions
    _reading: asyncio.Task[Frame] | None = None

    async def run(self, number: int) -> None:
        """Send a message every 0.5 s for `websocket_seconds`, see each echo, close."""
        try:
            await self._open()
            began = time.monotonic()
            count = 0
            while (due := count * MESSAGE_SECONDS) < self.options.websocket_seconds:
                await self._quiet_until(began + due)
                await self._echo(f"message {count} of websocket {number}".encode())
                count += 1
            await self._quiet_until(began + self.options.websocket_seconds)
            await self._close()
        finally:
            await self._end_reading()

    async def _open(self) -> None:
        """The handshake of section 4.1."""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            "GET /v1/websocket HTTP/1.1",
            "Host: api.greenlight.test",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        )
        headers = await self.connection.switch("\r\n".join(lines).encode() + b"\r\n\r\n")
        if headers.get("upgrade", "").lower() != "websocket":
            raise RequestFailed("malformed reply", "101 without Upgrade: websocket")
        if headers.get("sec-websocket-accept") != frames.accept_key(key):
            raise RequestFailed("malformed reply", "wrong Sec-WebSocket-Accept")

    async def _quiet_until(self, until: float) -> None:
        """Wait until a monotonic time; the server has nothing to say but pings."""
        frame = await self._next(until)
        if frame is not None:
            raise RequestFailed("wrong echo", f"unasked: {_shown(frame)}")

    async def _echo(self, text: bytes) -> None:
        """Send a message; it must come back as it is."""
        await self._send(Frame(frames.TEXT, text))
        frame = await self._next(time.monotonic() + self.options.timeout)
        if frame is None:
            raise RequestFailed("missing echo", f"{self.options.timeout:.1f} s")
        if frame != Frame(frames.TEXT, text):
            raise RequestFailed("wrong echo", _shown(frame))

    async def _close(self) -> None:
        """Close properly (section 7.1.2): the server's close frame has to come, too."""
        await self._send(frames.closing(frames.NORMAL))
        until = time.monotonic() + self.options.timeout
        while True:
            frame = await self._receive(until)
            if frame is None:
                raise RequestFailed("no close handshake", f"{self.options.timeout:.1f} s")
            if frame.opcode == frames.CLOSE:
                break
            if frame.opcode not in {frames.PING, frames.PONG}:
                raise RequestFailed("wrong echo", f"unasked: {_shown(frame)}")
        # A server that stops at this very moment says 1001 where it would repeat our 1000.
        if _code(frame) not in {frames.NORMAL, frames.GOING_AWAY}:
            raise RequestFailed("unexpected close", str(_code(frame)))

    async def _next(self, until: float) -> Frame | None:
        """The next frame that is no ping or pong, None when none came in time."""
        while (frame := await self._receive(until)) is not None:
            if frame.opcode == frames.PING:
                await self._send(Frame(frames.PONG, frame.payload))
            elif frame.opcode == frames.CLOSE:
                code = _code(frame)
                # The server is owed an answer, and then ends the connection.
                await self._send(frame)
                reason = "closed early" if code == frames.GOING_AWAY else "unexpected close"
                raise RequestFailed(reason, str(code))
            elif frame.opcode != frames.PONG:
                return frame
        return None

    async def _receive(self, until: float) -> Frame | None:
        """The next frame, None when none came in time; what came of it by then is kept."""
        if self._reading is None:
            coroutine = frames.read_frame(self.connection.exactly, masked=False)
            self._reading = asyncio.create_task(coroutine)
        # Unlike a timeout this does not cancel the reading: bytes would be lost.
        done, _pending = await asyncio.wait(
            {self._reading}, timeout=max(0.0, until - time.monotonic())
        )
        if not done:
            return None
        reading, self._reading = self._reading, None
        try:
            return reading.result()
        except ProtocolError as exc:
            raise RequestFailed("malformed reply", str(exc)) from exc
        except RequestFailed as exc:
            raise RequestFailed("no close handshake", exc.reason) from exc
        except OSError as exc:
            raise RequestFailed("no close handshake", type(exc).__name__) from exc

    async def _send(self, frame: Frame) -> None:
        """Send a frame; that the connection is gone shows in the reading, along with the why."""
        with contextlib.suppress(OSError):
            await self.connection.send(frames.encode(frame, os.urandom(4)))

    async def _end_reading(self) -> None:
        """Let go of the socket before it is closed."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})


def _code(frame: Frame) -> int:
    try:
        return frames.close_code(frame)
    except ProtocolError as exc:
        raise RequestFailed("malformed reply", str(exc)) from exc


def _shown(frame: Frame) -> str:
    return f"opcode {frame.opcode}: {frame.payload[:40].decode('latin-1')}"
