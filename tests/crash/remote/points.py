# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds every point where a process is about to change something outside itself.

Nothing of the code under test is named here: what is watched are the primitives under it, so an
effect that is added tomorrow is a point tomorrow. Files: Python's audit events, streams that are
written, os.write, os.fsync. Docker, HAProxy and health checks: what goes down a socket. Programs:
the audit event of a start.

Every point lies BEFORE its effect. "After effect N" is "before point N + 1" when nothing lies
between, which is so by construction; after the last effect lies the point `end`. A call to Docker
that changes something has a second point, `sent`: Docker has the request and we have no answer. One
whose answer is a stream, as that of a pull, has a third, `answered`: the stream has begun.

A key is the number of the effect and its name. Polls (what only reads, again and again) have the
number of the effect before them and their own: how many there are differs from run to run, so only
the first and the second in a row are points.
"""

from __future__ import annotations

import builtins
import http.client
import io
import os
import re
import socket
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Events of sys.addaudithook that change something, by what they are called here, and the position
# of the path (or descriptor) among their arguments.
EVENTS = {
    "fcntl.flock": ("flock", 0),
    "fcntl.lockf": ("lockf", 0),
    "os.chmod": ("chmod", 0),
    "os.chown": ("chown", 0),
    "os.link": ("link", 1),
    "os.mkdir": ("mkdir", 0),
    "os.remove": ("unlink", 0),
    "os.rename": ("rename", 1),
    "os.rmdir": ("rmdir", 0),
    "os.setxattr": ("setxattr", 0),
    "os.symlink": ("symlink", 1),
    "os.truncate": ("truncate", 0),
    "os.utime": ("utime", 0),
    "os.exec": ("exec", 0),
    "os.kill": ("signal", 0),
    "os.posix_spawn": ("run", 0),
    "os.system": ("run", 0),
    "subprocess.Popen": ("run", 0),
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NOWHERE = ("/dev/", "/proc/")
TEMPORARY = re.compile(r"^\.(.+)\.[a-z0-9_]{8}$")
REQUEST = re.compile(rb"^([A-Z]+) (\S+) HTTP/1\.")
IDENTIFIER = re.compile(r"[0-9a-f]{12,64}")
POLLS_SEEN = 2


class Points:
    """Counts points; `act` is called with the key of each one before it takes effect."""

    def __init__(self, act: Callable[[str], None]) -> None:
        self._act = act
        self._effects = 0
        self._polls: Counter[str] = Counter()
        self._sent = ""
        self._is_out = False
        self.watching = False

    def effect(self, name: str) -> None:
        """Note that the effect `name` comes next."""
        if self.watching:
            self._effects += 1
            self._polls.clear()
            self._reach(f"{self._effects:03d} {name}")

    def poll(self, name: str) -> None:
        """Note that something is read that is read again and again."""
        if self.watching:
            self._polls[name] += 1
            if self._polls[name] <= POLLS_SEEN:
                self._reach(f"{self._effects:03d}+ {name} #{self._polls[name]}")

    def _reach(self, key: str) -> None:
        # What the action itself writes is no point.
        self.watching = False
        self._act(key)
        self.watching = True

    def file_effect(self, verb: str, target: object) -> None:
        """Note an effect on a file, given by path or descriptor; pipes and devices are none."""
        path = path_of(target)
        if path.startswith("/") and not path.startswith(NOWHERE):
            self.effect(f"{verb} {short_name(path)}")

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Listen to Python's audit events."""
        if not self.watching:
            return
        if event == "open":
            path, _mode, flags = arguments
            if isinstance(flags, int) and flags & WRITING and not isinstance(path, int):
                self.file_effect("open", path)
        elif event in EVENTS:
            verb, position = EVENTS[event]
            if verb in ("run", "exec", "signal"):
                self.effect(f"{verb} {arguments[position]}")
            else:
                self.file_effect(verb, arguments[position])

    def before_send(self, link: socket.socket, data: bytes) -> None:
        """Look at what is about to go down a socket."""
        line = bytes(data[:2000]).split(b"\n", 1)[0]
        request = REQUEST.match(line)
        local = link.family == socket.AF_UNIX
        if request is not None:
            method, path = (part.decode() for part in request.groups())
            self._request(method, path.partition("?")[0], local=local)
        elif local and not str(link.getpeername()).endswith("docker.sock"):
            command = " ".join(line.decode("utf-8", "replace").split()[:2])
            (self.poll if command.startswith("show") else self.effect)(f"haproxy {command}")

    def _request(self, method: str, path: str, *, local: bool) -> None:
        path = IDENTIFIER.sub("*", re.sub(r"^/v1\.\d+/", "/", path))
        reads = method in ("GET", "HEAD")
        if local:
            if not reads:
                self._sent, self._is_out = f"docker {method} {path}", False
                self.effect(self._sent)
        else:
            who = "registry" if path.startswith("/v2/") else "gate"
            (self.poll if reads else self.effect)(f"{who} {method} {path}")

    def await_answer(
        self, wait: Callable[..., http.client.HTTPResponse], *args: Any, **named: Any
    ) -> http.client.HTTPResponse:
        """Note that a request that changes something is out, then that its answer has begun."""
        if self._sent and not self._is_out:
            self._is_out = True
            self.effect(f"{self._sent} sent")
        # urllib3 1.26 tries an argument of Python 2 first, and calls again after the TypeError.
        answer = wait(*args, **named)
        name, self._sent = self._sent, ""
        if name and getattr(answer, "chunked", False):
            self.effect(f"{name} answered")
        return answer


def path_of(target: object) -> str:
    """The path of a file given by path or descriptor; empty when there is none."""
    if isinstance(target, int):
        try:
            return str(Path(f"/proc/self/fd/{target}").readlink())
        except OSError:
            return ""
    if isinstance(target, bytes | str | os.PathLike):
        return str(Path(os.fsdecode(target)).absolute())
    return ""


def short_name(path: str) -> str:
    """The file's name, with a star for the part that is random in a temporary file's."""
    return TEMPORARY.sub(r".\1.*", Path(path).name)


def install(points: Points) -> None:
    """Watch this process from now on; there is no way back."""
    sys.addaudithook(points.audit)
    _watch_descriptors(points)
    _watch_streams(points)
    _watch_sockets(points)
    points.watching = True


def _watch_descriptors(points: Points) -> None:
    """os.write and os.fsync have no audit event."""

    def watched(verb: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(target: Any, *rest: Any) -> Any:
            descriptor = target if isinstance(target, int) else target.fileno()
            points.file_effect(verb, descriptor)
            return real(target, *rest)

        return call

    for name in ("write", "pwrite", "writev", "fsync", "fdatasync"):
        setattr(os, name, watched(name, getattr(os, name)))


def _watch_streams(points: Points) -> None:
    """A stream's bytes go out when it is flushed or closed, below what Python shows of it."""
    real = io.open

    def opened(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        stream = real(file, mode, *rest, **named)
        if set(mode) & set("wax+"):
            _watch_stream(points, stream)
        return stream

    for module in (builtins, io):
        vars(module)["open"] = opened


def _watch_stream(points: Points, stream: Any) -> None:
    dirty = False
    write, flush, close = stream.write, stream.flush, stream.close

    def watched_write(data: Any) -> Any:
        nonlocal dirty
        dirty = True
        return write(data)

    def watched_out(real: Callable[[], None]) -> Callable[[], None]:
        def call() -> None:
            nonlocal dirty
            if dirty:
                dirty = False
                points.file_effect("write", stream.fileno())
            real()

        return call

    stream.write, stream.flush, stream.close = watched_write, watched_out(flush), watched_out(close)


def _watch_sockets(points: Points) -> None:
    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(link: socket.socket, data: bytes, *rest: Any) -> Any:
            points.before_send(link, data)
            return real(link, data, *rest)

        return call

    for name in ("send", "sendall"):
        setattr(socket.socket, name, watched(getattr(socket.socket, name)))
    wait = http.client.HTTPConnection.getresponse

    def answered(connection: http.client.HTTPConnection, *args: Any, **named: Any) -> Any:
        return points.await_answer(wait, connection, *args, **named)

    setattr(http.client.HTTPConnection, wait.__name__, answered)
