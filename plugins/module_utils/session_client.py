# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pass one question from standard input to a session's socket and its answer to standard output.

Runs as a program of its own, with nothing but the standard library, so that it starts at once:
module socket alone would take as long to load as all of Python, so it uses what that is made of.
Ends with code 87 when nobody answers on the socket.
"""

from __future__ import annotations

import _socket
import sys

NOBODY = 87
"""Exit code that says that nobody answers."""

LAST_PHASES = ("settled", "reverted")
"""Phases with which a session ends by itself, since a run asks nothing more after them."""

_SECONDS = 60.0


def ask(path: str, question: bytes) -> bytes | None:
    """Return the answer, or None when nobody is there or nobody answers to the end."""
    parts = []
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(_SECONDS)
        connection.connect(path)
        connection.sendall(question)
        connection.shutdown(_socket.SHUT_WR)
        while part := connection.recv(65536):
            parts.append(part)
    except OSError:
        return None
    finally:
        connection.close()
    return b"".join(parts) or None


def main() -> int:
    """Ask what stands on standard input; the path of the socket is the one argument."""
    answer = ask(sys.argv[1], sys.stdin.buffer.read())
    if answer is None:
        return NOBODY
    sys.stdout.buffer.write(answer + b"\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
