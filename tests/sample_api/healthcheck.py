# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's HEALTHCHECK: a file of its own, since it runs often and needs next to nothing."""

from __future__ import annotations

import os
import socket
import sys


def check() -> int:
    """0 when /v1/health answers 200."""
    port = int(os.environ.get("PORT", "3002"))
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
            link.sendall(b"GET /v1/health HTTP/1.0\r\n\r\n")
            return 0 if link.recv(64).startswith(b"HTTP/1.1 200 ") else 1
    except OSError as exc:
        print(f"health check: {exc}")
        return 1


if __name__ == "__main__":
    sys.exit(check())
