# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of an audit: findings, totals, and why it is not enough. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from .lynis import LynisReport
from .model import Finding

SOURCES: t.Final = ("greenlight", "docker", "lynis")


def build_report(
    host: str,
    time: str,
    lynis: LynisReport | None,
    findings: t.Sequence[Finding],
    unused: t.Sequence[str],
) -> dict[str, t.Any]:
    """Return what is stored and printed; `time` is UTC in ISO 8601."""
    return {
        "host": host,
        "time": time,
        "lynis_version": lynis.version if lynis else "",
        "lynis_index": lynis.index if lynis else -1,
        "totals": {source: _totals(findings, source) for source in SOURCES},
        "findings": [finding.to_dict() for finding in findings],
        "unused_waivers": list(unused),
    }


def _totals(findings: t.Sequence[Finding], source: str) -> dict[str, int]:
    counted = Counter(finding.status for finding in findings if finding.source == source)
    return {status.replace(" ", "_"): number for status, number in sorted(counted.items())}


def reasons(
    findings: t.Sequence[Finding],
    lynis: LynisReport | None,
    lynis_minimum: int,
    fail_on_suggestions: bool,
) -> list[str]:
    """Say why the audit fails, the shortest first; empty when it does not."""
    said: list[str] = []
    if lynis is not None and lynis.index < lynis_minimum:
        said.append(
            f"Lynis gives {lynis.index if lynis.index >= 0 else 'no index'},"
            f" at least {lynis_minimum} is wanted (audit_lynis_minimum)"
        )
    failed = _rules(findings, "failed")
    if failed:
        said.append(f"failed and not waived: {', '.join(failed)}")
    suggested = _rules(findings, "open") if fail_on_suggestions else []
    if suggested:
        said.append(f"suggested and not answered: {', '.join(suggested)}")
    return said


def _rules(findings: t.Sequence[Finding], status: str) -> list[str]:
    return list(dict.fromkeys(f.rule for f in findings if f.status == status))
