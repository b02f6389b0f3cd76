# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet whose hosts are threads, each with the real Rollout on the real Board."""

from __future__ import annotations

import os
import threading
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.greenlight.droplet.plugins.plugin_utils.board import AbandonedError, Board
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import (
    RemoteError,
    UnreachableError,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.rollout import (
    Rollout,
    Terms,
    Voice,
)

SHA, OLD, DIGEST = "a" * 40, "b" * 40, "sha256:" + "c" * 64
FIVE = ["a", "b", "c", "d", "e"]
LIMIT = 10.0
"""Seconds after which a fleet that does not end counts as one that waits for ever."""

Result = dict[str, t.Any]
Fault = t.Literal["failed", "unreachable", "error", "crash"]


class CrashError(Exception):
    """An error that nobody expects: a defect of ours, or a task that Ansible ends."""


@dataclass
class FakeFleet:
    """Hosts, what goes wrong where, and what each was asked.

    `faults` is by host and call (a phase, `planned` or `inspect`); `before` runs
    ahead of each call; `log` has (host, call, moment).
    """

    folder: Path
    hosts: list[str]
    batch: int = 1
    idle: frozenset[str] = frozenset()
    faults: Mapping[tuple[str, str], Fault] = field(default_factory=dict)
    check_mode: bool = False
    missing: str | None = None
    shas: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[str, str], None] = lambda _host, _call: None
    log: list[tuple[str, str, str]] = field(default_factory=list)
    said: list[tuple[str, str, str]] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)

    def run(self) -> dict[str, Result | BaseException]:
        """Release on all hosts at once; return each host's result, or what it raised."""
        results: dict[str, Result | BaseException] = {}
        threads = [
            threading.Thread(target=self._one, args=(host, results), daemon=True)
            for host in self.hosts
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        stuck = [h for h, thread in zip(self.hosts, threads, strict=True) if thread.is_alive()]
        assert not stuck, f"{stuck} wait for ever after {self.log}"
        return results

    def _one(self, host: str, results: dict[str, Result | BaseException]) -> None:
        board = Board(self.folder / "board", os.getppid())
        verify = None if self.missing is None else self._verify
        terms = Terms(
            "release", "api", self.hosts, self.batch, check_mode=self.check_mode, verify=verify
        )
        voice = Voice(
            lambda text: self.said.append((host, "title", text)),
            lambda text: self.said.append((host, "line", text)),
            lambda text: self.said.append((host, "error", text)),
        )
        try:
            with board.taking_part(host):
                remote = FakeRemote(self, host)
                results[host] = Rollout(host, terms, board, remote, voice).run("run-1")
        except (RemoteError, AbandonedError, CrashError) as exc:
            results[host] = exc

    def _verify(self, expected: dict[str, str]) -> tuple[str, str]:
        self.expected = expected
        return self.missing or "", "all seen"

    def calls(self, host: str) -> list[str]:
        """Return what the host was asked, in order."""
        return [call for who, call, moment in self.log if who == host and moment == "begin"]

    def moments(self, call: str, moment: str) -> list[int]:
        """Return when hosts began or ended a call, as places in the log."""
        return [i for i, (_h, *rest) in enumerate(self.log) if rest == [call, moment]]

    def needed(self) -> list[str]:
        """Return the hosts that have something to do."""
        return [host for host in self.hosts if host not in self.idle]

    def struck(self, *calls: str) -> bool:
        """Tell whether a fault was met in one of these calls."""
        return any(moment == "fault" and call in calls for _host, call, moment in self.log)


class FakeRemote:
    """One host's side."""

    def __init__(self, fleet: FakeFleet, host: str) -> None:
        self._fleet = fleet
        self._host = host
        self._live = {"sha": OLD, "state": "running", "slot": "blue"}

    def plan(self, run: str, *, reserve: bool) -> Result:
        """Answer the plan; a reservation is logged as a call of its own."""
        assert run == "run-1"
        if reserve:
            self._fleet.log.append((self._host, "reserve", "begin"))
        return self._answer("planned", changed=self._fleet.check_mode)

    def whole(self, run: str) -> Result:
        """Answer all phases at once; `lost` is the process that was killed in the middle."""
        assert run == "run-1"
        result = self._answer("whole", changed=True)
        if result.get("failed"):
            return {**result, "lost": True, "msg": "killed"}
        return result

    def phase(self, state: str, **changes: str) -> Result:
        """Answer a phase; the pointer moves with `live` and comes back with `reverted`."""
        if state in ("staged", "live", "settled"):
            assert changes == {"sha": SHA, "digest": DIGEST, "release": ""}
        result = self._answer(state, changed=True)
        if not result.get("failed") and state != "staged":
            sha, slot = (OLD, "blue") if state == "reverted" else (SHA, "green")
            self._live = {"sha": sha, "state": "running", "slot": slot}
        return {**result, "live": self._live}

    def inspect(self, events: int = 0) -> Result:
        """Answer what serves."""
        return {**self._answer("inspect", changed=False), "live": self._live}

    def close(self) -> None:
        """Remember that the session was ended."""
        self._fleet.log.append((self._host, "close", "begin"))

    def _answer(self, call: str, *, changed: bool) -> Result:
        log, host = self._fleet.log, self._host
        log.append((host, call, "begin"))
        self._fleet.before(host, call)
        fault = self._fleet.faults.get((host, call))
        if fault:
            log.append((host, call, "fault"))
        if fault == "unreachable":
            raise UnreachableError("no route to host")
        if fault == "error":
            raise RemoteError("ended with code 1")
        if fault == "crash":
            raise CrashError(call)
        if fault:
            return {"failed": True, "changed": False, "msg": f"{call} failed on {host}"}
        log.append((host, call, "end"))
        return {
            "changed": changed,
            "needed": host not in self._fleet.idle,
            "sha": self._fleet.shas.get(host, SHA),
            "digest": DIGEST,
            "release": "",
            "live": {**self._live, "slot": "green"} if host in self._fleet.idle else self._live,
            "standby": {"sha": OLD},
            "message": "what the host says",
        }


def result_of(found: Result | BaseException) -> Result:
    """Return a host's result; raises AssertionError when it raised instead."""
    assert isinstance(found, dict), found
    return found
