# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that passes a question on, against sockets that treat it badly."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils import session_client
from tests.unit.rollout.clients import LIMIT, pass_on, run_client

LONG = b"x" * 3_000_000
"""More than any buffer on the way holds."""

Treatment = Callable[[socket.socket], None]


@pytest.fixture(name="listener")
def fixture_listener() -> Iterator[tuple[str, socket.socket]]:
    """Return a socket that listens, and its path, which has to be short."""
    with (
        tempfile.TemporaryDirectory(prefix="client-") as name,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener,
    ):
        path = str(Path(name) / "s")
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(LIMIT)
        yield path, listener


def treat(listener: socket.socket, treatment: Treatment) -> threading.Thread:
    """Accept one connection in the background and treat it that way."""

    def accept() -> None:
        connection, _address = listener.accept()
        with connection:
            treatment(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    return thread


def echo(connection: socket.socket) -> None:
    """Answer with the question, which ends where the other side says no more."""
    with connection.makefile("rb") as stream:
        connection.sendall(stream.read())


@pytest.mark.parametrize("question", [b"{}", b"\xff\x00\n\r\n", LONG])
def test_what_comes_back_is_what_was_said(
    listener: tuple[str, socket.socket], question: bytes
) -> None:
    thread = treat(listener[1], echo)
    # Its complaints, of which there must be none, are looked at in there.
    assert pass_on(listener[0], question) == question + b"\n"
    thread.join(LIMIT)


def test_nobody_is_there() -> None:
    assert run_client("/nonexistent/socket", b"{}").returncode == session_client.NOBODY


def test_a_dead_socket_is_nobody(listener: tuple[str, socket.socket]) -> None:
    listener[1].close()
    assert run_client(listener[0], b"{}").returncode == session_client.NOBODY


def test_an_answer_may_take_no_longer_than_the_limit(listener: tuple[str, socket.socket]) -> None:
    limit = f"alarm {session_client.SECONDS};"
    assert limit in session_client.PROGRAM
    hurried = session_client.PROGRAM.replace(limit, "alarm 1;")
    command = ["/usr/bin/perl", "-e", hurried, listener[0]]
    done = subprocess.run(command, input=b"{}", check=False, timeout=LIMIT)
    assert done.returncode == session_client.NOBODY


def test_a_session_that_goes_away_in_the_middle_is_nobody(
    listener: tuple[str, socket.socket],
) -> None:
    gone = threading.Event()

    def hang_up(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RD)
        gone.wait(LIMIT)

    thread = treat(listener[1], hang_up)
    done = run_client(listener[0], LONG)
    gone.set()
    thread.join(LIMIT)
    assert (done.returncode, done.stdout) == (session_client.NOBODY, b"")


def test_a_session_that_says_nothing_is_nobody(listener: tuple[str, socket.socket]) -> None:
    def listen_only(connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            stream.read()

    thread = treat(listener[1], listen_only)
    assert pass_on(listener[0], b"{}") is None
    thread.join(LIMIT)
