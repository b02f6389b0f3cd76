# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the hosts of one fleet release tell each other how far they are. Controller side.

Ansible gives every host a process of its own. They meet at one file: each appends what came of its
phase, one JSON object a line, and reads what the others wrote.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
import typing as t
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_INTERVAL: t.Final = 0.001
"""Seconds between two looks at the file, for each host of the fleet: all of them look."""

_SHORTEST: t.Final = 0.01
"""Seconds between two looks at least."""

_HERE: t.Final = "here"
_LEFT: t.Final = "left"

Post = dict[str, t.Any]


_ARRIVAL: t.Final = 30.0
"""Seconds after our own arrival by which every host has to be there: all begin at once."""

_LEFT_TEXT: t.Final = "its process has left the release in the middle"
_ABSENT_TEXT: t.Final = (
    "it did not begin: the task has a condition that skips it there, or its variables cannot be"
    " read; what Ansible says of that host tells which"
)


class AbandonedError(RuntimeError):
    """The playbook's process has ended; the rest cannot go on as a fleet."""


class Board:
    """The posts of all hosts, in the file `path`; `parent` is the playbook's own process.

    The more `hosts` there are, the less often each looks.
    """

    def __init__(self, path: Path, parent: int, hosts: int = 1) -> None:
        self._path = path
        self._hosts = hosts
        self._parent = parent
        self._began = time.monotonic()
        self._position = 0
        # In the order of the file, which is the same for everybody who reads it.
        self._posts: dict[tuple[str, str], Post] = {}

    @contextlib.contextmanager
    def taking_part(self, host: str) -> Iterator[None]:
        """Tell everybody that the host has come, and in the end that it has left, however it ends.

        What can fail on one host alone belongs inside: the others hear of it and wait no longer.
        """
        self.post(_HERE, host)
        try:
            yield
        finally:
            self.post(_LEFT, host)

    def post(self, kind: str, host: str, **data: t.Any) -> None:
        """Tell everybody. One write, so that two hosts never share a line."""
        line = json.dumps({"kind": kind, "host": host, "data": data}).encode() + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            written = os.write(descriptor, line)
        finally:
            os.close(descriptor)
        if written < len(line):
            raise OSError(errno.ENOSPC, "no room to tell the other hosts", str(self._path))

    def agree(self, kind: str, host: str, proposal: str) -> str:
        """Return what all hosts take: the proposal that was posted first."""
        self.post(kind, host, value=proposal)
        self._read()
        return str(next(data["value"] for (k, _h), data in self._posts.items() if k == kind))

    def _read(self) -> None:
        try:
            if self._path.stat().st_size == self._position:
                return
            with self._path.open("rb") as stream:
                stream.seek(self._position)
                raw = stream.read()
        except FileNotFoundError:
            return
        whole = raw[: raw.rfind(b"\n") + 1]
        self._position += len(whole)
        for line in whole.splitlines():
            item = json.loads(line)
            # The first word of a host counts, whatever it repeats.
            self._posts.setdefault((item["kind"], item["host"]), item["data"])

    def posts(self, kind: str, hosts: Iterable[str]) -> dict[str, Post]:
        """Return what has been posted of a kind, by host, in the order of `hosts`."""
        self._read()
        return {h: self._posts[kind, h] for h in hosts if (kind, h) in self._posts}

    def wait(
        self,
        kind: str,
        hosts: Iterable[str],
        enough: Callable[[dict[str, Post]], bool] = lambda _posts: False,
    ) -> dict[str, Post]:
        """Wait until all `hosts` have posted, or what there is is `enough`; return the posts.

        A host that can never post any more, because it has left or has never come, counts as one
        that has failed. Else there is no limit of time, because somebody's work may take long;
        Ansible itself ends the playbook when a host's process is killed.
        Raises AbandonedError when the playbook's process has ended.
        """
        wanted = list(hosts)
        while True:
            posts = self.posts(kind, wanted)
            missing = [host for host in wanted if host not in posts]
            posts |= {host: post for host in missing if (post := self._last_word(host))}
            if len(posts) == len(wanted) or enough(posts):
                return posts
            if os.getppid() != self._parent:
                raise AbandonedError("The process that ran the playbook has ended.")
            time.sleep(max(_SHORTEST, _INTERVAL * self._hosts))

    def _last_word(self, host: str) -> Post:
        """Return what counts as the post of a host that will not post; empty while it may."""
        if (_LEFT, host) in self._posts:
            return {"failed": True, "msg": _LEFT_TEXT}
        came = (_HERE, host) in self._posts
        if not came and time.monotonic() - self._began > _ARRIVAL:
            return {"failed": True, "msg": _ABSENT_TEXT}
        return {}
