# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else is at work on a host that has just begun: cloud-init, and whoever installs packages."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import typing as t

from .._core import files
from .._core.clock import Clock, wait_until
from .._core.errors import NotSetUpError, TimerError
from .._state import timers

CLOUD_INIT: t.Final = "/run/cloud-init"
LOCKS: t.Final = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)

LOOK_SECONDS: t.Final = 1.0
"""Seconds between two looks."""

_FLOCK: t.Final = "hhqqi"
"""The kernel's struct flock: kind, from where, start, length, process."""


def others(folder: str = CLOUD_INIT, locks: t.Sequence[str] = LOCKS) -> str:
    """Return who is at work, in words; empty when nobody is."""
    if _cloud_init(folder):
        return "cloud-init is setting up this host"
    for path in locks:
        if pid := holder(path):
            name = (files.read_text(f"/proc/{pid}/comm") or "a program that has ended").strip()
            return f"{name} (process {pid}) holds {path}"
    return ""


def _cloud_init(folder: str) -> bool:
    """Tell whether cloud-init has been started at this boot and has not come to its end."""
    if not os.path.exists(f"{folder}/enabled") or os.path.exists(f"{folder}/result.json"):
        return False
    # One that failed writes no result, and one that somebody has switched off never begins.
    with contextlib.suppress(TimerError):
        done = timers.call("systemctl", "show", "-P", "ActiveState", "cloud-final.service")
        if done.stdout.strip() == "inactive":
            boot = timers.call("systemctl", "is-system-running").stdout.strip()
            return boot not in ("running", "degraded")
        return done.stdout.strip() not in ("active", "failed")
    return True


def holder(path: str) -> int:
    """Return the process that holds a lock of dpkg or apt: 0 for none, -1 for an unknown one."""
    with files.errors_of(f"look at the lock {path}"), contextlib.suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _whence, _start, _length, pid = struct.unpack(
                _FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked)
            )
        finally:
            os.close(descriptor)
        # Of another namespace's process the kernel tells no number.
        return (pid or -1) if kind != fcntl.F_UNLCK else 0
    return 0


def wait(seconds: float, clock: Clock, look: t.Callable[[], str] = others) -> str:
    """Wait until nobody is at work; return for whom and how long, empty when there was no wait.

    `seconds` is the bound of the whole wait. Raises NotSetUpError when it is over.
    """
    first = look()
    if not first:
        return ""
    waited = wait_until(look, lambda who: not who, seconds, LOOK_SECONDS, clock)
    if not waited.done:
        raise NotSetUpError(
            f"{waited.last}; set-up has waited {waited.seconds:.0f} s for it. Let it come to an"
            " end ('cloud-init status --long' and 'ps -ef' tell how far it is), or give it more"
            " with base_wait_seconds. Nothing was changed."
        )
    return f"Waited {waited.seconds:.0f} s: {first}."
