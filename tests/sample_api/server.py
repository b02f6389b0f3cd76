# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample API's endpoints, its planned misbehaviour and its graceful end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.sample_api.protocol import REASONS, BadRequest, Connection, Request
from tests.sample_api.settings import Settings
from tests.sample_api.websocket import Session, handshake, push_seconds

MAX_SLOW_MS = 60_000
MAX_STREAM_SECONDS = 60.0
CHUNK_SECONDS = 0.1
EAT_BYTES = 32 << 20
EAT_SECONDS = 0.05
# Far over any container's limit, and still something that a machine without limits survives.
MAX_EATEN_BYTES = 4 << 30


def log(message: str) -> None:
    """Write one line to stdout at once."""
    print(f"{time.strftime('%H:%M:%S', time.gmtime())} sample-api {message}", flush=True)


@dataclass
class Server:
    """The API: its settings, its connections and whether it is stopping."""

    settings: Settings
    began: float = field(default_factory=time.monotonic)
    connections: set[Connection] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    requests: int = 0
    errors: int = 0

    async def reply(
        self, link: Connection, request: Request, status: int, body: bytes, *extra: str
    ) -> None:
        """Send a whole response with its length."""
        keep = request.keep_alive and not self.stopping.is_set()
        lines = [
            f"HTTP/1.1 {status} {REASONS[status]}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"Connection: {'keep-alive' if keep else 'close'}",
            *extra,
        ]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        link.writer.write(head if request.method == "HEAD" else head + body)
        await link.writer.drain()

    async def reply_json(
        self, link: Connection, request: Request, document: object, status: int = 200, *extra: str
    ) -> None:
        """Send a JSON document."""
        await self.reply(link, request, status, json.dumps(document).encode() + b"\n", *extra)

    async def refuse(self, link: Connection, request: Request, why: BadRequest) -> None:
        """Send what is wrong with a request."""
        await self.reply_json(link, request, {"error": str(why)}, why.status, *why.lines)

    async def health(self, link: Connection, request: Request) -> None:
        """GET /v1/health."""
        behaviours = self.settings.behaviours
        if "hang-health" in behaviours:
            await asyncio.sleep(3600)
        if "redirect-health" in behaviours:
            await self.reply(link, request, 302, b"", "Location: /v1/version")
            return
        failing = "never-healthy" in behaviours
        bad = failing or "unhealthy-json" in behaviours
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        document = {
            "status": "unhealthy" if bad else "healthy",
            "uptime": round(time.monotonic() - self.began, 3),
            "timestamp": f"{stamp}.{int(now % 1 * 1000):03d}Z",
            "services": {
                "database": "disconnected" if bad else "connected",
                "redis": "connected",
            },
        }
        await self.reply_json(link, request, document, 503 if failing else 200)

    async def version(self, link: Connection, request: Request) -> None:
        """GET /v1/version."""
        document = {
            "sha": self.settings.sha,
            "hostname": socket.gethostname(),
            "pid": os.getpid(),
            "greeting": self.settings.greeting,
            "token": "set" if os.environ.get("SAMPLE_API_TOKEN") else "unset",
        }
        await self.reply_json(link, request, document)

    async def echo(self, link: Connection, request: Request) -> None:
        """GET or POST /v1/echo: what was sent, as it was sent."""
        body = request.body or request.query.get("text", "").encode()
        await self.reply(link, request, 200, body)

    async def slow(self, link: Connection, request: Request) -> None:
        """GET /v1/slow?ms=800."""
        text = request.query.get("ms", "800")
        if not text.isdigit() or int(text) > MAX_SLOW_MS:
            raise BadRequest(400, f"ms: 0 to {MAX_SLOW_MS}")
        await asyncio.sleep(int(text) / 1000)
        await self.reply_json(link, request, {"slept_ms": int(text)})

    async def stream(self, link: Connection, request: Request) -> None:
        """GET /v1/stream?seconds=5: numbered chunks, ten a second, and a last one that says so."""
        text = request.query.get("seconds", "5")
        if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) > MAX_STREAM_SECONDS:
            raise BadRequest(400, f"seconds: 0 to {MAX_STREAM_SECONDS:.0f}")
        chunks = int(float(text) / CHUNK_SECONDS)
        link.writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for line in [f"chunk {number}\n" for number in range(1, chunks + 1)] + [f"end {chunks}\n"]:
            link.writer.write(b"%x\r\n%s\r\n" % (len(line), line.encode()))
            await link.writer.drain()
            await asyncio.sleep(0 if line.startswith("end") else CHUNK_SECONDS)
        link.writer.write(b"0\r\n\r\n")
        await link.writer.drain()

    async def websocket(self, link: Connection, request: Request) -> None:
        """GET /v1/websocket?push=0: an echo of texts, and `push N` every so many seconds."""
        session = Session(link, self.stopping, push_seconds(request))
        link.writer.write(handshake(request))
        link.upgraded = True
        await link.writer.drain()
        await session.run()

    async def answer(self, link: Connection, request: Request) -> None:
        """Find the endpoint and let it answer."""
        routes: dict[str, tuple[Handler, tuple[str, ...]]] = {
            "/v1/health": (Server.health, ("GET", "HEAD")),
            "/v1/version": (Server.version, ("GET", "HEAD")),
            "/v1/echo": (Server.echo, ("GET", "POST")),
            "/v1/slow": (Server.slow, ("GET",)),
            "/v1/stream": (Server.stream, ("GET",)),
            "/v1/websocket": (Server.websocket, ("GET",)),
        }
        if request.path != "/v1/health" and "hang-requests" in self.settings.behaviours:
            await link.wait_for_end()
            return
        if request.path not in routes:
            raise BadRequest(404, "no such path")
        handler, methods = routes[request.path]
        if request.method not in methods:
            raise BadRequest(405, f"allowed: {', '.join(methods)}")
        if request.path != "/v1/health" and self.must_fail():
            await self.reply_json(link, request, {"error": "planned error"}, 500)
            return
        await handler(self, link, request)

    def must_fail(self) -> bool:
        """Count a request that is not a health check; say whether it is one of those that fail."""
        self.requests += 1
        if self.requests == 1 and "crash-after-traffic" in self.settings.behaviours:
            asyncio.get_running_loop().call_later(self.settings.crash_seconds, crash, "traffic")
        if self.requests == 1 and "eat-memory" in self.settings.behaviours:
            log("error: eating memory as planned")
            eat_memory([])
        if "errors" not in self.settings.behaviours:
            return False
        if self.requests * self.settings.error_percent // 100 <= self.errors:
            return False
        self.errors += 1
        if self.errors in {1, 10, 100}:
            log(f"error: request failed as planned, number {self.errors}")
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until one side ends it."""
        link = Connection(reader, writer)
        self.connections.add(link)
        try:
            while not self.stopping.is_set():
                request = await link.read_request()
                if request is None:
                    break
                try:
                    await self.answer(link, request)
                except BadRequest as exc:
                    await self.refuse(link, request, exc)
                if link.upgraded or not request.keep_alive:
                    break
        except BadRequest as exc:
            last = Request("GET", "", {}, False, b"")
            await self.refuse(link, last, exc)
        except (ConnectionError, asyncio.IncompleteReadError) as exc:
            log(f"client went away: {type(exc).__name__}")
        finally:
            self.connections.discard(link)
            writer.close()

    def stop(self) -> None:
        """On SIGTERM: idle connections end now, busy ones after their answer."""
        busy = sum(not link.idle for link in self.connections)
        log(f"stopping: SIGTERM, requests in flight: {busy}")
        self.stopping.set()
        for link in self.connections:
            if link.idle:
                link.writer.close()

    async def run(self) -> None:
        """Serve until SIGTERM, then finish what is in flight."""
        loop = asyncio.get_running_loop()
        if "ignore-sigterm" in self.settings.behaviours:
            loop.add_signal_handler(signal.SIGTERM, log, "SIGTERM ignored as planned")
        else:
            loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self.stop)
        if "crash-after" in self.settings.behaviours:
            loop.call_later(self.settings.crash_seconds, crash, "start")
        server = await asyncio.start_server(self.serve, "0.0.0.0", self.settings.port, backlog=512)
        log(f"started: sha {self.settings.sha} on port {self.settings.port}")
        await self.stopping.wait()
        server.close()
        while self.connections:
            await asyncio.sleep(0.02)
        log("stopped")


Handler = Callable[[Server, Connection, Request], Awaitable[None]]


def crash(since: str) -> None:
    """End at once, as a bug would."""
    log(f"error: fatal: planned crash some seconds after {since}")
    os._exit(1)


def eat_memory(eaten: list[bytes]) -> None:
    """Take 32 MiB every 50 ms, as a leak would, until the kernel kills the process."""
    # Zeros would be pages that the kernel only promised; written ones count.
    eaten.append(b"x" * EAT_BYTES)
    if len(eaten) * EAT_BYTES < MAX_EATEN_BYTES:
        asyncio.get_running_loop().call_later(EAT_SECONDS, eat_memory, eaten)
