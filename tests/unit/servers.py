# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real tiny HTTP server and a real tiny HAProxy runtime socket, for what speaks to them."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import typing as t
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Reply = tuple[int, dict[str, str], str]


@contextmanager
def http_server(
    reply: t.Callable[[str, dict[str, str]], Reply],
    tls: ssl.SSLContext | None = None,
) -> t.Iterator[tuple[int, list[tuple[str, dict[str, str]]]]]:
    """Serve on a free port of 127.0.0.1; yields the port and the list of requests seen.

    `reply` gets the path and the headers with lower-case names. Status 0 closes without an answer.
    """
    seen: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append((self.path, headers))
            status, answer, body = reply(self.path, headers)
            if status == 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            for name, value in answer.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_words: t.Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1], seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def raw_server(*chunks: bytes, pause: float = 0.0) -> t.Iterator[int]:
    """Serve one connection: read a request, then send the chunks with a pause (seconds) after each.

    The last chunk is sent again and again until the client has gone. Yields the port.
    """
    server = socket.create_server(("127.0.0.1", 0))
    # A client that never comes must not keep the test for ever.
    server.settimeout(60.0)
    ended = threading.Event()

    def serve() -> None:
        connection, _address = server.accept()
        with connection, contextlib.suppress(ConnectionError):
            connection.recv(4096)
            for chunk in itertools.chain(chunks, itertools.repeat(chunks[-1])):
                connection.sendall(chunk)
                if not chunk or ended.wait(pause):
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        ended.set()
        thread.join()
        server.close()


class RuntimeSocket:
    """A socket that answers one command a connection, as HAProxy's does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, str] = {}
        self.maps: dict[str, dict[str, str]] = {}
        self.stat = ""
        self.refusal = ""
        self.commands: list[str] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _address = self._server.accept()
            with connection:
                command = connection.recv(4096).decode().strip()
                if command == "end":
                    return
                self.commands.append(command)
                connection.sendall(f"{self._answer(command)}\n".encode())

    def _answer(self, command: str) -> str:
        words = command.split()
        if self.refusal and words[0] != "show":
            return self.refusal
        if "canary.map" in command and words[2] not in self.maps:
            return "Unknown map identifier. Please use #<id> or <file>."
        entries = self.maps.get(words[2], self.entries) if len(words) > 2 else {}
        if words[:2] == ["show", "map"]:
            return "".join(f"0x5f {key} {value}\n" for key, value in entries.items())
        if words[0] in ("set", "add") and words[1] == "map":
            entries[words[3]] = words[4]
        if words[:2] == ["del", "map"]:
            del entries[words[3]]
        return self.stat if command == "show stat" else ""

    def close(self) -> None:
        """End the server."""
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(self.path))
            last.sendall(b"end\n")
        self._thread.join()
        self._server.close()
