# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All rules of the audit, by their identifiers. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils import (
    audit_containers,
    audit_daemon,
    audit_docker_files,
    audit_host,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.audit_model import (
    Facts,
    Finding,
    Rule,
    judge,
)

RULES: t.Final[tuple[Rule, ...]] = (
    *audit_host.RULES,
    *audit_daemon.RULES,
    *audit_docker_files.RULES,
    *audit_containers.RULES,
)

IDENTIFIERS: t.Final = frozenset(rule.identifier for rule in RULES)


def judge_all(facts: Facts) -> list[Finding]:
    """Hold every rule against the facts, in the order of their documentation."""
    return [judge(rule, facts) for rule in RULES]
