# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry is down, slow, or hangs up in the middle of a pull."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dev import settings
from tests.integration.support.bench import Bench, sha
from tests.integration.support.faults import assert_whole, converges, wait_for

RELAY = """
import socket, sys, threading, time
cut, pause = sys.argv[2] == "cut", float(sys.argv[3])
def copy(source, sink, doomed, answers):
    try:
        while data := source.recv(4096):
            # Docker asks for a blob: the answer will break off after its first piece.
            if not answers and b"/blobs/" in data and b"docker/" in data.lower():
                doomed.set()
            time.sleep(pause if answers else 0)
            sink.sendall(data[:400] if answers and cut and doomed.is_set() else data)
            if answers and cut and doomed.is_set():
                break
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", 5000))
server.listen()
while True:
    client, _address = server.accept()
    registry = socket.create_connection((sys.argv[1], 5000))
    doomed = threading.Event()
    threading.Thread(target=copy, args=(client, registry, doomed, False), daemon=True).start()
    threading.Thread(target=copy, args=(registry, client, doomed, True), daemon=True).start()
"""


@pytest.fixture
def live_a(bench: Bench) -> Iterator[Bench]:
    """The droplet with A live, and neither B nor heavy on it."""
    bench.one(bench.release("A")).ok()
    for name in ("B", "heavy"):
        found = f"$(docker images -q --no-trunc greenlight/api:{sha(name)})"
        bench.sh(f"docker rmi -f {found} 2>/dev/null", check=False)
    bench.sh("cp /etc/hosts /tmp/hosts.kept")
    yield bench
    # In place: the file is a mount of its own.
    bench.sh("cat /tmp/hosts.kept > /etc/hosts; rm /tmp/hosts.kept")


def lead(bench: Bench, address: str) -> None:
    """Let the registry's name lead elsewhere on the droplet."""
    name = settings.REGISTRY_HOST
    bench.sh(f"sed '/{name}/d' /tmp/hosts.kept > /tmp/hosts.new; cat /tmp/hosts.new > /etc/hosts")
    bench.sh(f"echo '{address} {name}' >> /etc/hosts; rm /tmp/hosts.new")
    # dockerd, a Go program, reads the file again when what it knows of it is five seconds old.
    time.sleep(5.5)


@contextmanager
def relay(bench: Bench, mode: str, pause: float) -> Iterator[None]:
    """A relay in front of the registry: mode `cut` breaks blobs off; `pause` seconds a piece."""
    bench.machine.write("/tmp/relay.py", RELAY)
    address = settings.REGISTRY_ADDRESS
    bench.sh(
        f"systemd-run --quiet --unit=test-relay python3 /tmp/relay.py {address} {mode} {pause}"
    )
    try:
        wait_for(bench, "ss -ltn | grep -q 127.0.0.1:5000")
        lead(bench, "127.0.0.1")
        yield
    finally:
        bench.sh("systemctl stop test-relay; rm -f /tmp/relay.py")


def test_a_registry_that_is_down_is_named_and_nothing_is_touched(live_a: Bench) -> None:
    lead(live_a, "127.0.0.1")
    result = live_a.refused(live_a.release("B"), settings.REGISTRY_HOST)
    assert "refused" in result.msg.lower()
    # What the host has kept needs no registry.
    lead(live_a, settings.REGISTRY_ADDRESS)
    live_a.one(live_a.release("B")).ok()
    lead(live_a, "127.0.0.1")
    assert live_a.one(live_a.rollback()).ok()["live"]["sha"] == sha("A")
    assert_whole(live_a, "A")


def test_a_registry_that_hangs_up_during_the_pull_leaves_the_old_release(live_a: Bench) -> None:
    with relay(live_a, "cut", 0.0):
        result = live_a.one(live_a.release("heavy"))
        assert "failed at step 'pull'" in result.msg
        assert live_a.serving() == sha("A")
    lead(live_a, settings.REGISTRY_ADDRESS)
    converges(live_a, "heavy")


def test_a_slow_registry_is_waited_for(live_a: Bench) -> None:
    with relay(live_a, "slow", 0.002):
        assert live_a.one(live_a.release("heavy")).ok()["live"]["sha"] == sha("heavy")
    assert_whole(live_a, "heavy")
