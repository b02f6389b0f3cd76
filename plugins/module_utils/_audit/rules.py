# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All rules of the audit, by their identifiers. Pure."""

from __future__ import annotations

import typing as t

from . import containers, daemon, docker_files, host
from .model import Facts, Finding, Rule, judge

RULES: t.Final[tuple[Rule, ...]] = (
    *host.RULES,
    *daemon.RULES,
    *docker_files.RULES,
    *containers.RULES,
)

IDENTIFIERS: t.Final = frozenset(rule.identifier for rule in RULES)


def judge_all(facts: Facts) -> list[Finding]:
    """Hold every rule against the facts, in the order of their documentation."""
    return [judge(rule, facts) for rule in RULES]
