# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lynis' report is read, waivers accept what they name and no more, and reasons are said."""

from __future__ import annotations

import datetime
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.greenlight.droplet.plugins.module_utils._audit import run
from ansible_collections.greenlight.droplet.plugins.module_utils._audit.lynis import (
    TEST,
    LynisReport,
    parse_report,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._audit.model import (
    Facts,
    Finding,
    Status,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._audit.report import (
    build_report,
    reasons,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._audit.run import (
    IDENTIFIERS,
    judge_all,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._audit.waivers import (
    apply_waivers,
    parse_waivers,
    refuse_unknown,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.plugin_utils.fleet import audit_table

ROOT = Path(__file__).parents[3]
TODAY = datetime.date(2026, 11, 21)

# Lines of a real report of Lynis 3.0.8; the warning is one that a host with an old kernel gets.
REPORT = """# Lynis Report
report_version_major=1
lynis_version=3.0.8
os_fullname=Debian 12
warning[]=KRNL-5830|Reboot of system is most likely needed||text:reboot|
suggestion[]=LYNIS|This release is more than 4 months old. Check the website.|-|-|
suggestion[]=DEB-0280|Install libpam-tmpdir to set $TMP and $TMPDIR for PAM sessions|-|-|
suggestion[]=FILE-6310|To decrease the impact of a full /home, use a separate partition|-|-|
suggestion[]=FILE-6310|To decrease the impact of a full /var, use a separate partition|-|-|
suggestion[]=SSH-7408|Consider hardening SSH configuration|Port (set 22 to )|-|
suggestion[]=MACF-6208|Check output of aa-status|profiles|text:Run aa-status|
tests_executed=HRDN-7231|HRDN-7230|KRNL-6000
tests_skipped=MALW-3288|MALW-3286
hardening_index=63
"""


def finding(rule: str, status: Status = "failed", found: str = "bad") -> Finding:
    return Finding(rule, "greenlight", status, "a title", found, "a remedy")


def waiver(**changes: t.Any) -> dict[str, t.Any]:
    return {"rule": "clock", "reason": "a container", "expires": "2026-11-21", **changes}


def test_a_real_report_is_read() -> None:
    report = parse_report(REPORT)
    assert (report.version, report.index) == ("3.0.8", 63)
    assert [(f.rule, f.status) for f in report.findings] == [
        ("KRNL-5830", "failed"),
        ("LYNIS", "open"),
        ("DEB-0280", "open"),
        ("FILE-6310", "open"),
        ("FILE-6310", "open"),
        ("SSH-7408", "open"),
        ("MACF-6208", "open"),
    ]
    assert report.findings[0].remedy == "reboot"
    assert report.findings[5].found == "Consider hardening SSH configuration: Port (set 22 to )"
    assert report.findings[6].remedy == "Run aa-status"
    assert {"HRDN-7231", "MALW-3286", "DEB-0280"} <= report.tests


@pytest.mark.parametrize("text", ["", "hardening_index=\n", "hardening_index=many\nnonsense"])
def test_a_report_without_an_index_says_so(text: str) -> None:
    assert parse_report(text) == LynisReport("", -1, (), frozenset())


BAD_WAIVERS: list[tuple[t.Any, str]] = [
    ("clock", "Waiver 1 is 'clock'; it must have the keys"),
    (waiver(rule=""), "Waiver 1 (without a rule) has no rule"),
    (waiver(reason=" "), "Waiver 1 (clock) has no reason"),
    (waiver(reason=None), "Waiver 1 (clock) has no reason"),
    (waiver(expires=None), "Waiver 1 (clock) has no expires"),
    (waiver(expires="soon"), "has the date 'soon'; write it as YYYY-MM-DD"),
    (waiver(expires="2026-11-20"), "Waiver 1 (clock) has expired on 2026-11-20"),
    (waiver(host="api-1"), "Waiver 1 (clock) has the key host; known are"),
]


@pytest.mark.parametrize(("entry", "message"), BAD_WAIVERS)
def test_a_bad_waiver_is_named(entry: t.Any, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        parse_waivers([entry], TODAY)


def test_a_waiver_holds_on_its_last_day() -> None:
    assert parse_waivers([waiver()], TODAY)[0].expires == TODAY


def test_a_waiver_of_an_unknown_rule_is_named() -> None:
    waivers = parse_waivers([waiver(rule="CIS-5.99")], TODAY)
    with pytest.raises(SpecError, match=re.escape("'CIS-5.99', which does not exist")):
        refuse_unknown(waivers, IDENTIFIERS)


def test_rules_have_names_of_their_own() -> None:
    assert len(IDENTIFIERS) == len(judge_all(Facts()))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "waived"),
        ({"hosts": "api-*"}, "waived"),
        ({"hosts": "db-*"}, "failed"),
        ({"detail": "ad"}, "waived"),
        ({"detail": "else"}, "failed"),
        ({"rule": "reboot"}, "failed"),
    ],
)
def test_a_waiver_accepts_what_it_names(changes: dict[str, t.Any], status: str) -> None:
    waivers = parse_waivers([waiver(**changes)], TODAY)
    marked, unused = apply_waivers([finding("clock")], waivers, "api-1")
    assert marked[0].status == status
    assert marked[0].reason == ("a container" if status == "waived" else "")
    mine = changes.get("hosts") != "db-*"
    assert unused == ([changes.get("rule", "clock")] if status == "failed" and mine else [])


def test_what_holds_needs_no_waiver() -> None:
    waivers = parse_waivers([waiver()], TODAY)
    marked, unused = apply_waivers([finding("clock", "passed", "")], waivers, "api-1")
    assert (marked[0].status, unused) == ("passed", ["clock"])


LYNIS = LynisReport("3.0.8", 89, (), frozenset())


@pytest.mark.parametrize(
    ("found", "lynis", "minimum", "suggestions", "said"),
    [
        ([finding("clock", "passed")], LYNIS, 89, True, []),
        ([finding("clock", "waived")], None, 90, True, []),
        ([], LYNIS, 90, False, ["Lynis gives 89, at least 90 is wanted (audit_lynis_minimum)"]),
        ([finding("clock")] * 2, None, 90, False, ["failed and not waived: clock"]),
        ([finding("A", "open")], LYNIS, 89, False, []),
        ([finding("A", "open")], LYNIS, 89, True, ["suggested and not answered: A"]),
    ],
)
def test_the_reasons_are_said(
    found: list[Finding],
    lynis: LynisReport | None,
    minimum: int,
    suggestions: bool,
    said: list[str],
) -> None:
    assert reasons(found, lynis, minimum, suggestions) == said


def test_the_table_has_totals_failures_first_and_why_something_is_waived() -> None:
    accepted = Finding("B", "docker", "waived", "t", "x" * 99, "fix", "because", "2027-01-01")
    report = build_report("h", "now", LYNIS, [accepted, finding("clock")], ["reboot"])
    lines = audit_table({"h": {"__audit_result": report}}, ["h"], 90).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["h", "own", "rules", "1", "failed"],
        ["h", "docker-bench", "1", "waived"],
        ["h", "Lynis", "index", "89", "(at", "least", "90)"],
    ]
    assert lines[5].split() == ["failed", "clock", "h", "bad", "a", "remedy"]
    assert lines[6].endswith("x...  until 2027-01-01: because")
    assert lines[7] == "h: waivers not needed here: reboot"


def test_the_newest_reports_are_kept_for_root_alone(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    for number in range(4):
        run.store({"number": number}, f"2026112{number}T000000Z", 2, str(folder))
    kept = sorted(folder.iterdir())
    assert [path.name for path in kept] == ["20261122T000000Z.json", "20261123T000000Z.json"]
    assert json.loads(kept[1].read_text()) == {"number": 3}
    assert [path.stat().st_mode & 0o777 for path in (folder, *kept)] == [0o700, 0o600, 0o600]


@pytest.mark.parametrize(
    ("changes", "message"), [({"keep": 0}, "keep is 0"), ({"lynis_minimum": 101}, "is 101")]
)
def test_values_out_of_range_are_refused(changes: dict[str, int], message: str) -> None:
    params = {"keep": 20, "lynis_minimum": 90, "waivers": [], **changes}
    with pytest.raises(SpecError, match=message):
        run.run_audit(params, check_mode=True)


@pytest.mark.parametrize(
    "path", ["roles/audit/files/waivers.yml", "tests/hardening/waivers-container.yml"]
)
def test_the_waivers_that_are_shipped_can_be_used(path: str) -> None:
    entries = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    waivers = parse_waivers(entries, TODAY)
    assert len({(waiver.rule, waiver.detail) for waiver in waivers}) == len(entries)
    ours = [waiver for waiver in waivers if not TEST.fullmatch(waiver.rule)]
    refuse_unknown(ours, IDENTIFIERS)
    assert {waiver.hosts for waiver in waivers} == {"*"}
