# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What module audit does: gather, judge, waive, store. Returns the report."""

from __future__ import annotations

import datetime
import json
import typing as t

from .._core import files
from .._core.errors import SpecError
from . import containers, daemon, docker_files, facts, host
from .lynis import TEST
from .model import Facts, Finding, Rule, judge
from .report import build_report, reasons
from .waivers import Waiver, apply_waivers, parse_waivers, refuse_unknown

FOLDER: t.Final = "/var/lib/greenlight/audit"

RULES: t.Final[tuple[Rule, ...]] = (
    *host.RULES,
    *daemon.RULES,
    *docker_files.RULES,
    *containers.RULES,
)

IDENTIFIERS: t.Final = frozenset(rule.identifier for rule in RULES)


def run_audit(params: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Audit this host. Raises GreenlightError; in check mode Lynis is not run, nothing stored."""
    _refuse_values(params)
    now = datetime.datetime.now(datetime.timezone.utc)
    waivers = parse_waivers(params["waivers"], now.date())
    _refuse_unknown(waivers)
    found = facts.gather(params["ports"], params["docker_users"])
    lynis = facts.run_lynis() if params["lynis"] and not check_mode else None
    findings = [*judge_all(found), *(lynis.findings if lynis else ())]
    marked, unused = apply_waivers(findings, waivers, params["host"])
    report = build_report(params["host"], now.strftime("%Y-%m-%dT%H:%M:%SZ"), lynis, marked, unused)
    report["reasons"] = reasons(
        marked, lynis, params["lynis_minimum"], params["fail_on_suggestions"]
    )
    if not check_mode:
        store(report, now.strftime("%Y%m%dT%H%M%SZ"), params["keep"])
    return report


def judge_all(facts: Facts) -> list[Finding]:
    """Hold every rule against the facts, in the order of their documentation."""
    return [judge(rule, facts) for rule in RULES]


def _refuse_values(params: t.Mapping[str, t.Any]) -> None:
    if params["keep"] < 1:
        raise SpecError(f"keep is {params['keep']}; at least the newest report stays: give 1.")
    if not 0 <= params["lynis_minimum"] <= 100:
        raise SpecError(
            f"lynis_minimum is {params['lynis_minimum']}; Lynis gives an index from 0 to 100."
        )


def _refuse_unknown(waivers: t.Sequence[Waiver]) -> None:
    """Refuse rules that do not exist; without Lynis only the form of its tests can be judged."""
    tests = facts.lynis_tests()
    if not tests:
        waivers = [waiver for waiver in waivers if not TEST.fullmatch(waiver.rule)]
    refuse_unknown(waivers, IDENTIFIERS | tests | {"LYNIS"})


def store(report: dict[str, t.Any], name: str, keep: int, folder: str = FOLDER) -> None:
    """Keep the report, readable by root alone, and the newest `keep` of them. Raises FileError."""
    files.make_folder(folder, 0o700)
    text = json.dumps(report, indent=2, sort_keys=True) + "\n"
    files.write_atomic(f"{folder}/{name}.json", text, 0o600)
    for stem in files.list_stems(folder, ".json")[:-keep]:
        files.remove(f"{folder}/{stem}.json")
