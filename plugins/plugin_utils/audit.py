# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log of the fleet, for people as a table and for programs as JSON lines. Pure."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.greenlight.droplet.plugins.plugin_utils.table import aligned

HostVars = Mapping[str, Mapping[str, t.Any]]

_COLUMNS: t.Final = ("HOST", "BEGAN", "ACTION", "FROM", "TO", "OUTCOME", "SECONDS", "WHO")


def runs_table(hostvars: HostVars, hosts: Sequence[str], limit: int = 5) -> str:
    """Render the last `limit` runs of each host, newest first, as one table."""
    rows: list[tuple[str, ...]] = [_COLUMNS]
    for host in hosts:
        runs = hostvars[host]["__app_info"]["runs"][-limit:]
        rows += [_row(host, run) for run in reversed(runs)]
    return "\n".join(aligned(rows))


def _row(host: str, run: Mapping[str, t.Any]) -> tuple[str, ...]:
    outcome = run["outcome"] if run["ended"] else f"unfinished ({run['outcome']})"
    if run["reason"]:
        outcome = f"{outcome}: {_shortened(run['reason'])}"
    who = " ".join(part for part in (run["holder"], run["ci_run"]) if part)
    seconds = sum(run["seconds"].values())
    shas = (run["from_sha"][:7] or "-", run["sha"][:7] or "-")
    return (host, run["time"], run["action"], *shas, outcome, f"{seconds:.1f}", who)


def _shortened(text: str) -> str:
    first = text.partition("\n")[0]
    return first if len(first) <= 60 else f"{first[:57]}..."


def journal_lines(hostvars: HostVars, hosts: Sequence[str]) -> str:
    """Render the journals' events of all hosts as JSON lines with the host's name, by time."""
    events = [
        {"host": host, **event}
        for host in hosts
        for event in hostvars[host]["__app_info"]["events"]
    ]
    events.sort(key=lambda event: str(event.get("time", "")))
    return "\n".join(json.dumps(event, sort_keys=True) for event in events)
