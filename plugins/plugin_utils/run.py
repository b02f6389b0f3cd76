# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run over the hosts of a play: who takes part, who leads it, and whether all can act as one."""

from __future__ import annotations

import os
import secrets
import time
import typing as t
from collections.abc import Mapping
from pathlib import Path

LINEAR: t.Final = ("linear", "ansible.builtin.linear")


def unfit(hosts: list[str], present: list[str], strategy: str) -> str:
    """Say why the hosts of a play cannot act as one; empty when they can.

    `present` are those of the present batch that have not failed.
    """
    if strategy not in LINEAR:
        return (
            f"The play has strategy {strategy}, with which its hosts do not wait for each other. A"
            " release is for all hosts or for none: take the strategy off the play. Nothing was"
            " changed."
        )
    absent = [host for host in hosts if host not in present]
    if absent:
        return (
            f"{', '.join(absent)} cannot take part: it failed before, or the play has 'serial'."
            " A release is for all hosts of the play or for none, and cuts over in batches"
            " (app_cutover_batch). Leave a broken host out on purpose with --limit. Nothing was"
            " changed."
        )
    return ""


def new_run(seconds: float) -> str:
    """Return a name for a run that begins at that time (seconds since the epoch)."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    return f"{stamp}-{secrets.randbelow(1_000_000)}"


def person(environment: Mapping[str, str]) -> str:
    """Return who asks: the CI's actor or the user, and the machine."""
    name = environment.get("GITHUB_ACTOR") or environment.get("USER") or "root"
    return f"{name}@{os.uname().nodename}"


def ci_run(environment: Mapping[str, str]) -> str:
    """Return the address of the CI run that this is part of; empty outside of CI."""
    if number := environment.get("GITHUB_RUN_ID"):
        server = environment.get("GITHUB_SERVER_URL", "")
        return f"{server}/{environment.get('GITHUB_REPOSITORY', '')}/actions/runs/{number}"
    return environment.get("CI_JOB_URL", "")


def controller(pid: int) -> str:
    """Name a process of this machine so that this machine can tell later whether it has ended."""
    return f"{_machine()}:{pid}:{_start_time(pid)}"


def has_ended(name: str) -> bool:
    """Tell whether the process named by `controller` was one of this machine and has ended."""
    machine, _colon, process = name.partition(":")
    pid, _colon, start = process.partition(":")
    if not start or machine != _machine() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        # Somebody else's process, which may be hidden from us; it lives.
        return False
    return _start_time(int(pid)) not in ("", start)


def _machine() -> str:
    """Name this machine's present boot and the process numbers that count here.

    Containers of one machine share its boot, and each counts its processes alone.
    """
    boot = Path("/proc/sys/kernel/random/boot_id")
    space = Path("/proc/self/ns/pid")
    if not boot.exists() or not space.exists():
        return "unknown"
    number = "".join(char for char in str(space.readlink()) if char.isdigit())
    return f"{boot.read_text(encoding='ascii').strip()}-{number}"


def _start_time(pid: int) -> str:
    """Return when a process started, in clock ticks since the boot; empty when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
    return text.rpartition(")")[2].split()[19]
