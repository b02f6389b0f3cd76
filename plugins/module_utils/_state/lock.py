# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One release at a time for an application on a host.

Two layers. A kernel lock holds for as long as one module process works and dies with it. A lease,
a small file with an expiry, holds between the phases of a fleet release, in which no process of
ours runs on the host; when the controller dies the lease runs out by itself.
"""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t
from dataclasses import dataclass

from .._core import files
from .._core.clock import Clock, utc_stamp, wait_until
from .._core.errors import LockedError

RETIRING: t.Final = "retire"
"""The action that the end of a warm standby writes into the lock."""

RETIRING_LIMIT: t.Final = 90.0
"""Seconds for which a run waits for the end of a warm standby: longer than a container's grace."""


@dataclass(frozen=True)
class Lease:
    """Who may go on with a fleet release on this host, and for how long.

    `until` is wall-clock time for people (seconds since the epoch). What counts is `uptime`: the
    host's seconds since boot at which it ends, which no change of the clock moves.
    """

    run: str
    holder: str
    action: str
    sha: str
    until: float
    uptime: float
    seconds: float
    boot: str = ""

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

    def acquire(self, run: str, holder: str, action: str, wait: float) -> None:
        """Take the kernel lock, waiting at most `wait` seconds. Raises LockedError naming who."""
        mine = {
            "holder": holder,
            "run": run,
            "action": action,
            "pid": os.getpid(),
            "since": utc_stamp(self._clock.wall()),
        }
        outcome = wait_until(lambda: self._lock.acquire(mine), bool, wait, 0.5, self._clock)
        if not outcome.done and self._is_retiring():
            # The end of a warm standby holds the lock only for as long as a container takes to end.
            outcome = wait_until(
                lambda: self._lock.acquire(mine), bool, RETIRING_LIMIT, 0.5, self._clock
            )
        if not outcome.done:
            raise LockedError(
                f"Another {self._describe_holder()} on this host right now. Wait until it has"
                " ended, or set lock_wait to a number of seconds to wait for it; nothing was"
                " changed."
            )

        # Whoever wrote these files held the lock, so what is still there belongs to the dead.
        for name in ("live.map", "journal.jsonl", "lease.json"):
            files.remove_temporaries(self._folder, name)

    def release(self) -> None:
        """Give the kernel lock back."""
        self._lock.release()

    def _read_holder(self) -> dict[str, t.Any]:
        try:
            raw = json.loads(files.read_damaged_text(self._lock.path) or "{}")
        except ValueError:
            return {}
        names = ("action", "holder", "pid", "since")
        return raw if isinstance(raw, dict) and all(name in raw for name in names) else {}

    def _is_retiring(self) -> bool:
        return self._read_holder().get("action") == RETIRING

    def _describe_holder(self) -> str:
        raw = self._read_holder()
        if not raw:
            return "run holds the lock"
        return (
            f"{raw['action']} by {raw['holder']} (process {raw['pid']}, since {raw['since']})"
            " holds the lock"
        )

    def read_lease(self) -> Lease | None:
        """Return the lease while it has not run out; a damaged lease counts as none."""
        text = files.read_damaged_text(self._lease_path)
        try:
            raw = json.loads(text) if text else {}
            lease = Lease(
                **{
                    name: raw[name]
                    for name in (field.name for field in dataclasses.fields(Lease))
                    if name in raw
                }
            )
            left = lease.seconds_left(files.boot_identifier(), self._clock.uptime())
        except (ValueError, TypeError):
            return None
        return lease if left > 0 else None

    def check_lease(self, run: str) -> Lease | None:
        """Return our own lease, or None; raises LockedError when another run holds one."""
        lease = self.read_lease()
        if lease and lease.run != run:
            raise LockedError(
                f"A fleet release is under way: {lease.describe()}. It ends by itself then; to"
                " break it at once, pass a reason: -e app_break_lease='controller died'. Nothing"
                " was changed."
            )
        return lease

    def write_lease(self, run: str, holder: str, action: str, sha: str, seconds: float) -> None:
        """Take or extend the lease for that many seconds from now."""
        clock = self._clock
        lease = Lease(
            run,
            holder,
            action,
            sha,
            until=clock.wall() + seconds,
            uptime=clock.uptime() + seconds,
            seconds=seconds,
            boot=files.boot_identifier(),
        )
        files.write_atomic(self._lease_path, json.dumps(dataclasses.asdict(lease)) + "\n", 0o600)

    def end_lease(self) -> None:
        """Remove the lease."""
        files.remove(self._lease_path)

    def end_own_lease(self, run: str) -> bool:
        """Remove the lease when this run holds it; return whether it did."""
        lease = self.read_lease()
        if lease is None or lease.run != run:
            return False
        self.end_lease()
        return True
