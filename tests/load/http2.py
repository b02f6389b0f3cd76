# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/2 without TLS and with prior knowledge (RFC 9113, section 3.3): many requests at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from tests.load.client import RequestFailed
from tests.load.options import local_target

# What every server is asked to allow at the same time (RFC 9113, section 6.5.2).
MAX_COUNT = 100
FRAME_HEAD = 9
# The default of section 4.2, which this client does not raise.
MAX_FRAME = 16384
GOAWAY = 0x7


@dataclass
class Answer:
    """What has come of one stream."""

    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False


@dataclass
class Frames:
    """Cuts what was received into frames and looks at those that say that the server leaves.

    h2 regards a connection as over at the first GOAWAY, whereas one without an error promises to
    answer all streams up to the one it names (RFC 9113, section 6.8), and a draining proxy does.
    """

    last_stream: int
    _buffer: bytearray = field(default_factory=bytearray)

    def whole(self, data: bytes) -> Iterator[bytes]:
        """Whole frames without GOAWAY; RequestFailed when that leaves a stream out."""
        self._buffer += data
        while len(self._buffer) >= FRAME_HEAD:
            end = FRAME_HEAD + int.from_bytes(self._buffer[:3], "big")
            if end > FRAME_HEAD + MAX_FRAME:
                raise RequestFailed("malformed reply", "frame too long, or no HTTP/2")
            if len(self._buffer) < end:
                return
            frame = bytes(self._buffer[:end])
            del self._buffer[:end]
            if frame[3] == GOAWAY:
                self._check_goaway(frame[FRAME_HEAD:])
            else:
                yield frame

    def _check_goaway(self, payload: bytes) -> None:
        if len(payload) < 8:
            raise RequestFailed("malformed reply", "GOAWAY too short")
        last, error = int.from_bytes(payload[:4], "big"), int.from_bytes(payload[4:8], "big")
        if error or last & 0x7FFFFFFF < self.last_stream:
            raise RequestFailed("goaway", f"error {error}, last stream {last & 0x7FFFFFFF}")


def fetch(url: str, path: str, count: int, timeout: float = 10.0) -> list[tuple[int, bytes]]:
    """GET a path on `count` streams of one connection at once; status and body of each.

    All requests are sent before the first answer is read. RequestFailed when a single one has no
    whole answer within `timeout` seconds. Only targets on this machine.
    """
    host, port = local_target(url)
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"count: 1 to {MAX_COUNT}")
    until = time.monotonic() + timeout
    answers: dict[int, Answer] = {}
    try:
        with socket.create_connection((host, port), timeout=timeout) as link:
            connection = H2Connection()
            answers |= _ask(connection, path, count)
            link.sendall(connection.data_to_send())
            _read(link, connection, answers, until)
    except ConnectionRefusedError as exc:
        raise RequestFailed("connection refused") from exc
    except TimeoutError as exc:
        raise RequestFailed("timeout", f"{timeout:.1f} s") from exc
    except OSError as exc:
        # A server that closes before it has read all that we sent resets the connection.
        reason = "truncated body" if _begun(answers) else "connection reset"
        raise RequestFailed(reason, type(exc).__name__) from exc
    except ProtocolError as exc:
        raise RequestFailed("malformed reply", str(exc)) from exc
    return [(answer.status, bytes(answer.body)) for answer in answers.values()]


def _ask(connection: H2Connection, path: str, count: int) -> dict[int, Answer]:
    """Put the preface and all requests into what is to be sent; the answers to come by stream."""
    connection.initiate_connection()
    answers = {}
    for _request in range(count):
        stream = connection.get_next_available_stream_id()
        headers = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "api.greenlight.test"),
            (":path", path),
        ]
        connection.send_headers(stream, headers, end_stream=True)
        answers[stream] = Answer()
    return answers


def _read(
    link: socket.socket, connection: H2Connection, answers: dict[int, Answer], until: float
) -> None:
    """Read until every answer is whole; `until` is a monotonic time."""
    frames = Frames(max(answers))
    while not all(answer.whole for answer in answers.values()):
        if (left := until - time.monotonic()) <= 0:
            raise TimeoutError
        link.settimeout(left)
        data = link.recv(65536)
        if not data:
            raise RequestFailed("truncated body" if _begun(answers) else "closed without reply")
        for frame in frames.whole(data):
            for event in connection.receive_data(frame):
                _take(connection, answers, event)
        if to_send := connection.data_to_send():
            link.sendall(to_send)


def _begun(answers: dict[int, Answer]) -> bool:
    """Tell whether an answer has begun."""
    return any(answer.status for answer in answers.values())


def _take(connection: H2Connection, answers: dict[int, Answer], event: Event) -> None:
    """Add what an event says to the answer that it belongs to."""
    if isinstance(event, ResponseReceived):
        answers[event.stream_id].status = int(dict(event.headers)[b":status"])
    elif isinstance(event, DataReceived):
        answers[event.stream_id].body += event.data
        # Without this the server may send no more than 64 KiB in all.
        connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    elif isinstance(event, StreamEnded):
        answers[event.stream_id].whole = True
    elif isinstance(event, StreamReset):
        raise RequestFailed("stream reset", f"error {event.error_code}")
