# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent for each kind of request, and what a good reply to it is."""

from __future__ import annotations

import json

from tests.load.client import Reply, RequestFailed
from tests.load.options import Kind, LoadOptions


def message(kind: Kind, number: int, options: LoadOptions) -> bytes:
    """The bytes of request `number` of a kind; every other kept-alive one is a POST."""
    body = b""
    method, connection = "GET", "close"
    if kind == "keepalive":
        connection = "keep-alive"
    if kind == "keepalive" and number % 2:
        method, path, body = "POST", "/v1/echo", echo_text(number)
    elif kind == "slow":
        path = f"/v1/slow?ms={options.slow_ms}"
    elif kind == "stream":
        path = f"/v1/stream?seconds={options.stream_seconds:g}"
    else:
        path = "/v1/version"
    length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: api.greenlight.test\r\nConnection: {connection}\r\n"
    return f"{head}{length}\r\n".encode() + body


def echo_text(number: int) -> bytes:
    """The body of a POST, different for each request so that a mixed-up reply shows."""
    return f"request {number} ".encode() + b"x" * (number % 200)


def check(kind: Kind, number: int, reply: Reply) -> str:
    """Raise RequestFailed unless the reply is whole and right; return the SHA it came from."""
    if reply.status >= 500:
        raise RequestFailed("status >= 500", str(reply.status))
    if reply.status != 200:
        raise RequestFailed("unexpected status", str(reply.status))
    if kind == "stream":
        _check_stream(reply.body)
    elif kind == "keepalive" and number % 2:
        if reply.body != echo_text(number):
            raise RequestFailed("wrong body", reply.body[:40].decode("latin-1"))
    else:
        return _document(reply.body)
    return ""


def _check_stream(body: bytes) -> None:
    """The chunks must be numbered without a gap and end with the line that says how many."""
    lines = body.decode("latin-1").splitlines()
    wanted = [f"chunk {number}" for number in range(1, len(lines))] + [f"end {len(lines) - 1}"]
    if not lines or lines != wanted:
        raise RequestFailed("truncated stream", f"{len(lines)} lines, last: {lines[-1:]}")


def _document(body: bytes) -> str:
    """The `sha` of a JSON object, empty when it has none."""
    try:
        document = json.loads(body)
    except ValueError as exc:
        raise RequestFailed("wrong body", body[:40].decode("latin-1")) from exc
    if not isinstance(document, dict):
        raise RequestFailed("wrong body", "not an object")
    return str(document.get("sha", ""))
