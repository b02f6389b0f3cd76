# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary of an audit: what was gathered on a host, what a rule is, what it found. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from .._core.errors import GreenlightError

Status = t.Literal["passed", "failed", "waived", "open", "not applicable"]
"""`open` is a suggestion of Lynis nobody has answered; it fails an audit only if asked to."""

Source = t.Literal["greenlight", "docker", "lynis"]


class AuditError(GreenlightError):
    """The host could not be read well enough to judge it."""


@dataclass(frozen=True)
class FileFact:
    """Owner, group and permission bits of a file, folder or socket."""

    owner: str
    group: str
    mode: int


@dataclass(frozen=True)
class Listener:
    """A socket that waits for others: protocol, local address, port, name of the process."""

    protocol: str
    address: str
    port: int
    process: str


@dataclass(frozen=True)
class DockerFacts:
    """What Docker says of itself, in its own JSON, and what systemd started it with."""

    info: t.Mapping[str, t.Any] = field(default_factory=dict)
    daemon: t.Mapping[str, t.Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    containers: tuple[t.Mapping[str, t.Any], ...] = ()
    networks: tuple[t.Mapping[str, t.Any], ...] = ()
    images: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    processes: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    own_partition: bool = False


@dataclass(frozen=True)
class Facts:
    """Everything that the rules look at. An absent file is absent from `files`."""

    docker: DockerFacts | None = None
    files: t.Mapping[str, FileFact] = field(default_factory=dict)
    audit_rules: tuple[str, ...] = ()
    audit_loaded: int = -1
    listeners: tuple[Listener, ...] = ()
    allowed_ports: frozenset[int] = frozenset()
    allowed_members: frozenset[str] = frozenset()
    sshd: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ufw: str = ""
    tables: tuple[str, ...] = ()
    jails: tuple[str, ...] = ()
    units: t.Mapping[str, str] = field(default_factory=dict)
    unattended_upgrades: bool = False
    security_upgrades: tuple[str, ...] = ()
    reboot_required: bool = False
    clock_synchronised: bool = False
    journals: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One thing that must hold.

    `check` returns an empty text when it holds, what was found when it does not, and None where
    the rule has no object, such as a rule on containers on a host without any.
    """

    identifier: str
    source: Source
    title: str
    remedy: str
    check: t.Callable[[Facts], str | None]


@dataclass(frozen=True)
class Finding:
    """What one rule found on one host, and why it is accepted when somebody has waived it."""

    rule: str
    source: Source
    status: Status
    title: str
    found: str = ""
    remedy: str = ""
    reason: str = ""
    expires: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the finding as a module returns it."""
        return asdict(self)


def judge(rule: Rule, facts: Facts) -> Finding:
    """Hold one rule against the facts."""
    found = rule.check(facts)
    if found is None:
        return Finding(rule.identifier, rule.source, "not applicable", rule.title)
    if not found:
        return Finding(rule.identifier, rule.source, "passed", rule.title)
    return Finding(rule.identifier, rule.source, "failed", rule.title, found, rule.remedy)
