# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory and file descriptors of what we rely on, read on a droplet."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.e2e.hosts import on

PROGRAMS = ("haproxy", "dockerd", "containerd")
READ = """
import json, os, sys
found = {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        name = open(f"/proc/{pid}/comm").read().strip()
        if name not in sys.argv[1:]:
            continue
        status = dict(l.split(":", 1) for l in open(f"/proc/{pid}/status").read().splitlines())
        pages, descriptors = found.get(name, (0, 0))
        pages += int(status["VmRSS"].split()[0])
        found[name] = (pages, descriptors + len(os.listdir(f"/proc/{pid}/fd")))
    except (FileNotFoundError, ProcessLookupError, KeyError):
        continue
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Use:
    """What all processes of a program use: resident memory in KiB, open file descriptors."""

    kib: int
    descriptors: int

    def __str__(self) -> str:
        """Say it in a table's cell."""
        return f"{self.kib / 1024:.0f} MiB {self.descriptors} fd"


def read(host: str) -> dict[str, Use]:
    """Read the use of each program on a droplet."""
    raw = json.loads(on(host, f"python3 - {' '.join(PROGRAMS)}", script=READ))
    return {name: Use(*raw[name]) for name in PROGRAMS}
