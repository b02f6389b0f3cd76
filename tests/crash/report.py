# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a crash, as a row; all of them as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Row:
    """One crash, at `point`, and the run that followed it.

    `requests` and `failed` count from the kill on, after a power cut from the end of the boot on;
    `lost` are those that failed while the power was off. `boot_seconds` pass from the droplet's
    start to its first answer, 0 without a power cut; `recovery_seconds` is the next run's time.
    """

    action: str
    kind: str
    point: str
    following: str = ""
    requests: int = 0
    failed: int = 0
    lost: int = 0
    found: str = ""
    boot_seconds: float = 0.0
    recovery_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    evidence: str = ""


def table(rows: Sequence[Row]) -> list[str]:
    """The rows and their totals, one line each."""
    width = max(len(row.point) for row in rows)
    head = (
        f"{'action':<8} {'kind':<5} {'before':<{width}} {'requests':>8} {'failed':>6}"
        f" {'boot s':>6} {'next run':<10} {'s':>5}  found"
    )
    lines = [head, *(_line(row, width) for row in rows)]
    for kind in dict.fromkeys(row.kind for row in rows):
        lines.append(_total(kind, [row for row in rows if row.kind == kind]))
    return lines


def _line(row: Row, width: int) -> str:
    boot = f"{row.boot_seconds:.1f}" if row.boot_seconds else ""
    return (
        f"{row.action:<8} {row.kind:<5} {row.point:<{width}} {row.requests:>8} {row.failed:>6}"
        f" {boot:>6} {row.following:<10} {row.recovery_seconds:>5.1f}  {row.found}"
        f"{'; PROBLEM: ' + '; '.join(row.problems) if row.problems else ''}"
    )


def _total(kind: str, rows: Sequence[Row]) -> str:
    slowest = max(row.recovery_seconds for row in rows)
    boots = max(row.boot_seconds for row in rows)
    return (
        f"{kind}: {len(rows)} crashes, {sum(bool(row.problems) for row in rows)} with problems,"
        f" {sum(row.requests for row in rows)} requests, {sum(row.failed for row in rows)} failed;"
        f" slowest next run {slowest:.1f} s{f', slowest boot {boots:.1f} s' if boots else ''}"
    )
