# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a process of this host that holds a kernel lock."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import typing as t

END_SECONDS: t.Final = 5.0
"""Seconds that a killed process may take to be gone."""


def end_holder(pid: int, path: str) -> bool:
    """Kill the process that holds the kernel lock on a file; return whether it is gone.

    The process is held by a descriptor of its own before it is looked at, so no other one that has
    got its number since is ever met. False as well when it does not hold the lock, and when it
    cannot be killed within END_SECONDS, as one that waits for a dead disk.
    """
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if pid == os.getpid() or not holds_lock(pid, path):
            return False
        # Every step of a run may be its last, as in a power cut: what is left is put right.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
        gone, _writable, _failed = select.select([process], [], [], END_SECONDS)
        return bool(gone)
    finally:
        os.close(process)


def holds_lock(pid: int, path: str) -> bool:
    """Tell whether the process has the file open and locked (flock)."""
    try:
        wanted = os.stat(path)
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    return any(_is_lock(f"/proc/{pid}", number, wanted) for number in numbers)


def _is_lock(folder: str, number: str, wanted: os.stat_result) -> bool:
    try:
        if not os.path.samestat(os.stat(f"{folder}/fd/{number}"), wanted):
            return False
        with open(f"{folder}/fdinfo/{number}", encoding="utf-8") as stream:
            return any(line.startswith("lock:") and "FLOCK" in line for line in stream)
    except OSError:
        # It was closed, or the process has ended, while it was looked at.
        return False
