# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: which findings are accepted, why, and until when. Pure.

A waiver without a reason or past its date is an error: what was accepted once must be looked at
again, or the list would only ever grow.
"""

from __future__ import annotations

import datetime
import fnmatch
import typing as t
from dataclasses import dataclass, replace

from .._core.errors import SpecError
from .model import Finding

_KEYS: t.Final = frozenset({"rule", "reason", "expires", "hosts", "detail"})


@dataclass(frozen=True)
class Waiver:
    """One accepted rule. `detail` narrows it to findings that contain that text."""

    rule: str
    reason: str
    expires: datetime.date
    hosts: str = "*"
    detail: str = ""

    def covers(self, finding: Finding) -> bool:
        """Tell whether the finding is what this waiver accepts."""
        return finding.rule == self.rule and self.detail in finding.found


def parse_waivers(raw: t.Sequence[t.Any], today: datetime.date) -> list[Waiver]:
    """Read the entries of waiver files. Raises SpecError naming the first that cannot be used."""
    return [_parse(number, entry, today) for number, entry in enumerate(raw, start=1)]


def _parse(number: int, entry: t.Any, today: datetime.date) -> Waiver:
    if not isinstance(entry, dict):
        raise SpecError(
            f"Waiver {number} is {entry!r}; it must have the keys rule, reason and expires."
        )
    texts = {str(key): str(value or "").strip() for key, value in entry.items()}
    label = f"Waiver {number} ({texts.get('rule') or 'without a rule'})"
    unknown = sorted(set(texts) - _KEYS)
    if unknown:
        raise SpecError(
            f"{label} has the key {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}."
        )
    for key in ("rule", "reason", "expires"):
        if not texts.get(key):
            raise SpecError(f"{label} has no {key}. Add it, or remove the waiver.")
    try:
        expires = datetime.date.fromisoformat(texts["expires"])
    except ValueError as exc:
        raise SpecError(
            f"{label} has the date {texts['expires']!r}; write it as YYYY-MM-DD."
        ) from exc
    if expires < today:
        raise SpecError(
            f"{label} has expired on {expires}. Fix what it accepts, or decide again and give it a"
            " new date."
        )
    hosts, detail = texts.get("hosts") or "*", texts.get("detail", "")
    return Waiver(texts["rule"], texts["reason"], expires, hosts, detail)


def refuse_unknown(waivers: t.Sequence[Waiver], known: t.Collection[str]) -> None:
    """Raise SpecError when a waiver names a rule that does not exist."""
    for waiver in waivers:
        if waiver.rule not in known:
            raise SpecError(
                f"A waiver names the rule {waiver.rule!r}, which does not exist. Rules are named as"
                " the audit prints them, such as CIS-5.14, open-ports or FILE-6310."
            )


def apply_waivers(
    findings: t.Sequence[Finding], waivers: t.Sequence[Waiver], host: str
) -> tuple[list[Finding], list[str]]:
    """Mark the findings that a waiver accepts on this host.

    Returns them all, and the rules whose waiver accepted nothing here.
    """
    mine = [waiver for waiver in waivers if fnmatch.fnmatchcase(host, waiver.hosts)]
    used: set[Waiver] = set()
    marked: list[Finding] = []
    for finding in findings:
        waiver = next((w for w in mine if _applies(w, finding)), None)
        if waiver is None:
            marked.append(finding)
            continue
        used.add(waiver)
        until = waiver.expires.isoformat()
        marked.append(replace(finding, status="waived", reason=waiver.reason, expires=until))
    return marked, sorted({waiver.rule for waiver in mine if waiver not in used})


def _applies(waiver: Waiver, finding: Finding) -> bool:
    return finding.status in ("failed", "open") and waiver.covers(finding)
