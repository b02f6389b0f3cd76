# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small servers that lose requests in every way that the load generator has to see."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tests.load.options import KINDS, LoadOptions
from tests.load.worker import Worker

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"sha":"abc"}'


def scripted(*replies: bytes, after: str = "close") -> Serve:
    """A server that sends the n-th reply to the n-th request on a connection, then ends it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for reply in replies:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(reply)
                await writer.drain()
            if after == "hang":
                await asyncio.sleep(30)
            elif after == "reset":
                await reader.readuntil(b"\r\n\r\n")
                # Not the orderly end of a connection but its reset.
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            elif after == "read":
                await reader.readuntil(b"\r\n\r\n")
        writer.close()

    return serve


@contextlib.asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """The URL of a server on this machine; its connections end with it."""
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            tasks.add(task)
        with contextlib.closing(writer), contextlib.suppress(asyncio.CancelledError):
            await serve(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The transports close in the round after the one that asked for it.
        await asyncio.sleep(0.01)


def load(serve: Serve, kind: str = "connection", **options: Any) -> dict[str, Any]:
    """Result of ten requests of one kind, 40 a second, against `serve`."""
    rates = {f"{name}_rate": 0.0 for name in KINDS}
    rates[f"{kind}_rate"] = 40.0
    values = {**rates, "seconds": 0.25, "timeout": 0.3, **options}

    async def run() -> dict[str, Any]:
        async with listening(serve) as url:
            return await Worker(LoadOptions(url, **values)).run()

    return asyncio.run(run())


def echoing(requests: int, *, lose_next: bool) -> Serve:
    """A server that answers some kept-alive requests, then ends the connection.

    With `lose_next` it first reads one more request and drops it.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for _request in range(requests):
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"POST"):
                    writer.write(GOOD)
                    continue
                length = int(head.rpartition(b"Content-Length: ")[2].split()[0])
                body = await reader.readexactly(length)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + body)
            if lose_next:
                await reader.readuntil(b"\r\n\r\n")
        writer.close()

    return serve


def stream(lines: list[str], *, end: bool = True) -> bytes:
    """A chunked reply with these lines."""
    body = b"".join(b"%x\r\n%s\n\r\n" % (len(line) + 1, line.encode()) for line in lines)
    return CHUNKED + body + (b"0\r\n\r\n" if end else b"")
