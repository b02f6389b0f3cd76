# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a droplet, as root, with its Python alone: prints memory and CPU by process as JSON.

`processes`: `unit` (of systemd, "" for those of containers), `pss` and `rss` in KiB, `cpu` in
seconds since the process began. `cpu`: seconds of the droplet's control group since it began.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")
UNIT = re.compile(r"\.(?:service|scope)$")
NANOSECONDS = 1e9
MICROSECONDS = 1e6


def controllers(text: str) -> dict[str, str]:
    """Return the path of each controller of a /proc/PID/cgroup; version 2 stands under ""."""
    paths = {}
    for line in text.splitlines():
        _number, names, path = line.split(":", 2)
        for name in names.split(","):
            paths[name] = path
    return paths


def unit_of(text: str) -> str:
    """Return the unit of systemd that a /proc/PID/cgroup names, "" when it names none."""
    paths = controllers(text)
    names = [part for part in paths.get("name=systemd", paths.get("", "")).split("/") if part]
    return names[-1] if names and UNIT.search(names[-1]) else ""


def kibibytes(rollup: str, name: str) -> int:
    """Return a figure of a /proc/PID/smaps_rollup in KiB; 0 for one that has no memory."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", rollup, re.MULTILINE)
    return int(found[1]) if found else 0


def process(folder: Path) -> dict[str, Any]:
    """Return what one process uses. Raises OSError when it ends meanwhile."""
    rollup = (folder / "smaps_rollup").read_text(encoding="utf-8")
    times = [path.read_text(encoding="utf-8") for path in folder.glob("task/*/schedstat")]
    return {
        "pid": int(folder.name),
        "unit": unit_of((folder / "cgroup").read_text(encoding="utf-8")),
        "pss": kibibytes(rollup, "Pss"),
        "rss": kibibytes(rollup, "Rss"),
        "cpu": sum(int(text.split()[0]) for text in times) / NANOSECONDS,
    }


def processes() -> list[dict[str, Any]]:
    """Return what each process uses; one that ends while it is looked at is none any more."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                found.append(process(folder))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def droplet_cpu() -> float:
    """Return the CPU seconds of the droplet's own control group, version 1 or 2."""
    paths = controllers((PROC / "1" / "cgroup").read_text(encoding="utf-8"))
    if "cpuacct" in paths:
        usage = GROUPS / "cpuacct" / paths["cpuacct"].lstrip("/") / "cpuacct.usage"
        return int(usage.read_text(encoding="utf-8")) / NANOSECONDS
    # The first process stands in a scope of its own below the droplet's group.
    group = GROUPS / paths[""].removesuffix("/init.scope").lstrip("/")
    text = (group / "cpu.stat").read_text(encoding="utf-8")
    lines = dict(line.split() for line in text.splitlines())
    return int(lines["usage_usec"]) / MICROSECONDS


if __name__ == "__main__":
    print(json.dumps({"processes": processes(), "cpu": droplet_cpu()}))
