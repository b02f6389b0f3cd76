# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that the figures come from, in the words of its own programs. No host names."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from dev.demo_process import BIN

AUTOGROUP = Path("/proc/self/autogroup")
LEAST_NICE = 19


def today() -> str:
    """Return the date and time in UTC, to the minute."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except OSError:
        return "not there"
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if lines else "says nothing"


def give_way() -> None:
    """Let this process and what it starts have the processors that nobody else wants.

    On a kernel that shares them out by session first (sched(7), autogroup) a nice value counts only
    within its session, so the session gets one too. It cannot be undone without being root.
    """
    os.nice(LEAST_NICE)
    if AUTOGROUP.exists():
        AUTOGROUP.write_text(str(LEAST_NICE), encoding="ascii")


def describe() -> dict[str, str]:
    """Return cores, memory and versions by name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**30:.0f} GiB",
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "ansible": _first_line(str(BIN / "ansible"), "--version"),
        "docker": _first_line("docker", "version", "--format", "{{.Server.Version}}"),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }
