# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fleet's hosts say, put together for decisions and for people. Pure; controller side."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

HostVars = Mapping[str, Mapping[str, t.Any]]


class FleetError(ValueError):
    """The hosts contradict each other; the text says how and what to do."""


def _short(sha: str) -> str:
    return sha[:7] if sha else "nothing"


def hosts_in_need(hostvars: HostVars, hosts: Sequence[str]) -> list[str]:
    """Return the hosts whose plan has steps. Raises FleetError unless all aim at one release."""
    plans = {host: hostvars[host]["__app_plan"] for host in hosts}
    goals = {host: (plan["sha"], plan["digest"]) for host, plan in plans.items()}
    if len(set(goals.values())) > 1:
        lines = [f"  {host}: {_short(sha)} {digest[:19]}" for host, (sha, digest) in goals.items()]
        raise FleetError(
            "The hosts do not mean the same release. Name one with -e sha=...; nothing was"
            " changed.\n" + "\n".join(lines)
        )
    return [host for host, plan in plans.items() if plan["needed"]]


def failed_hosts(hostvars: HostVars, hosts: Sequence[str]) -> list[str]:
    """Return the hosts that have failed in this run."""
    return [host for host in hosts if hostvars[host].get("__app_failure", "")]


def expected_backends(hostvars: HostVars, hosts: Sequence[str], app: str) -> dict[str, str]:
    """Return the backend that each host should answer from now."""
    live = {
        host: hostvars[host].get("__app_live") or hostvars[host]["__app_plan"]["live"]
        for host in hosts
    }
    return {host: f"{app}-{release['slot']}" for host, release in live.items()}


def fleet_summary(hostvars: HostVars, hosts: Sequence[str], settled: bool = False) -> str:
    """Say host by host what failed and what serves; the reason first, the next command last."""
    failed = failed_hosts(hostvars, hosts)
    sha = _short(hostvars[hosts[0]]["__app_plan"]["sha"])
    if settled:
        lines = [f"{sha} is live on every host, but {', '.join(failed)} could not settle:"]
        lines += [f"  {host:<16} {_first_line(hostvars[host]['__app_failure'])}" for host in failed]
        lines.append("Run next: the same command again; it completes what is left.")
        return "\n".join(lines)
    reasons = [f"  {host:<16} {hostvars[host]['__app_failure']}" for host in failed]
    lines = [f"{sha} was not released: {', '.join(failed)} failed.", *reasons, "Serving now:"]
    serving: set[str] = set()
    for host in hosts:
        now = _serving(hostvars[host])
        serving.add(now)
        lines.append(f"  {host:<16} {now}")
    if len(serving) == 1:
        lines.append("All hosts serve one release, as before; nothing has to be undone.")
    else:
        lines.append(
            "The hosts differ; bring them together with"
            " 'ansible-playbook playbooks/update-api.yml -e sha=<sha>'."
        )
    lines.append("Look closer: ansible-playbook playbooks/status-api.yml")
    return "\n".join(lines)


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _serving(variables: Mapping[str, t.Any]) -> str:
    info = variables.get("__app_info") or {}
    if info.get("unreachable"):
        return "unreachable, unknown"
    live = info.get("live") or {}
    return f"{_short(live['sha'])} ({live['state']})" if live else "no release"


_COLUMNS: t.Final = ("HOST", "STATE", "SHA", "DIGEST", "SLOT", "CONTAINER", "SINCE")


def status_table(hostvars: HostVars, hosts: Sequence[str]) -> str:
    """Render the releases of all hosts as one table."""
    rows: list[tuple[str, ...]] = [_COLUMNS]
    notes: list[str] = []
    for host in hosts:
        info = hostvars[host]["__app_info"]
        rows += _rows(host, info)
        notes += _notes(host, info)
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*table, *notes])


def _rows(host: str, info: Mapping[str, t.Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for state in ("live", "standby"):
        release = info[state]
        if release:
            place = (release["slot"], release["state"], release["since"])
            rows.append((host, state, _short(release["sha"]), release["digest"][7:19], *place))
    for release in info["retained"]:
        if release["state"] not in ("live", "standby"):
            short, digest = _short(release["sha"]), release["digest"][7:19]
            rows.append((host, release["state"], short, digest, "-", "-", release["since"] or "-"))
    return rows or [(host, "-", "no release", "-", "-", "-", "-")]


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
