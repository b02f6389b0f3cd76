# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audits of all hosts as a table: totals, then what failed, is open or waived. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.greenlight.droplet.plugins.plugin_utils.table import aligned, shortened

HostVars = Mapping[str, Mapping[str, t.Any]]

_SHOWN: t.Final = ("failed", "open", "waived")
_COLUMNS: t.Final = ("STATUS", "RULE", "HOST", "FOUND", "WHAT TO DO, OR WHY IT IS ACCEPTED")
_FOUND_WIDTH: t.Final = 76
_NAMES: t.Final = {"greenlight": "own rules", "docker": "docker-bench", "lynis": "Lynis"}


def audit_table(hostvars: HostVars, hosts: Sequence[str], minimum: int) -> str:
    """Render the result of module audit, in __audit_result of each host; failures come first."""
    results = {host: hostvars[host]["__audit_result"] for host in hosts}
    lines = [line for host, result in results.items() for line in _totals(host, result, minimum)]
    rows = [
        _row(host, finding)
        for status in _SHOWN
        for host, result in results.items()
        for finding in result["findings"]
        if finding["status"] == status
    ]
    if rows:
        lines += ["", *aligned([_COLUMNS, *rows])]
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


def _row(host: str, finding: Mapping[str, str]) -> tuple[str, ...]:
    answer = finding["remedy"] or "-"
    if finding["status"] == "waived":
        answer = f"until {finding['expires']}: {finding['reason']}"
    found = shortened(finding["found"], _FOUND_WIDTH)
    return (finding["status"], finding["rule"], host, found, answer)
