# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP/1.1 connection on a plain socket: every way a reply can fail has its own reason."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

MAX_HEAD = 65536


class RequestFailed(Exception):
    """A request without a whole, good reply; `reason` is the class that it is counted under."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """Keep the reason class and what is known beyond it."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Reply:
    """A whole reply; `keep` says whether the connection can take another request."""

    status: int
    body: bytes
    keep: bool


class Connection:
    """A connection to the target; one request at a time."""

    def __init__(self, sock: socket.socket) -> None:
        """Take over a connected, non-blocking socket."""
        self._sock = sock
        self._buffer = bytearray()
        self._replied = False

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connect; RequestFailed says why it could not."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.get_running_loop().sock_connect(sock, (host, port))
        except BaseException as exc:
            sock.close()
            if isinstance(exc, ConnectionRefusedError):
                raise RequestFailed("connection refused") from exc
            if isinstance(exc, OSError):
                raise RequestFailed("connection failed", str(exc)) from exc
            raise
        return cls(sock)

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def ended_while_idle(self) -> bool:
        """True when the server closed this connection before a request was sent on it."""
        if self._buffer:
            return True
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        # Either the end, or bytes that nobody asked for: not usable either way.
        return True

    async def request(self, message: bytes) -> Reply:
        """Send a request and read the whole reply."""
        self._replied = False
        try:
            await self.send(message)
            return await self._read_reply()
        except OSError as exc:
            reason = "truncated body" if self._replied else "connection reset"
            raise RequestFailed(reason, type(exc).__name__) from exc

    async def switch(self, message: bytes) -> dict[str, str]:
        """Ask for another protocol; the headers of the reply, which must be a 101."""
        self._replied = False
        try:
            await self.send(message)
            words, headers = await self._read_head()
        except OSError as exc:
            raise RequestFailed("connection reset", type(exc).__name__) from exc
        if words[1] != "101":
            reason = "status >= 500" if int(words[1]) >= 500 else "unexpected status"
            raise RequestFailed(reason, words[1])
        return headers

    async def send(self, data: bytes) -> None:
        """Send bytes; OSError when the connection is gone."""
        await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def exactly(self, length: int) -> bytes:
        """Read so many bytes; RequestFailed when the connection ends before them."""
        while len(self._buffer) < length:
            await self._more()
        found = bytes(self._buffer[:length])
        del self._buffer[:length]
        return found

    async def _more(self) -> None:
        """Read more bytes; the end of the connection here is always a failure."""
        data = await asyncio.get_running_loop().sock_recv(self._sock, 65536)
        if not data:
            raise RequestFailed("truncated body" if self._replied else "closed without reply")
        self._replied = True
        self._buffer += data

    async def _until(self, mark: bytes) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            if len(self._buffer) > MAX_HEAD:
                raise RequestFailed("malformed reply", "header too long")
            await self._more()
        found = bytes(self._buffer[:at])
        del self._buffer[: at + len(mark)]
        return found

    async def _chunked(self) -> bytes:
        body = bytearray()
        while True:
            text = (await self._until(b"\r\n")).partition(b";")[0]
            try:
                size = int(text, 16)
            except ValueError as exc:
                raise RequestFailed("malformed reply", "chunk size") from exc
            body += await self.exactly(size)
            if await self.exactly(2) != b"\r\n":
                raise RequestFailed("malformed reply", "chunk end")
            if size == 0:
                return bytes(body)

    async def _read_head(self) -> tuple[list[str], dict[str, str]]:
        """The words of the status line, and the headers with names in lower case."""
        first, *lines = (await self._until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
            raise RequestFailed("malformed reply", first[:60])
        headers = {}
        for line in lines:
            name, _colon, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return words, headers

    async def _read_reply(self) -> Reply:
        words, headers = await self._read_head()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = await self._chunked()
        elif headers.get("content-length", "").isdigit():
            body = await self.exactly(int(headers["content-length"]))
        else:
            # Without a length the end of the connection would pass for the end of the body.
            raise RequestFailed("malformed reply", "no length")
        if self._buffer:
            raise RequestFailed("malformed reply", "bytes after the end")
        keep = words[0] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        return Reply(int(words[1]), body, keep)
