# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real small HTTP proxy, which takes every name for one of this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Server(ThreadingHTTPServer):
    """The proxy, with what it was asked for, one line each.

    `password` is the value of the header Proxy-Authorization that is wanted; `refusal` is the
    status with which everything is refused.
    """

    def __init__(self, password: str, refusal: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.password = password
        self.refusal = refusal
        self.seen: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """One connection through the proxy."""

    timeout = 5.0
    server: Server

    def do_CONNECT(self) -> None:
        """Connect the client with the host that it names."""
        self._pass_on(self.path, b"")

    def do_GET(self) -> None:
        """Pass a request on to the host in its URL."""
        parts = urlsplit(self.path)
        head = [f"GET {parts.path} HTTP/1.1", *(f"{k}: {v}" for k, v in self.headers.items())]
        self._pass_on(parts.netloc, "\r\n".join([*head, "", ""]).encode())

    def _pass_on(self, place: str, head: bytes) -> None:
        proxy = self.server
        proxy.seen.append(f"{self.command} {self.path}")
        wrong = proxy.password and self.headers.get("Proxy-Authorization") != proxy.password
        if proxy.refusal or wrong:
            self.send_error(proxy.refusal or 407)
            return
        port = int(place.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 5.0) as target:
            if head:
                target.sendall(head)
            else:
                self.send_response_only(200, "Connection established")
                self.end_headers()
            back = threading.Thread(target=_copy, args=(target, self.connection))
            back.start()
            _copy(self.connection, target)
            back.join()
        self.close_connection = True

    def log_message(self, *_words: t.Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def proxy_server(password: str = "", refusal: int = 0) -> t.Iterator[tuple[int, list[str]]]:
    """Serve on a free port of 127.0.0.1; yields the port and what was asked for."""
    server = Server(password, refusal)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1], server.seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
