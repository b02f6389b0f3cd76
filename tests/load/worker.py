# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending on an open-loop schedule: a stall of the target shows as latency, not as silence."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.load.checks import check, message
from tests.load.client import Connection, RequestFailed
from tests.load.options import KINDS, Kind, LoadOptions, local_target
from tests.load.record import Phase, Recorder
from tests.load.websocket import Conversation

STALE_SECONDS = 20.0


@dataclass
class Worker:
    """Sends a load and records it; `stop` ends the sending, what is in flight is awaited."""

    options: LoadOptions
    recorder: Recorder = field(default_factory=Recorder)
    began_at: float = 0.0
    _began: float = 0.0
    _pool: deque[tuple[Connection, float]] = field(default_factory=deque)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> float:
        """Seconds since the load began."""
        return time.monotonic() - self._began

    def start_phase(self, name: str) -> None:
        """Requests planned from now on belong to the phase `name`."""
        self.recorder.start_phase(name, self.now())

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped.set()

    def progress(self) -> dict[str, Any]:
        """Counts so far, small enough to ask for often."""
        total = self.recorder.total
        failed = sum(total.reasons.values())
        return {"seconds": round(self.now(), 1), "ok": total.ok, "failed": failed}

    async def run(self) -> dict[str, Any]:
        """Send for the planned time, wait for what is in flight, return the summary."""
        self._began = time.monotonic()
        self.began_at = time.time()
        kinds = [kind for kind in KINDS if self.options.rate(kind) > 0]
        senders = [asyncio.create_task(self._send(kind)) for kind in kinds]
        await asyncio.gather(*senders)
        if self._tasks:
            await asyncio.gather(*self._tasks)
        for connection, _since in self._pool:
            connection.close()
        times = os.times()
        summary = self.recorder.summary(self.now())
        return {
            "url": self.options.url,
            "began_at": self.began_at,
            **summary,
            "cpu_seconds": round(times.user + times.system, 2),
        }

    async def _send(self, kind: Kind) -> None:
        """Start request n of a kind at n / rate seconds, whether or not earlier ones are back."""
        rate, number = self.options.rate(kind), 0
        while (planned := number / rate) < self.options.seconds:
            if (wait := planned - self.now()) > 0:
                await self._sleep(wait)
            if self._stopped.is_set():
                return
            task = asyncio.create_task(self._one(kind, number, planned, self.recorder.phases[-1]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            number += 1

    async def _sleep(self, seconds: float) -> None:
        """Sleep, shorter when the load is stopped."""
        if seconds < 0.5:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return

    async def _one(self, kind: Kind, number: int, planned: float, phase: Phase) -> None:
        """One request from start to record."""
        reason = detail = ""
        try:
            self._check_bound()
            async with asyncio.timeout(self.options.limit(kind)):
                sha = await self._exchange(kind, number)
            if sha:
                self.recorder.versions[sha] += 1
        except RequestFailed as exc:
            reason, detail = exc.reason, exc.detail
        except TimeoutError:
            reason, detail = "timeout", f"{self.options.limit(kind):.1f} s"
        self.recorder.add(kind, phase, planned, self.now(), reason, detail)

    def _check_bound(self) -> None:
        """A request that this machine cannot hold any more is a failed one, never a silent one."""
        if len(self._tasks) > self.options.max_in_flight:
            raise RequestFailed("not sent", f"over {self.options.max_in_flight} in flight")

    async def _exchange(self, kind: Kind, number: int) -> str:
        """Send the request on a kept or a new connection; return the SHA that answered."""
        connection = self._idle() if kind == "keepalive" else None
        if connection is None:
            connection = await Connection.open(*local_target(self.options.url))
        keep = False
        try:
            if kind == "websocket":
                await Conversation(connection, self.options).run(number)
                return ""
            reply = await connection.request(message(kind, number, self.options))
            keep = reply.keep and kind == "keepalive"
            return check(kind, number, reply)
        finally:
            if keep and len(self._pool) < self.options.connections:
                self._pool.append((connection, self.now()))
            else:
                connection.close()

    def _idle(self) -> Connection | None:
        """The kept connection that waited longest; those that the server ended are dropped."""
        while self._pool:
            connection, since = self._pool.popleft()
            if connection.ended_while_idle():
                self.recorder.reconnects += 1
            elif self.now() - since < STALE_SECONDS:
                return connection
            connection.close()
        return None
