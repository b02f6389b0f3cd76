# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the CIS Docker Benchmark on Docker's files: who owns them, who is recorded. Pure.

The numbers are those that docker-bench-security 1.6 prints; the words and the checks are ours.
"""

from __future__ import annotations

import itertools
import typing as t

from .model import Facts, Rule

AUDITED: t.Final = (
    ("1.1.3", "/usr/sbin/dockerd"),
    ("1.1.4", "/run/containerd"),
    ("1.1.5", "/var/lib/docker"),
    ("1.1.6", "/etc/docker"),
    ("1.1.7", "/lib/systemd/system/docker.service"),
    ("1.1.8", "/run/containerd/containerd.sock"),
    ("1.1.9", "/lib/systemd/system/docker.socket"),
    ("1.1.10", "/etc/default/docker"),
    ("1.1.11", "/etc/docker/daemon.json"),
    ("1.1.12", "/etc/containerd/config.toml"),
    ("1.1.14", "/usr/bin/containerd"),
    ("1.1.15", "/usr/bin/containerd-shim"),
    ("1.1.16", "/usr/bin/containerd-shim-runc-v1"),
    ("1.1.17", "/usr/bin/containerd-shim-runc-v2"),
    ("1.1.18", "/usr/sbin/runc"),
)
"""Rule and path: who changes or runs these is to be recorded by auditd."""

OWNED: t.Final = (
    ("3.1", "3.2", "/lib/systemd/system/docker.service", "root", 0o644),
    ("3.3", "3.4", "/lib/systemd/system/docker.socket", "root", 0o644),
    ("3.5", "3.6", "/etc/docker", "root", 0o755),
    ("3.15", "3.16", "/run/docker.sock", "docker", 0o660),
    ("3.17", "3.18", "/etc/docker/daemon.json", "root", 0o644),
    ("3.19", "3.20", "/etc/default/docker", "root", 0o644),
    ("3.23", "3.24", "/run/containerd/containerd.sock", "root", 0o660),
)
"""Rule on the owner, rule on the mode, path, group, and the widest mode; the owner is root."""

PATHS: t.Final = tuple(sorted({path for _rule, path in AUDITED} | {row[2] for row in OWNED}))


def _audited(path: str) -> t.Callable[[Facts], str | None]:
    def check(facts: Facts) -> str | None:
        if path not in facts.files:
            return None
        return "" if _is_watched(path, facts.audit_rules) else f"no audit rule watches {path}"

    return check


def _is_watched(path: str, rules: t.Sequence[str]) -> bool:
    """Tell whether an audit rule names the path or a folder above it."""
    for rule in rules:
        words = rule.split()
        watched = [word for before, word in itertools.pairwise(words) if before == "-w"]
        watched += [w.partition("=")[2] for w in words if w.startswith(("path=", "dir="))]
        if any(path == root or path.startswith(f"{root.rstrip('/')}/") for root in watched):
            return True
    return False


def _owner(path: str, group: str) -> t.Callable[[Facts], str | None]:
    def check(facts: Facts) -> str | None:
        if (fact := facts.files.get(path)) is None:
            return None
        right = (fact.owner, fact.group) == ("root", group)
        return "" if right else f"{path} belongs to {fact.owner}:{fact.group}"

    return check


def _mode(path: str, widest: int) -> t.Callable[[Facts], str | None]:
    def check(facts: Facts) -> str | None:
        if (fact := facts.files.get(path)) is None:
            return None
        return f"{path} has mode {fact.mode:04o}" if fact.mode & ~widest else ""

    return check


def _rules() -> t.Iterator[Rule]:
    for number, path in AUDITED:
        title, remedy = f"auditd watches {path}", f"Add '-w {path} -k docker' to the audit rules"
        yield Rule(f"CIS-{number}", "docker", title, remedy, _audited(path))
    for owner, mode, path, group, widest in OWNED:
        remedy = f"chown root:{group} {path}"
        title = f"{path} belongs to root:{group}"
        yield Rule(f"CIS-{owner}", "docker", title, remedy, _owner(path, group))
        title, remedy = f"{path} has mode {widest:04o} or less", f"chmod {widest:04o} {path}"
        yield Rule(f"CIS-{mode}", "docker", title, remedy, _mode(path, widest))


RULES: t.Final[tuple[Rule, ...]] = tuple(_rules())
