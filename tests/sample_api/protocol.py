# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 as far as the sample API needs it: reading requests, one connection at a time."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

MAX_BODY = 1 << 20
REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
           411: "Length Required", 413: "Content Too Large", 426: "Upgrade Required",
           500: "Internal Server Error", 503: "Service Unavailable"}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request, read to its end; names of headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    keep_alive: bool
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class BadRequest(Exception):
    """A request that cannot be answered as asked; carries the status and header lines."""

    def __init__(self, status: int, message: str, *lines: str) -> None:
        """Keep the HTTP status and the header lines to answer with."""
        super().__init__(message)
        self.status = status
        self.lines = lines


@dataclass(eq=False)
class Connection:
    """A client's connection; idle while it waits for the next request, then upgraded or not."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle: bool = True
    upgraded: bool = False

    async def read_request(self) -> Request | None:
        """The next request, or None when the client is done."""
        self.idle = True
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        except asyncio.LimitOverrunError as exc:
            raise BadRequest(400, "header too long") from exc
        self.idle = False
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        match = re.fullmatch(r"([A-Z]+) (/\S*) HTTP/1\.([01])", first)
        pairs = [line.partition(":") for line in lines]
        if match is None or any(not colon for _name, colon, _value in pairs):
            raise BadRequest(400, "malformed request")
        headers = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
        wish = headers.get("connection", "").lower()
        url = urlsplit(match[2])
        return Request(
            method=match[1],
            path=url.path,
            query={key: values[-1] for key, values in parse_qs(url.query).items()},
            keep_alive=wish == "keep-alive" if match[3] == "0" else wish != "close",
            body=await self._read_body(headers),
            headers=headers,
        )

    async def wait_for_end(self) -> None:
        """Read and forget until the client goes away."""
        while await self.reader.read(65536):
            pass

    async def _read_body(self, headers: dict[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            raise BadRequest(411, "send a Content-Length")
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise BadRequest(400, "malformed Content-Length")
        if int(length) > MAX_BODY:
            raise BadRequest(413, f"body over {MAX_BODY} bytes")
        if headers.get("expect", "").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await self.reader.readexactly(int(length))
