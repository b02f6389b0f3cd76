# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nftables table of our own: nothing from outside reaches a container, and large sets.

It is independent of UFW and of Docker: a reset of either, or a flush of iptables, leaves it alone.
The language is that of nft 0.9.8 and later. Pure.
"""

from __future__ import annotations

import hashlib
import typing as t

from .policy import Network, Policy, Rule

TABLE: t.Final = "inet greenlight"

DOCUMENT_FOLDER: t.Final = "/var/lib/greenlight/firewall"
"""Where the host keeps the last good copy of each document's networks, as nft commands."""

MARK: t.Final = "0x10000000"

_CONTAINER_INTERFACES = ("docker0", "docker_gwbridge", "br-*", "gl-*", "veth*")


def set_name(name: str, version: int) -> str:
    """Return the name of the kernel set that holds the IPv4 (4) or IPv6 (6) part of a set."""
    return f"{name}_v{version}"


def _set(name: str, version: int, networks: t.Sequence[Network]) -> list[str]:
    elements = ", ".join(str(n) for n in networks if n.version == version)
    return [
        f"  set {set_name(name, version)} {{",
        f"    type ipv{version}_addr",
        "    flags interval",
        # One line: nft reads it as fast, and a difference shows as one.
        *([f"    elements = {{ {elements} }}"] if elements else []),
        "  }",
    ]


def _mark_lines(rule: Rule) -> list[str]:
    interface = f'iifname "{rule.interface}" ' if rule.interface else ""
    ports = rule.ports.replace(":", "-")
    service = f"{rule.protocol} dport {{ {ports} }} " if ports else ""
    lines = []
    for name in rule.sets:
        for version, family in ((4, "ip"), (6, "ip6")):
            if rule.destination is not None and rule.destination.version != version:
                continue
            target = f"{family} daddr {rule.destination} " if rule.destination else ""
            lines.append(
                f"    {interface}{family} saddr @{set_name(name, version)} {target}{service}"
                f"meta mark set meta mark or {MARK}"
            )
    return lines


def _chains(policy: Policy) -> list[str]:
    trusted = [f'    iifname "{name}" accept' for name in policy.forward_interfaces]
    marks = [line for rule in policy.rules for line in _mark_lines(rule)]
    sets_chain = [
        "  chain mark_allowed_sets {",
        "    type filter hook input priority -5; policy accept;",
        *marks,
        "  }",
    ]
    return [
        "  chain nothing_reaches_containers {",
        "    type filter hook forward priority -10; policy accept;",
        "    ct state established,related accept",
        *(f'    iifname "{name}" accept' for name in _CONTAINER_INTERFACES),
        *trusted,
        "    counter drop",
        "  }",
        *(sets_chain if marks else []),
    ]


def render(policy: Policy) -> str:
    """Return a file for 'nft -f' that replaces the whole table in one transaction.

    An empty set whose name carries a checksum tells later what the kernel has loaded. Networks of
    documents follow in files of their own, within the same transaction.
    """
    sets = [
        line
        for name in policy.all_sets
        for version in (4, 6)
        for line in _set(name, version, policy.kernel_sets.get(name, ()))
    ]
    body = [*sets, *_chains(policy)]
    lines = [
        "# Written by greenlight.droplet. greenlight-firewall.service loads it before UFW.",
        f"table {TABLE}",
        f"delete table {TABLE}",
        f"table {TABLE} {{",
        f"  set {checksum_name(body)} {{",
        "    type mark",
        "  }",
        *body,
        "}",
        *(f'include "{document_file(name)}"' for name in policy.documents),
    ]
    return "\n".join(lines) + "\n"


def checksum_name(body: t.Sequence[str]) -> str:
    """Return the name of the set that marks a table with this content."""
    return f"loaded_{hashlib.sha256(chr(10).join(body).encode()).hexdigest()[:16]}"


def document_file(name: str) -> str:
    """Return the path of the last good copy of a document's networks."""
    return f"{DOCUMENT_FOLDER}/{name}.nft"


def is_loaded(listed: str, text: str) -> bool:
    """Tell from 'nft -t list table' whether the kernel has what the file's text says."""
    name = next((w for w in text.split() if w.startswith("loaded_")), "")
    return (
        bool(name)
        and f"set {name} " in listed
        and "chain nothing_reaches_containers" in listed
        and "counter packets" in listed
        and " drop" in listed
    )
