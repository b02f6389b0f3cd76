# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker Engine 29 with containerd's image store, as its API describes its answers, on a socket.

It refuses versions of the API outside of what it offers, as an engine does, and leaves out what
later versions leave out.
"""

from __future__ import annotations

import contextlib
import json
import re
import socketserver
import threading
import typing as t
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote

from tests.unit.release.orders import sha_of

SHA = sha_of("a")
DIGEST = f"sha256:{'d' * 64}"
CONTAINER = "c" * 64
LABELS = {"org.opencontainers.image.revision": SHA}
LISTED = {
    "Containers": 1,
    "Created": 1764200000,
    "Descriptor": {
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": DIGEST,
        "size": 856,
    },
    "Id": DIGEST,
    "Labels": LABELS,
    "ParentId": "",
    "RepoDigests": [f"greenlight/api@{DIGEST}"],
    "RepoTags": [f"greenlight/api:{SHA}"],
    "SharedSize": -1,
    "Size": 31_000_000,
}
INSPECTED = {
    "Architecture": "amd64",
    "Config": {"Cmd": ["serve"], "Labels": LABELS, "WorkingDir": "/"},
    "Id": DIGEST,
    "Os": "linux",
    "RepoDigests": [f"greenlight/api@{DIGEST}", f"registry.test/team/api@{DIGEST}"],
    "RepoTags": [f"greenlight/api:{SHA}"],
    "Size": 31_000_000,
}
# Whatever else an inspection has is not read here.
STARTED: dict[str, t.Any] = {
    "Config": {"Labels": {"greenlight.app": "api", "greenlight.slot": "blue"}},
    "Created": "2026-11-27T08:00:00Z",
    "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
    "Id": CONTAINER,
    "Image": DIGEST,
    "Name": "/api-blue",
    "NetworkSettings": {"Networks": {"greenlight-api": {"IPAddress": "172.31.10.2"}}},
    "State": {"Status": "running", "ExitCode": 0, "Pid": 7, "StartedAt": "2026-11-27T08:00:01Z"},
}
LATE = {"errorDetail": {"code": 1, "message": "manifest unknown"}}


@dataclass(frozen=True)
class Progress:
    """An answer that comes message by message."""

    messages: list[t.Any]


class RecordedEngine:
    """What the engine offers, and the requests that it has seen: method, path, headers, body."""

    def __init__(self, newest: str = "1.52", oldest: str = "1.44") -> None:
        self.newest, self.oldest = newest, oldest
        self.requests: list[tuple[str, str, dict[str, str], t.Any]] = []
        self.pull: list[t.Any] = [{"status": "Pulling"}, {"status": f"Digest: {DIGEST}"}]
        self.ping = 200

    @property
    def versions(self) -> set[str]:
        """The versions of the API in which something was asked."""
        paths = (path for _method, path, _headers, _body in self.requests)
        return {match[1] for path in paths if (match := re.match(r"/v([\d.]+)/", path))}

    def body_of(self, part: str) -> tuple[dict[str, str], t.Any]:
        """Return headers and body of the one request whose path has that part."""
        ((headers, body),) = [(h, b) for _method, path, h, b in self.requests if part in path]
        return headers, body

    def answer(self, method: str, path: str) -> tuple[int, t.Any]:
        """Return status and body of the answer to a request."""
        if path == "/_ping":
            return self.ping, "OK" if self.ping == 200 else {"message": "starting"}
        if path == "/version":
            said = {"ApiVersion": self.newest, "MinAPIVersion": self.oldest, "Arch": "amd64"}
            return 200, said | {"Os": "linux", "Version": "29.0.1"}
        match = re.fullmatch(r"/v([\d.]+)(/[^?]*)(?:\?.*)?", path)
        if match is None or not self._speaks(match[1]):
            return 400, {"message": f"client version too old. Minimum is {self.oldest}"}
        for pattern, answer in self._routes():
            if re.fullmatch(pattern, f"{method} {match[2]}"):
                return answer
        return 404, {"message": f"No such thing: {match[2]}"}

    def _speaks(self, version: str) -> bool:
        asked, oldest, newest = (
            tuple(int(part) for part in text.split("."))
            for text in (version, self.oldest, self.newest)
        )
        return oldest <= asked <= newest

    def _routes(self) -> list[tuple[str, tuple[int, t.Any]]]:
        return [
            ("GET /version", (200, {"Arch": "amd64"})),
            ("GET /info", (200, {"HttpProxy": "", "HttpsProxy": "http://p", "NoProxy": "a,b"})),
            ("GET /containers/json", (200, [{"Id": CONTAINER, "Names": ["/api-blue"]}])),
            (f"GET /containers/{CONTAINER}/json", (200, STARTED)),
            ("POST /containers/create", (201, {"Id": CONTAINER, "Warnings": []})),
            (
                "GET /images/json",
                (200, [LISTED, LISTED | {"RepoTags": [], "RepoDigests": [DIGEST]}]),
            ),
            ("GET /images/registry.test/team/api@.*/json", (200, INSPECTED)),
            ("POST /images/create", (200, Progress(self.pull))),
            ("POST /networks/create", (201, {"Id": "n" * 64, "Warning": ""})),
        ]


class Server(socketserver.ThreadingUnixStreamServer):
    """A server on a Unix socket that asks the engine for its answers."""

    daemon_threads = True

    def __init__(self, path: Path, engine: RecordedEngine) -> None:
        super().__init__(str(path), Handler)
        self.engine = engine


class Handler(BaseHTTPRequestHandler):
    """One request to the engine."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Answer what reads."""
        self._serve()

    def do_POST(self) -> None:
        """Answer what changes something."""
        self._serve()

    def _serve(self) -> None:
        engine = self.server.engine
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        engine.requests.append(
            (self.command, self.path, headers, json.loads(body) if body else None)
        )
        status, answer = engine.answer(self.command, unquote(self.path))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        if isinstance(answer, Progress):
            self.send_header("Transfer-Encoding", "chunked")
            lines = [f"{json.dumps(each)}\r\n".encode() for each in answer.messages]
            content = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in (*lines, b""))
        else:
            content = json.dumps(answer).encode()
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        """Return whose request it is; a socket's client has no address."""
        return "socket"

    def log_message(self, *_words: t.Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def engine_server(path: Path, engine: RecordedEngine) -> t.Iterator[str]:
    """Serve the engine on a Unix socket; yields its address for Docker's SDK."""
    with Server(path, engine) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            thread.join()
