# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load generator must see every way of losing a request: no false green."""

from __future__ import annotations

import asyncio

import pytest

from tests.load.options import LoadOptions
from tests.load.worker import Worker
from tests.unit.dev.load_servers import CHUNKED, GOOD, HEAD, echoing, load, scripted, stream

pytestmark = pytest.mark.slow


def test_good_replies_are_ok() -> None:
    """The base line: without it the tests below would prove nothing."""
    result = load(scripted(GOOD))
    assert (result["requests"], result["ok"], result["failed"]) == (10, 10, 0)
    assert result["versions"] == {"abc": 10}


@pytest.mark.parametrize(
    ("reply", "after", "reason"),
    [
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "close", "status >= 500"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", "close", "status >= 500"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "close", "unexpected status"),
        (b"HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n", "close", "unexpected status"),
        (b"", "close", "closed without reply"),
        (b"", "hang", "timeout"),
        (HEAD + b"Content-Length: 20\r\n\r\nshort", "close", "truncated body"),
        (HEAD + b"Content-Length: 20\r\n\r\nshort", "hang", "timeout"),
        (HEAD[:9], "close", "truncated body"),
        (CHUNKED + b"5\r\nab", "close", "truncated body"),
        (CHUNKED + b"2\r\nab\r\n", "close", "truncated body"),
        (CHUNKED + b"zz\r\nab\r\n", "close", "malformed reply"),
        (HEAD + b"\r\nno length", "close", "malformed reply"),
        (HEAD + b"\r\n", "close", "malformed reply"),
        (GOOD + b"more", "close", "malformed reply"),
        (b"SSH-2.0-x\r\n\r\n", "close", "malformed reply"),
        (HEAD + b"Content-Length: 5\r\n\r\n{oops", "close", "wrong body"),
        (HEAD + b"Content-Length: 2\r\n\r\n[]", "close", "wrong body"),
    ],
)
def test_every_loss_is_a_failure_with_its_reason(reply: bytes, after: str, reason: str) -> None:
    """No bad reply is counted as ok."""
    result = load(scripted(reply, after=after))
    assert (result["ok"], result["failed"]) == (0, 10)
    assert result["reasons"] == {reason: 10}
    assert result["examples"][0]["reason"] == reason


def test_reset_after_sending_is_a_failure() -> None:
    """A connection that is cut while a request is on it lost that request."""
    result = load(scripted(after="reset"))
    assert result["reasons"] == {"connection reset": 10}


def test_nothing_listening_is_a_failure() -> None:
    """Refused connections count one by one."""
    options = LoadOptions("http://127.0.0.1:9", seconds=0.5, stream_rate=0, slow_rate=0)
    result = asyncio.run(Worker(options).run())
    assert result["ok"] == 0
    assert result["reasons"] == {"connection refused": 200}


def test_connection_ended_while_idle_is_a_reconnect() -> None:
    """The server may close a kept connection between requests: nothing was lost."""
    result = load(echoing(2, lose_next=False), "keepalive")
    assert (result["ok"], result["failed"]) == (10, 0)
    assert result["reconnects"] >= 4


def test_connection_ended_after_sending_is_a_failure() -> None:
    """The very same close after the request went out is a lost request, not retried."""
    result = load(echoing(1, lose_next=True), "keepalive")
    assert result["reasons"] == {"closed without reply": 5}
    assert result["ok"] == 5


def test_mixed_up_reply_is_a_failure() -> None:
    """A whole reply that belongs to another request is not ok."""
    wrong = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    result = load(scripted(*[wrong] * 18), "keepalive")
    assert result["reasons"] == {"wrong body": 10}
    assert result["ok"] == 0


@pytest.mark.parametrize(
    ("reply", "reasons"),
    [
        (stream(["chunk 1", "chunk 2", "end 2"]), {}),
        (stream(["chunk 1", "chunk 2", "end 2"], end=False), {"truncated body": 10}),
        (stream(["chunk 1", "chunk 2"]), {"truncated stream": 10}),
        (stream(["chunk 1", "chunk 3", "end 2"]), {"truncated stream": 10}),
        (stream(["chunk 1", "end 2"]), {"truncated stream": 10}),
        (stream([]), {"truncated stream": 10}),
    ],
)
def test_streams_are_checked_to_their_end(reply: bytes, reasons: dict[str, int]) -> None:
    """Valid chunked coding is not enough: numbers and end line must be there."""
    assert load(scripted(reply), "stream", stream_seconds=0.1)["reasons"] == reasons


def test_stall_shows_in_the_latency() -> None:
    """Open loop: requests planned during a stall have waited, and all of them are counted."""
    hold = {"until": 0.0}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        hold["until"] = hold["until"] or loop.time() + 0.4
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(max(0.0, hold["until"] - loop.time()))
        writer.write(GOOD)
        await writer.drain()
        writer.close()

    result = load(serve, timeout=5)
    assert result["ok"] == 10
    assert result["latency_ms"]["max"] > 350
    assert result["latency_ms"]["p50"] > 100


def test_too_many_in_flight_are_failures() -> None:
    """What this machine cannot send is never left out of the count."""
    result = load(scripted(after="hang"), max_in_flight=3)
    assert result["requests"] == 10
    assert result["reasons"]["not sent"] > 0
    assert result["ok"] == 0
