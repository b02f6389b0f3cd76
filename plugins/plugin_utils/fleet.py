# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fleet's hosts say, put together for decisions and for people. Pure; controller side."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import (
    one_line,
    printable,
)

HostVars = Mapping[str, Mapping[str, t.Any]]

_CELL_CHARACTERS = 500
"""How much of a text a cell shows at most."""


def shortened(text: str, width: int) -> str:
    """Return a text, or its beginning when it has more than `width` characters."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines with aligned columns; what hosts and users said is one line each."""
    cells = [[one_line(cell, _CELL_CHARACTERS) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def short(sha: str) -> str:
    """Return a SHA as people say it."""
    return sha[:7] if sha else "nothing"


def expected_backends(hostvars: HostVars, hosts: Sequence[str], app: str) -> dict[str, str]:
    """Return the backend that each host should answer from: where it cut over, or was live."""
    found: dict[str, str] = {}
    for host in hosts:
        result, plan = hostvars[host].get("__app_live") or {}, hostvars[host]["__app_plan"]
        # A play that releases twice has registered what the first run did, too.
        result = result if result.get("run") == plan["run"] else plan
        found[host] = f"{app}-{result['live']['slot']}"
    return found


_COLUMNS: t.Final = (
    "HOST",
    "STATE",
    "SHA",
    "DIGEST",
    "CONFIG",
    "SLOT",
    "CONTAINER",
    "SINCE",
    "RELEASE",
)


def status_table(hostvars: HostVars, hosts: Sequence[str]) -> str:
    """Render the releases of all hosts as one table."""
    rows: list[tuple[str, ...]] = [_COLUMNS]
    notes: list[str] = []
    for host in hosts:
        info = hostvars[host]["__app_info"]
        rows += _rows(host, info)
        notes += _notes(host, info)
    return "\n".join([*aligned(rows), *map(printable, notes)])


def _rows(host: str, info: Mapping[str, t.Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for state in ("live", "standby"):
        release = info[state]
        if release:
            what = (host, state, short(release["sha"]), release["digest"][7:19])
            place = (release["slot"], release["state"], release["since"])
            rows.append((*what, release["config"], *place, release["release"]))
    for release in info["retained"]:
        if release["state"] not in ("live", "standby"):
            what = (host, release["state"], short(release["sha"]), release["digest"][7:19])
            rows.append((*what, "-", "-", "-", release["since"] or "-", "-"))
    return rows or [(host, "-", "no release", *"------")]


def _notes(host: str, info: Mapping[str, t.Any]) -> list[str]:
    """Say what is not as it should be, and what else somebody should know."""
    found = [*_pointer_notes(info), *_run_notes(info), *info["notes"]]
    return [f"{host}: {note}" for note in found]


def _pointer_notes(info: Mapping[str, t.Any]) -> list[str]:
    notes: list[str] = []
    pointer, canary = info["pointer"], info["canary"]
    if not pointer["answered"]:
        notes.append("HAProxy does not answer on its runtime socket")
    elif pointer["file"] != pointer["runtime"]:
        notes.append(f"the map file says {pointer['file']}, HAProxy uses {pointer['runtime']}")
    if canary["slot"]:
        notes.append(f"a canary gets {canary['percent']} % in slot {canary['slot']}")
    if info["live"] and info["live"]["state"] != "running":
        notes.append(f"the live container is {info['live']['state']}")
    elif info["live"] and pointer["answered"] and pointer["runtime"] != info["live"]["slot"]:
        notes.append(f"what runs is in slot {info['live']['slot']}; the next release repairs that")
    return notes


def _run_notes(info: Mapping[str, t.Any]) -> list[str]:
    notes = [f"{c['name']} is left over; the next release removes it" for c in info["leftovers"]]
    if info["freeze"]:
        notes.append(f"releases are frozen: {info['freeze']}")
    if info["lease"]:
        notes.append(f"reserved by {info['lease']}")
    elif info["unfinished"]:
        notes.append(f"{info['unfinished']}; the next release puts that right")
    if info["damaged_lines"]:
        notes.append(
            f"{info['damaged_lines']} damaged lines in the journal; the next release moves them"
        )
    return notes


_RUN_COLUMNS: t.Final = ("HOST", "BEGAN", "ACTION", "FROM", "TO", "OUTCOME", "SECONDS", "WHO")


def runs_table(hostvars: HostVars, hosts: Sequence[str], limit: int = 5) -> str:
    """Render the last `limit` runs of each host, newest first, as one table."""
    rows: list[tuple[str, ...]] = [_RUN_COLUMNS]
    for host in hosts:
        runs = hostvars[host]["__app_info"]["runs"][-limit:]
        rows += [_run_row(host, run) for run in reversed(runs)]
    return "\n".join(aligned(rows))


def _run_row(host: str, run: Mapping[str, t.Any]) -> tuple[str, ...]:
    outcome = run["outcome"] if run["ended"] else f"unfinished ({run['outcome']})"
    if run["reason"]:
        first_line = run["reason"].partition("\n")[0]
        outcome = f"{outcome}: {shortened(first_line, 60)}"
    who = " ".join(part for part in (run["holder"], run["ci_run"]) if part)
    seconds = sum(run["seconds"].values())
    shas = (run["from_sha"][:7] or "-", run["sha"][:7] or "-")
    return (host, run["time"], run["action"], *shas, outcome, f"{seconds:.1f}", who)


def journal_lines(hostvars: HostVars, hosts: Sequence[str]) -> str:
    """Render the journals' events of all hosts as JSON lines with the host's name, by time."""
    events = [
        {"host": host, **event}
        for host in hosts
        for event in hostvars[host]["__app_info"]["events"]
    ]
    events.sort(key=lambda event: str(event.get("time", "")))
    return "\n".join(json.dumps(event, sort_keys=True) for event in events)


_SHOWN: t.Final = ("failed", "open", "waived")
_FINDING_COLUMNS: t.Final = ("STATUS", "RULE", "HOST", "FOUND", "WHAT TO DO, OR WHY IT IS ACCEPTED")
_FOUND_WIDTH: t.Final = 76
_NAMES: t.Final = {"greenlight": "own rules", "docker": "docker-bench", "lynis": "Lynis"}


def audit_table(hostvars: HostVars, hosts: Sequence[str], minimum: int) -> str:
    """Render the result of module audit, in __audit_result of each host; failures come first."""
    results = {host: hostvars[host]["__audit_result"] for host in hosts}
    lines = [line for host, result in results.items() for line in _totals(host, result, minimum)]
    rows = [
        _finding_row(host, finding)
        for status in _SHOWN
        for host, result in results.items()
        for finding in result["findings"]
        if finding["status"] == status
    ]
    if rows:
        lines += ["", *aligned([_FINDING_COLUMNS, *rows])]
    for host, result in results.items():
        if result["unused_waivers"]:
            lines.append(f"{host}: waivers not needed here: {', '.join(result['unused_waivers'])}")
    return "\n".join(lines)


def _totals(host: str, result: Mapping[str, t.Any], minimum: int) -> list[str]:
    lines: list[str] = []
    index = result["lynis_index"]
    said = f"index {index} (at least {minimum})" if result["lynis_version"] else "not run"
    for source, name in _NAMES.items():
        counted = result["totals"].get(source, {})
        words = [f"{number} {status.replace('_', ' ')}" for status, number in counted.items()]
        if source == "lynis":
            words.insert(0, said)
        lines.append(f"{host:<16} {name:<13} {', '.join(words)}")
    return lines


def _finding_row(host: str, finding: Mapping[str, str]) -> tuple[str, ...]:
    answer = finding["remedy"] or "-"
    if finding["status"] == "waived":
        answer = f"until {finding['expires']}: {finding['reason']}"
    found = shortened(finding["found"], _FOUND_WIDTH)
    return (finding["status"], finding["rule"], host, found, answer)
