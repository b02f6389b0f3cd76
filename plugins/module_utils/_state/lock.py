# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One release at a time for an application on a host.

Two layers. A kernel lock holds for as long as one process works and dies with it. A lease, a small
file with an expiry, holds from the first effect of a run until it has settled; when nobody renews
it in time, the host's watchdog takes the run back (_release/watchdog.py).
"""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t
from dataclasses import dataclass

from .._core import files, processes
from .._core.boundary import parse_json
from .._core.clock import Clock, utc_stamp, wait_until
from .._core.errors import LockedError

RELEASING: t.Final = "release"
RETIRING: t.Final = "retire"
WATCHING: t.Final = "watchdog"
HOST_ACTIONS: t.Final = (RETIRING, WATCHING)
"""What the host itself writes into the lock as the action: it ends soon, without being asked."""

PATIENCE: t.Final = 90.0
"""Seconds for which a caller that names no other number waits for the host's own work."""

HANDOVER: t.Final = 0.5
"""Seconds for which a lock may be held by nobody who is named: it is changing hands."""


@dataclass(frozen=True)
class Lease:
    """Who may go on with a release on this host, and for how long.

    `until` is wall-clock time for people (seconds since the epoch). What counts is `uptime`: the
    host's seconds since boot at which it ends, which no change of the clock moves. `working` is
    True while a process of the run is at work, which then holds the kernel lock as well.
    `controller` names the process that leads the run, for the machine on which that process is.
    """

    run: str
    holder: str
    action: str
    sha: str
    seconds: float
    until: float = 0.0
    uptime: float = 0.0
    boot: str = ""
    working: bool = False
    controller: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether all values are of their types; a file written by hand may hold anything."""
        texts = (self.run, self.holder, self.action, self.sha, self.boot, self.controller)
        numbers = (self.seconds, self.until, self.uptime)
        return all(isinstance(text, str) for text in texts) and all(
            isinstance(number, (int, float)) for number in numbers
        )

    def describe(self) -> str:
        """Say in half a sentence who holds it and for how long."""
        return (
            f"{self.holder} ({self.action} of {self.sha[:7] or 'the previous release'},"
            f" run {self.run}) until {utc_stamp(self.until)}"
        )

    def seconds_left(self, boot: str, uptime: float) -> float:
        """Return how many seconds it still holds, negative when it has run out.

        After a reboot it ends at the latest `seconds` after the boot, whatever the clock says.
        """
        if boot == self.boot:
            return self.uptime - uptime
        return self.seconds - uptime


class HostLock:
    """The kernel lock and the lease of one application."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self._folder = folder
        self._lock = files.HeldLock(f"{folder}/lock")
        self._lease_path = f"{folder}/lease.json"
        self._clock = clock

    def acquire(
        self, run: str, holder: str, action: str, wait: float, patience: float = PATIENCE
    ) -> None:
        """Take the kernel lock, waiting at most `wait` seconds. Raises LockedError naming who.

        For an earlier call of the same run, whose connection was lost, and for the host's own work
        it waits `patience` seconds: both end without anybody's help.
        """
        mine = {
            "holder": holder,
            "run": run,
            "action": action,
            "pid": os.getpid(),
            "since": utc_stamp(self._clock.wall()),
        }

        def attempt() -> bool:
            return self._lock.acquire(mine)

        outcome = wait_until(attempt, bool, wait, 0.5, self._clock)
        if not outcome.done and (limit := self._own_work_limit(run, patience)):
            outcome = wait_until(attempt, bool, limit, 0.05, self._clock)
        if not outcome.done:
            raise LockedError(
                f"Another {self._describe_holder()} on this host right now{self._until()}."
                " Wait until it has ended, or set app_lock_wait to a number of seconds to wait for"
                f" it; nothing was changed.{self._ending_hint()}"
            )

        # Whoever wrote these files held the lock, so what is still there belongs to the dead.
        for name in ("live.map", "journal.jsonl", "lease.json", "hash.key", "room"):
            files.remove_temporaries(self._folder, name)

    def release(self) -> None:
        """Give the kernel lock back."""
        self._lock.release()

    def _ending_hint(self) -> str:
        """Say how the holder could be ended; nothing for the host's own work, which puts right."""
        action = self._read_holder().get("action")
        if action == RELEASING:
            way = "A rollback ends it, and so does a release with a reason:"
        elif action in HOST_ACTIONS or action is None:
            return ""
        else:
            way = "Another rollback with a reason ends it:"
        return (
            f""" {way} -e '{{"app_break_lease": "it hangs"}}', or at the host's console"""
            " --break-lease."
        )

    def end_holder(self, *, any_run: bool, run: str = "") -> str:
        """End the process of a release that holds the kernel lock; say whose it was, or nothing.

        With `any_run` that of a rollback too, with `run` that of this run alone. The host's own
        work is never ended: it puts right.
        """
        holder = self._read_holder()
        if run and holder.get("run") != run:
            return ""
        action, pid = holder.get("action"), holder.get("pid")
        mine = any_run and action not in HOST_ACTIONS
        if not isinstance(pid, int) or not (mine or action == RELEASING):
            return ""
        told = self._describe_holder().removesuffix(" holds the lock")
        return told if processes.end_holder(pid, self._lock.path) else ""

    def _read_holder(self) -> dict[str, t.Any]:
        try:
            raw = parse_json(files.read_damaged_text(self._lock.path) or "{}")
        except ValueError:
            return {}
        names = ("action", "holder", "pid", "since")
        return raw if isinstance(raw, dict) and all(name in raw for name in names) else {}

    def _own_work_limit(self, run: str, patience: float) -> float:
        """Return for how many seconds to wait for who holds the lock, when it ends without us."""
        holder = self._read_holder()
        if not holder:
            return HANDOVER
        is_own = holder.get("action") in HOST_ACTIONS or holder.get("run") == run
        return patience if is_own else 0.0

    def _describe_holder(self) -> str:
        raw = self._read_holder()
        if not raw:
            return "run holds the lock"
        return (
            f"{raw['action']} by {raw['holder']} (process {raw['pid']}, since {raw['since']})"
            " holds the lock"
        )

    def _until(self) -> str:
        """Say until when who holds the lock may go on without saying so again."""
        lease = self.read_lease()
        if lease is None or lease.run != self._read_holder().get("run"):
            return ""
        return f", with a lease until {utc_stamp(lease.until)} that each of its phases renews"

    def read_any_lease(self) -> Lease | None:
        """Return the lease, also one that has run out; a damaged lease counts as none."""
        text = files.read_damaged_text(self._lease_path)
        try:
            raw = parse_json(text) if text else {}
            names = {field.name for field in dataclasses.fields(Lease)}
            lease = Lease(**{name: value for name, value in raw.items() if name in names})
        except (ValueError, TypeError, AttributeError):
            return None
        return lease if lease.is_sound else None

    def seconds_left(self, lease: Lease) -> float:
        """Return how many seconds the lease still holds, negative when it has run out."""
        return lease.seconds_left(files.boot_identifier(), self._clock.uptime())

    def read_lease(self) -> Lease | None:
        """Return the lease while it has not run out."""
        lease = self.read_any_lease()
        return lease if lease is not None and self.seconds_left(lease) > 0 else None

    def check_lease(self, run: str) -> Lease | None:
        """Return our own lease, or None; raises LockedError when another run holds one.

        Whoever calls holds the kernel lock. A process that is said to be at work has died, then.
        """
        lease = self.read_lease()
        if lease and lease.run != run and not lease.working:
            raise LockedError(
                f"A release is under way: {lease.describe()}, which is in"
                f" {self.seconds_left(lease):.0f} s. When nobody goes on with it until then, this"
                " host puts itself right, and the next run may begin. To do that at once, give a"
                """ reason: -e '{"app_break_lease": "the job died"}', or at the host's console"""
                " --break-lease. Nothing was changed.",
                lease.run,
                lease.controller,
                self.seconds_left(lease),
            )
        return lease

    def write_lease(self, lease: Lease) -> None:
        """Take or extend the lease for `lease.seconds` from now."""
        clock, seconds = self._clock, lease.seconds
        renewed = dataclasses.replace(
            lease,
            until=clock.wall() + seconds,
            uptime=clock.uptime() + seconds,
            boot=files.boot_identifier(),
        )
        text = json.dumps(dataclasses.asdict(renewed)) + "\n"
        files.write_atomic(self._lease_path, text, 0o600)

    def end_lease(self) -> None:
        """Remove the lease."""
        files.remove(self._lease_path)

    def end_own_lease(self, run: str) -> bool:
        """Remove the lease when this run holds it; return whether it did."""
        lease = self.read_any_lease()
        if lease is None or lease.run != run:
            return False
        self.end_lease()
        return True
