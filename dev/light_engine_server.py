# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets of the engines of light test hosts.

Runs as a program on the machine of the light hosts, with the standard library and
dev/light_engine.py alone: `python3 -m dev.light_engine_server CATALOGUE SOCKET...`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from http import HTTPStatus
from pathlib import Path

from dev import light_engine


async def _serve_one(
    engine: light_engine.Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request; raises IncompleteReadError when nothing more is asked."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    method, target, _version = head.split("\r\n", 1)[0].split(" ")
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    status, said = await light_engine.answer(engine, method, target, json.loads(body or b"{}"))
    data = b"" if said is None else json.dumps(said).encode() + b"\n"
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Api-Version: {light_engine.API_VERSION}",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
    )
    writer.write("\r\n".join((*lines, "", "")).encode() + data)
    await writer.drain()


async def serve(path: Path, engine: light_engine.Engine) -> asyncio.Server:
    """Let an engine answer on a socket."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await _serve_one(engine, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            # Whoever asked has hung up, which is how a connection ends.
            return
        finally:
            writer.close()

    return await asyncio.start_unix_server(connected, path, backlog=64)


async def main(arguments: list[str]) -> None:
    """Serve an engine on each socket; the arguments are the catalogue and the sockets."""
    catalogue, paths = Path(arguments[0]), [Path(name) for name in arguments[1:]]
    for path in paths:
        path.unlink(missing_ok=True)
    servers = [await serve(path, light_engine.Engine(catalogue)) for path in paths]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
