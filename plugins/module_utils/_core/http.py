# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that speaks HTTP: one request in one total time, no redirect followed."""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import queue
import socket
import ssl
import threading
import time
import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

BODY_LIMIT = 1024 * 1024
"""At most this many bytes of an answer are read, unless the caller says otherwise."""

_INTERIM_LIMIT: t.Final = 20
"""At most this many interim answers (1xx) are passed over before the final one."""

_HEAD_LIMIT: t.Final = 65536
"""At most this many bytes does the head of a proxy's answer have."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers with lower-case names, body text, seconds it took.

    Headers that are there more than once are one, with commas. `cut_at` is the number of bytes
    after which the rest of a longer body was left; 0 for a whole one. `raw` is the body as it came.
    """

    status: int
    headers: dict[str, str]
    body: str = ""
    seconds: float = 0.0
    cut_at: int = 0
    raw: bytes = b""


class NoAnswer(Exception):
    """The request got no HTTP answer; the text says why."""


def get(
    address: str,
    port: int,
    path: str,
    *,
    headers: dict[str, str],
    timeout: float,
    tls: bool = False,
    method: str = "GET",
    limit: int = BODY_LIMIT,
    trust: ssl.SSLContext | None = None,
    proxy: str = "",
) -> Answer:
    """Make one request on a new connection and read at most `limit` bytes of the body.

    An `address` that begins with a slash is a Unix socket's. `trust` says whose certificates are
    good, in place of the system's store. `proxy` is the http:// URL of a proxy to go through.
    `timeout` is in seconds and bounds the whole of it, from the look-up of a name to the last byte
    of the body, however slowly they come. Raises NoAnswer.
    """
    begin = time.monotonic()
    through = urlsplit(proxy) if proxy else None
    connection = _Connection(address, port, begin + timeout, tls, trust, through)
    try:
        if through and not tls:
            path = f"http://{_netloc(address, port)}{path}"
            headers = {**_credentials(through), **headers}
        connection.request(method, path, headers={"Connection": "close", **headers})
        return _read(connection, method, limit, begin)
    except TimeoutError as exc:
        raise NoAnswer(f"no answer within {timeout:g} s") from exc
    except (OSError, ValueError, http.client.HTTPException) as exc:
        raise NoAnswer(f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__) from exc
    finally:
        connection.close()


def _read(connection: _Connection, method: str, limit: int, begin: float) -> Answer:
    """Read the answer to a request that began at `begin`, a time of the monotonic clock."""
    response = _final_response(connection, method)
    body = response.read(limit + 1)
    if len(body) <= limit and response.length:
        raise NoAnswer(f"the body ended {response.length} bytes before its announced end")
    return Answer(
        response.status,
        _joined(response.getheaders()),
        body[:limit].decode("utf-8", "replace"),
        time.monotonic() - begin,
        limit if len(body) > limit else 0,
        body[:limit],
    )


def _joined(headers: t.Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


def _netloc(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _credentials(proxy: SplitResult) -> dict[str, str]:
    """Return the header with the user and the password that stand in a proxy's URL."""
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _final_response(connection: _Connection, method: str) -> http.client.HTTPResponse:
    """Return the first answer that is not an interim one (RFC 9110, section 15.2)."""
    for _number in range(_INTERIM_LIMIT + 1):
        response = http.client.HTTPResponse(connection.sock, method=method)
        response.begin()
        if response.status >= 200 or response.status == 101:
            return response
    raise NoAnswer(f"more than {_INTERIM_LIMIT} interim answers (status 1xx)")


class _Connection(http.client.HTTPConnection):
    """A connection that is over at `end`, a time of the monotonic clock in seconds."""

    def __init__(
        self,
        address: str,
        port: int,
        end: float,
        tls: bool,
        trust: ssl.SSLContext | None = None,
        proxy: SplitResult | None = None,
    ) -> None:
        super().__init__(address, port)
        self.default_port = 443 if tls else 80
        self._end = end
        self._tls = tls
        self._trust = trust
        self._proxy = proxy

    def connect(self) -> None:
        """Connect to the first address of the host, or of the proxy, that takes the connection.

        Each of them gets its share of the time that is left, so that a dead one costs not all.
        """
        refused = OSError(f"{self.host} has no address")
        places = self._places()
        for number, (family, kind, protocol, _name, place) in enumerate(places):
            raw = socket.socket(family, kind, protocol)
            try:
                raw.settimeout(_seconds_left(self._end) / (len(places) - number))
                raw.connect(place)
                self.sock = _Stream(self._secure(raw), self._end)
            except OSError as exc:
                raw.close()
                refused = exc
            else:
                return
        raise refused

    def _places(self) -> _Places:
        """Return family, kind, protocol, name and address of each socket to try."""
        if self.host.startswith("/"):
            return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", self.host)]
        host, port = self.host, self.port
        if self._proxy:
            host, port = self._proxy.hostname or "", self._proxy.port or 80
        return _look_up(host, port, self._end)

    def _secure(self, raw: socket.socket) -> socket.socket:
        if not self._tls:
            return raw
        if self._proxy:
            self._open_tunnel(raw, self._proxy)
        context = self._trust or ssl.create_default_context()
        raw.settimeout(_seconds_left(self._end))
        return context.wrap_socket(raw, server_hostname=self.host)

    def _open_tunnel(self, raw: socket.socket, proxy: SplitResult) -> None:
        """Let the proxy connect the socket to the host (RFC 9110, section 9.3.6)."""
        place = _netloc(self.host, self.port)
        headers = {"Host": place, **_credentials(proxy)}
        lines = [f"CONNECT {place} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
        raw.settimeout(_seconds_left(self._end))
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        status = _status_line(raw, self._end)
        code = status.split(" ", 2)[1:2]
        if code != ["200"]:
            # What is refused (4xx) stays so, unlike a failure of the proxy's.
            kind = PermissionError if code[0:1] and code[0].startswith("4") else ConnectionError
            name = f"{proxy.hostname}:{proxy.port or 80}"
            raise kind(f"the proxy {name} answered {status[:200]!r} to the wish for {place}")


def _status_line(raw: socket.socket, end: float) -> str:
    """Read the head of a proxy's answer, and nothing that comes after it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        raw.settimeout(_seconds_left(end))
        piece = raw.recv(1)
        if not piece or len(head) > _HEAD_LIMIT:
            raise OSError("the proxy ended its answer before it had connected")
        head += piece
    return head.decode("latin-1").partition("\r\n")[0]


class _Stream(io.RawIOBase):
    """A connected socket each of whose operations gets no more than the time that is left."""

    def __init__(self, connected: socket.socket, end: float) -> None:
        self._socket = connected
        self._end = end
        self._reader = _Reader(self)

    def readable(self) -> bool:
        """Tell the buffer that this can be read."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """Read what is there into the buffer and return how many bytes that were."""
        self._socket.settimeout(_seconds_left(self._end))
        return self._socket.recv_into(buffer)

    def sendall(self, content: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(_seconds_left(self._end))
        self._socket.sendall(content)

    def makefile(self, _mode: str) -> _Reader:
        """Return the one buffer of the connection: answers that follow on each other share it."""
        return self._reader

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
        super().close()


class _Reader(io.BufferedReader):
    """A buffer that an answer leaves open for the next one; the connection closes the socket."""

    def flush(self) -> None:
        """Do nothing: there is nothing to write."""

    def close(self) -> None:
        """Do nothing."""


_Places = list[tuple[t.Any, t.Any, int, str, t.Any]]


def _look_up(host: str, port: int, end: float) -> _Places:
    """Return the addresses of a host. Raises NoAnswer for a name server that says nothing.

    The resolver has no limit of its own to set, so that a thread waits for it that may be left
    behind.
    """
    with contextlib.suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found: queue.SimpleQueue[_Places | OSError | ValueError] = queue.SimpleQueue()

    def look() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as exc:
            found.put(exc)

    threading.Thread(target=look, daemon=True).start()
    try:
        answer = found.get(timeout=_seconds_left(end))
    except queue.Empty:
        raise NoAnswer(f"the name {host} was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _seconds_left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
