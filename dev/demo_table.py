# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo prints at its end: the table and what to try next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dev import settings


@dataclass(frozen=True)
class Row:
    """A step of the demo: its wall-clock seconds, and the load's requests while it ran."""

    step: str
    seconds: float
    served: int | None = None
    failed: int | None = None


HEADINGS = ("STEP", "SECONDS", "REQUESTS SERVED", "REQUESTS FAILED")


def _cells(row: Row) -> tuple[str, ...]:
    counts = ("-" if count is None else f"{count:,}" for count in (row.served, row.failed))
    return (row.step, f"{row.seconds:.1f}", *counts)


def total(rows: Sequence[Row]) -> Row:
    """The sum of all rows; without counts when no step ran under load."""
    loaded = [row for row in rows if row.served is not None]
    served = sum(row.served or 0 for row in loaded) if loaded else None
    failed = sum(row.failed or 0 for row in loaded) if loaded else None
    return Row("total", sum(row.seconds for row in rows), served, failed)


def table(rows: Sequence[Row]) -> str:
    """The rows and their total; numbers to the right, `-` where no load ran."""
    body = [_cells(row) for row in (*rows, total(rows))]
    widths = [max(len(line[i]) for line in (HEADINGS, *body)) for i in range(len(HEADINGS))]

    def render(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "  ".join((first, *rest))

    rule = "  ".join("-" * width for width in widths)
    lines = [render(HEADINGS), rule, *(render(cells) for cells in body[:-1]), rule]
    return "\n".join([*lines, render(body[-1])])


def try_next(other_sha: str) -> str:
    """Commands to go on with; `other_sha` is a good release that is not live now."""
    url = f"http://127.0.0.1:{settings.BALANCER_PORT}"
    commands = (
        (". .venv/bin/activate", "so that the commands below are found"),
        (f"curl {url}/v1/version", "what serves, through the load balancer"),
        (f"curl -i {url}/v1/health", "which droplet and slot answered: X-Greenlight-*"),
        ("ansible-playbook playbooks/status-api.yml", "live, standby and retained releases"),
        (f"ansible-playbook playbooks/update-api.yml -e sha={other_sha[:7]}", "another release"),
        ("ansible-playbook playbooks/rollback-api.yml", "and back to the one before"),
        ("python -m dev.sample_api list", "more releases, good ones and broken ones"),
        ("make clean", "remove the fleet and everything else"),
    )
    width = max(len(command) for command, _why in commands)
    lines = [f"  {command.ljust(width)}  # {meaning}" for command, meaning in commands]
    return "\n".join(["The fleet is still up. What to try next:", *lines])
