# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports of which addresses a host reaches, and what to listen with so that one is open."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from tests.hardening.droplets import Host

# Words such as tcp/10.0.0.1/1-65535. A port is open when TCP connects, or UDP answers, while
# others still do so within a second. No way to the address at all is an error, not a closed port.
SCAN = textwrap.dedent("""
    import errno, itertools, select, socket, sys
    def wanted():
        for word in sys.argv[1:]:
            protocol, address, ports = word.split("/")
            first, last = map(int, ports.split("-"))
            for port in range(first, last + 1):
                yield protocol, address, port
    def attempt(protocol, address, port):
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        found = socket.getaddrinfo(address, port, type=kind, flags=socket.AI_NUMERICHOST)[0]
        s = socket.socket(*found[:2])
        s.setblocking(False)
        code = s.connect_ex(found[4])
        if code not in (0, errno.EINPROGRESS, errno.ECONNREFUSED):
            sys.exit(f"{protocol}/{address}/{port}: {errno.errorcode[code]}")
        if kind == socket.SOCK_DGRAM:
            s.send(b"hello")
        return s
    def is_open(s):
        if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return False
        return s.type == socket.SOCK_STREAM or s.recv(100) == b"hello"
    queue = wanted()
    while batch := list(itertools.islice(queue, 8000)):
        tried, poll = {}, select.poll()
        for one in batch:
            s = attempt(*one)
            tried[s.fileno()] = s, one
            poll.register(s, select.POLLOUT if one[0] == "tcp" else select.POLLIN)
        while tried and (ready := poll.poll(1000)):
            for number, events in ready:
                poll.unregister(number)
                s, one = tried.pop(number)
                if is_open(s):
                    print(*one, sep="/")
                s.close()
        for s, one in tried.values():
            s.close()
""")

# Accepts TCP and echoes UDP on one port, IPv4 and IPv6.
SERVER = textwrap.dedent("""
    import select, socket, sys
    port = int(sys.argv[1])
    tcp = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("", port))
    while True:
        for ready in select.select([tcp, udp], [], [])[0]:
            if ready is tcp:
                tcp.accept()[0].close()
            else:
                ready.sendto(*ready.recvfrom(100))
""")


def scan(host: Host, targets: Iterable[str]) -> set[str]:
    """Return those of the targets, such as tcp/10.0.0.1/22-22, that are open to the host."""
    return set(host.inside(f"python3 - {' '.join(targets)} <<'END'\n{SCAN}\nEND").split())


def each(protocol: str, address: str, ports: Iterable[int]) -> set[str]:
    """Name single ports of an address, as the scan prints them."""
    return {f"{protocol}/{address}/{port}" for port in ports}


def words(targets: Iterable[str]) -> list[str]:
    """Turn names of single ports into what the scan reads."""
    return [f"{target}-{target.rpartition('/')[2]}" for target in sorted(targets)]
