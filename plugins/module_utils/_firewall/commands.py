# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that talks to the kernel's packet filter: iptables, nft, and UFW's own program."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import typing as t

from .._core.errors import FirewallError, NotSetUpError
from .nftables import TABLE

COMMAND_SECONDS: t.Final = 60
"""Seconds that one call may take; a reload of UFW on a busy host takes a few."""

UFW_LOCK: t.Final = "/run/ufw.lock"
"""The lock that UFW's own program takes, so that it does not write its files while we do."""

_IPTABLES: t.Final = {4: "iptables", 6: "ip6tables"}


def _run(command: t.Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
    except FileNotFoundError as exc:
        raise NotSetUpError(
            f"{command[0]} is not installed on this host. Run setup-api.yml: its role firewall"
            " installs it."
        ) from exc
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise FirewallError(f"'{' '.join(command)}' did not end: {exc}.") from exc


def _demand(command: t.Sequence[str], text: str = "") -> str:
    done = _run(command, text)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise FirewallError(f"'{' '.join(command)}' failed: {said[:500]}")
    return done.stdout


@contextlib.contextmanager
def ufw_lock() -> t.Iterator[None]:
    """Keep UFW's program out, as it keeps a second one of itself out."""
    with open(UFW_LOCK, "w", encoding="utf-8") as stream:
        fcntl.lockf(stream, fcntl.LOCK_EX)
        yield


def live_rules(version: int) -> list[str]:
    """Return all rules of the filter table as iptables lists them; empty when it is missing."""
    try:
        return _demand([_IPTABLES[version], "-w", "-S"]).splitlines()
    except NotSetUpError:
        return []


def restore(text: str, version: int) -> None:
    """Load rules in one transaction, after a dry run; other chains stay. Raises FirewallError."""
    program = f"{_IPTABLES[version]}-restore"
    _demand([program, "--noflush", "--test"], text)
    _demand([program, "--noflush", "-w"], text)


def change_rule(rule: str, version: int, wanted: bool) -> None:
    """Append one rule ('-A chain ...') to its chain, or delete it."""
    words = rule.split()
    there = _run([_IPTABLES[version], "-w", "-C", *words[1:]]).returncode == 0
    if there != wanted:
        _demand([_IPTABLES[version], "-w", "-A" if wanted else "-D", *words[1:]])


def listed_table() -> str:
    """Return our nftables table without the elements of its sets; empty when there is none."""
    try:
        done = _run(["nft", "-t", "list", "table", *TABLE.split()])
    except NotSetUpError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def check_table(text: str) -> None:
    """Have nft check a file's text without loading it. Raises FirewallError."""
    _demand(["nft", "-c", "-f", "-"], text)


def load_table(path: str) -> None:
    """Load a file in one transaction. Raises FirewallError; the old table then still filters."""
    _demand(["nft", "-f", path])


def has_set(name: str) -> bool:
    """Tell whether our nftables table has a set of that name."""
    return _run(["nft", "list", "set", *TABLE.split(), name]).returncode == 0


def load_text(text: str) -> None:
    """Carry out nft commands in one transaction. Raises FirewallError; nothing is changed then."""
    _demand(["nft", "-f", "-"], text)


def enable_ufw() -> None:
    """Switch UFW on, now and at boot."""
    _demand(["ufw", "--force", "enable"])


def forget_ufw_chains(version: int) -> None:
    """Remove UFW's chains and the jumps to them, in one transaction.

    After a flush by hand UFW finds its chains and takes them for hooked in; without them it makes
    everything anew.
    """
    live = live_rules(version)
    chains = [line.split()[1] for line in live if line.startswith("-N ufw")]
    heads, ends = [f":{chain} - [0:0]" for chain in chains], [f"-X {chain}" for chain in chains]
    text = "\n".join(("*filter", *heads, *jumps_to_ufw(live), *ends, "COMMIT", ""))
    _demand([f"{_IPTABLES[version]}-restore", "--noflush", "-w"], text)


def jumps_to_ufw(live: t.Sequence[str]) -> list[str]:
    """Return what deletes every jump from a chain of others to one of UFW's.

    Not the kernel's own chains alone: ufw-docker's block in after.rules leads there from Docker's
    chain DOCKER-USER, and a chain that is led to cannot be removed.
    """
    return [
        f"-D{line[2:]}"
        for line in live
        if line.startswith("-A ") and not line.startswith("-A ufw") and " -j ufw" in line
    ]


def reload_ufw() -> None:
    """Let UFW load everything anew; established connections go on."""
    _demand(["ufw", "reload"])
