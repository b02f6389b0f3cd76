# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP/2 server that answers when enough requests are open at once, or fails to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, WindowUpdated

Failure = Literal["", "hang", "reset stream", "close", "close in body", "refuse", "not http2"]
# GOAWAY with the last stream that is answered and no error, as bytes: h2 would stop sending.
LEAVING = bytes.fromhex("0000080700000000007fffffff00000000")
REFUSING = bytes.fromhex("0000080700000000000000000100000000")


@dataclass
class Http2Server:
    """Holds all answers back until `gather` requests are open; bodies are path, number, padding."""

    gather: int
    failure: Failure = ""
    padding: int = 0
    leaving: bool = False
    connections: int = 0
    open_at_once: int = 0
    _unsent: dict[int, bytes] = field(default_factory=dict)

    @contextlib.contextmanager
    def listening(self) -> Iterator[str]:
        """The URL of the server, which ends with the block."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=self._accept, args=(listener,))
            thread.start()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                # Wakes the thread out of its accept.
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _address = listener.accept()
                self.connections += 1
                with link, contextlib.suppress(ConnectionError):
                    self._serve(link)

    def _serve(self, link: socket.socket) -> None:
        if self.failure == "not http2":
            link.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            link.recv(65536)
            return
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        link.sendall(connection.data_to_send())
        waiting: dict[int, bytes] = {}
        while data := link.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived):
                    waiting[event.stream_id] = dict(event.headers)[b":path"]
                elif isinstance(event, WindowUpdated):
                    self._send_bodies(connection)
            self.open_at_once = max(self.open_at_once, len(waiting))
            if len(waiting) >= self.gather and not self._answer(link, connection, waiting):
                return
            link.sendall(connection.data_to_send())

    def _answer(
        self, link: socket.socket, connection: H2Connection, waiting: dict[int, bytes]
    ) -> bool:
        """Begin all answers, or fail in the planned way; False when the connection is to end."""
        if self.failure in {"close", "refuse"}:
            link.sendall(REFUSING if self.failure == "refuse" else b"")
            return False
        if self.failure == "hang":
            return True
        if self.leaving:
            link.sendall(connection.data_to_send() + LEAVING)
        for number, stream in enumerate(sorted(waiting)):
            connection.send_headers(stream, [(":status", "200" if number else "404")])
            self._unsent[stream] = b"%s %d" % (waiting[stream], number) + b"x" * self.padding
        waiting.clear()
        if self.failure == "reset stream":
            connection.reset_stream(max(self._unsent))
            self._unsent.popitem()
        if self.failure != "close in body":
            self._send_bodies(connection)
        link.sendall(connection.data_to_send())
        return self.failure != "close in body"

    def _send_bodies(self, connection: H2Connection) -> None:
        """Send as much as flow control allows, the newest stream first: answers interleave."""
        for stream in sorted(self._unsent, reverse=True):
            while body := self._unsent[stream]:
                window = connection.local_flow_control_window(stream)
                part = body[: min(window, connection.max_outbound_frame_size)]
                if not part:
                    break
                self._unsent[stream] = body[len(part) :]
                connection.send_data(stream, part, end_stream=not self._unsent[stream])
            if not self._unsent[stream]:
                del self._unsent[stream]
