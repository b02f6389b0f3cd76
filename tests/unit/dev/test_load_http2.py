# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP/2 client against a real server on this machine."""

from __future__ import annotations

import pytest

from tests.load.client import RequestFailed
from tests.load.http2 import fetch
from tests.unit.dev.http2_server import Failure, Http2Server


@pytest.mark.parametrize("count", [1, 100])
def test_all_streams_are_open_at_once_on_one_connection(count: int) -> None:
    """The server answers only when it has all requests; answers are in the order of these."""
    server = Http2Server(count)
    with server.listening() as url:
        answers = fetch(url, "/v1/slow?ms=1", count)
    wanted = [(200 if number else 404, b"/v1/slow?ms=1 %d" % number) for number in range(count)]
    assert answers == wanted
    assert (server.connections, server.open_at_once) == (1, count)


def test_long_bodies_come_whole() -> None:
    """More than the windows of the streams and of the connection hold at first."""
    with Http2Server(3, padding=200_000).listening() as url:
        answers = fetch(url, "/", 3)
    assert [len(body) for _status, body in answers] == [200_003] * 3


def test_leaving_server_still_answers() -> None:
    """A GOAWAY without an error is how a proxy drains; what was asked is answered."""
    with Http2Server(5, leaving=True).listening() as url:
        assert len(fetch(url, "/", 5)) == 5


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ("hang", "timeout"),
        ("reset stream", "stream reset"),
        # Which of the two it is depends on what the kernel had read when the server closed.
        ("close", "closed without reply|connection reset"),
        ("close in body", "truncated body"),
        ("refuse", "goaway"),
        ("not http2", "malformed reply"),
    ],
)
def test_every_loss_is_a_failure_with_its_reason(failure: Failure, reason: str) -> None:
    """One lost stream is enough, and nothing waits for ever."""
    with Http2Server(4, failure).listening() as url, pytest.raises(RequestFailed) as caught:
        fetch(url, "/", 4, timeout=0.5)
    assert caught.value.reason in reason.split("|")


def test_nothing_listening_is_a_failure() -> None:
    """As in the HTTP/1.1 client."""
    with pytest.raises(RequestFailed, match="connection refused"):
        fetch("http://127.0.0.1:9", "/", 1)


def test_bounds() -> None:
    """Only this machine, and no more streams than a server has to expect."""
    with pytest.raises(ValueError, match="this machine"):
        fetch("http://10.77.0.11:3002", "/", 1)
    for count in (0, 101):
        with pytest.raises(ValueError, match="count: 1 to 100"):
            fetch("http://127.0.0.1:9", "/", count)
