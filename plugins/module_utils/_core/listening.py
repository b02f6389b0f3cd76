# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens where, as Linux tells in /proc (proc_pid_net(5)); nothing is changed."""

from __future__ import annotations

import contextlib
import os
import typing as t

from . import files

_DOCKER_DNS = "0B00007F"
"""127.0.0.11 as /proc/net/tcp writes it: Docker's own resolver inside a container."""

_LOOPBACK = "00000000000000000000000001000000"
_MAPPED = "0000000000000000FFFF0000"
"""What an IPv4 address begins with in the table of IPv6 (RFC 4291, section 2.5.5.2)."""


def _is_loopback(address: str) -> bool:
    """Tell whether an address of /proc/net/tcp or tcp6 is one of 127.0.0.0/8, or ::1."""
    fourth = address.removeprefix(_MAPPED)
    return address == _LOOPBACK or (len(fourth) == 8 and fourth.endswith("7F"))


def _listening(process: int | str) -> t.Iterator[tuple[str, int, str]]:
    """Give (address, port, inode) of each LISTEN (0A) socket that a process can see in /proc."""
    for name in ("tcp", "tcp6"):
        table = files.read_text(f"/proc/{process}/net/{name}") or ""
        for line in table.splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == "0A":
                address, port = fields[1].rsplit(":", 1)
                if address != _DOCKER_DNS:
                    yield address, int(port, 16), fields[9]


def listening_ports(pid: int) -> dict[int, bool]:
    """Return the TCP ports on which anything listens in that process's network namespace.

    The value is True when the port can be reached from outside, False for loopback alone.
    """
    ports: dict[int, bool] = {}
    for address, port, _inode in _listening(pid):
        ports[port] = ports.get(port, False) or not _is_loopback(address)
    return dict(sorted(ports.items()))


def listens_by_ipv6(pid: int, port: int) -> bool:
    """Tell whether all that listens on the port in that network namespace has an IPv6 address.

    Linux does not tell here whether such a socket takes connections by IPv4 as well.
    """
    found = [address for address, other, _inode in _listening(pid) if other == port]
    return bool(found) and all(len(a) == 32 and not a.startswith(_MAPPED) for a in found)


def port_owners(port: int) -> list[str]:
    """Return the sorted command names of the processes of this host that listen on the port."""
    inodes = {inode for _address, found, inode in _listening("self") if found == port}
    owners: set[str] = set()
    if inodes:
        wanted = {f"socket:[{inode}]" for inode in inodes}
        for name in os.listdir("/proc"):
            if name.isdigit() and wanted & _open_sockets(name):
                owners.add((files.read_text(f"/proc/{name}/comm") or "?").strip())
    return sorted(owners) if owners or not inodes else ["an unknown process"]


def _open_sockets(pid: str) -> set[str]:
    """Return what the process's file descriptors point to; empty when it has just ended."""
    links: set[str] = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            links.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    return links
