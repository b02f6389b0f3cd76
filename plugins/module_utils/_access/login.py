# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How we came in: as whom, from which address, by which port. From it follows what locks us out.

sshd says it in the environment of the session, whichever client was used and over however many
hosts it came. sudo takes it away, so the processes above ours are asked as well.
"""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t
from dataclasses import dataclass

from .._core import files
from .._core.errors import SpecError

VARIABLE: t.Final = "SSH_CONNECTION"
"""Client's address and port, then the host's, as sshd sets them for each session."""

MOST_PARENTS: t.Final = 64
"""So many processes above ours are asked; a chain is a dozen long."""

BESIDE_THE_NETWORK: t.Final = (
    *("local", "chroot", "jail", "zone", "funcd", "saltstack"),
    *("docker", "docker_api", "nsenter", "podman", "buildah", "kubectl", "oc"),
    *("lxc", "lxd", "incus", "qubes", "machinectl", "proxmox_pct_remote"),
)
"""Connections that need no way in over the network, by the last part of their names."""


@dataclass(frozen=True)
class Login:
    """How we came in. `address` and `session` are empty and `port` 0 when not by SSH.

    `session` is another one for each connection.
    """

    user: str
    address: str
    port: int
    session: str = ""


def find(connection: str, proc: str = "/proc") -> Login:
    """Return how this process came in by the connection that Ansible names.

    Raises SpecError when that is not known, for then nobody can say what would lock us out.
    """
    beside = connection.rpartition(".")[2] in BESIDE_THE_NETWORK
    told = [(pid, _environment(pid, proc).get(VARIABLE, "")) for pid in _line(os.getpid(), proc)]
    told = [(pid, said) for pid, said in told if said]
    if told:
        said = told[0][1]
        # sudo has it too and is root's own; the uppermost process of the session is the user's.
        user = _user([pid for pid, also in told if also == said][-1], proc)
        address, port = parse(said)
        # Who is on the host already has one session for all connections.
        return Login(user, address, port, "" if beside else said)
    if beside:
        return Login("", "", 0)
    raise SpecError(
        f"ansible_connection is {connection!r}, and no session of this host says {VARIABLE}: it is"
        " not known from which address and by which port we come in, so it cannot be ruled out that"
        " set-up would lock us out. Use ansible_connection: ssh, with a login whose environment is"
        " not emptied, or run Ansible on the host itself with ansible_connection: local. Nothing"
        " was changed."
    )


def parse(said: str) -> tuple[str, int]:
    """Return the client's address and the host's port. Raises SpecError for what is neither."""
    words = said.split()
    if len(words) != 4 or not words[3].isdigit():
        raise SpecError(
            f"{VARIABLE} of our session is {said!r}; it has to be two addresses, each with a port."
            " Nothing was changed."
        )
    try:
        address = ipaddress.ip_address(words[0].partition("%")[0])
    except ValueError as exc:
        raise SpecError(
            f"{VARIABLE} of our session begins with {words[0]!r}, which is no address. Nothing was"
            " changed."
        ) from exc
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(words[3])


def _line(pid: int, proc: str) -> t.Iterator[int]:
    """Give our process and those above it, up to the first of the host."""
    for _step in range(MOST_PARENTS):
        yield pid
        found = re.search(r"^PPid:\s*(\d+)$", files.read_text(f"{proc}/{pid}/status") or "", re.M)
        pid = int(found[1]) if found else 0
        if pid <= 1:
            return


def _environment(pid: int, proc: str) -> dict[str, str]:
    """Return what the process was started with; empty when it is another user's, or has ended."""
    if pid == os.getpid() and proc == "/proc":
        return dict(os.environ)
    try:
        with open(f"{proc}/{pid}/environ", "rb") as stream:
            text = stream.read().decode("utf-8", "replace")
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return {}
    return dict(part.partition("=")[::2] for part in text.split("\0") if "=" in part)


def _user(pid: int, proc: str) -> str:
    """Return who the session belongs to: the real user of the process that has the variable."""
    found = re.search(r"^Uid:\s*(\d+)", files.read_text(f"{proc}/{pid}/status") or "", re.M)
    return files.user_name(int(found[1]) if found else os.getuid())
