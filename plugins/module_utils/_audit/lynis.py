# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Lynis has reported, as findings. Pure.

Lynis writes its report as lines NAME=VALUE; a warning or suggestion is
TEST|text|details|solution|, with '-' or nothing for what it does not say.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .model import Finding, Status

TEST: t.Final = re.compile(r"[A-Z]{3,5}-[0-9]{4}|LYNIS")
"""How Lynis names a test; LYNIS stands for what it says of itself."""

_KINDS: t.Final[dict[str, Status]] = {"warning[]": "failed", "suggestion[]": "open"}


@dataclass(frozen=True)
class LynisReport:
    """One report: version, hardening index (0 to 100, -1 when it gives none), findings, tests."""

    version: str
    index: int
    findings: tuple[Finding, ...]
    tests: frozenset[str]


def parse_report(text: str) -> LynisReport:
    """Read the text of lynis-report.dat; lines that it does not know are skipped."""
    version, index = "", -1
    findings: list[Finding] = []
    tests: set[str] = set()
    for line in text.splitlines():
        name, _equals, value = line.partition("=")
        if name == "lynis_version":
            version = value.strip()
        elif name == "hardening_index" and value.strip().isdigit():
            index = int(value)
        elif name in ("tests_executed", "tests_skipped"):
            tests.update(TEST.findall(value))
        elif name in _KINDS:
            findings.append(_finding(_KINDS[name], value))
    tests.update(finding.rule for finding in findings)
    return LynisReport(version, index, tuple(findings), frozenset(tests))


def _finding(status: Status, value: str) -> Finding:
    rule, text, details, solution = ([*value.split("|"), "", "", ""])[:4]
    said = [part.strip() for part in (text, details) if part.strip() not in ("", "-")]
    remedy = solution.strip().removeprefix("text:")
    return Finding(
        rule=rule.strip(),
        source="lynis",
        status=status,
        title="Lynis warns" if status == "failed" else "Lynis suggests",
        found=": ".join(said),
        remedy="" if remedy in ("", "-") else remedy,
    )
