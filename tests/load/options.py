# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to send, how often and where; refuses targets that are not this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["keepalive", "connection", "slow", "stream", "websocket"]
KINDS: tuple[Kind, ...] = ("keepalive", "connection", "slow", "stream", "websocket")
LOCAL = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1"}
MAX_SECONDS = 3600.0
MAX_RATE = 2000.0


def local_target(url: str) -> tuple[str, int]:
    """Address and port of an http URL on this machine; ValueError for any other."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.path not in {"", "/"} or parts.query or parts.username:
        raise ValueError(f"expected http://127.0.0.1:PORT, got {url}")
    if parts.hostname not in LOCAL:
        raise ValueError(f"load only goes to this machine, not to {parts.hostname}")
    return LOCAL[parts.hostname], parts.port or 80


@dataclass(frozen=True)
class LoadOptions:
    """A load: `seconds` long, rates in requests per second, timeouts in seconds."""

    url: str
    seconds: float = 60.0
    keepalive_rate: float = 200.0
    connection_rate: float = 200.0
    slow_rate: float = 2.0
    stream_rate: float = 0.5
    websocket_rate: float = 0.0
    slow_ms: int = 800
    stream_seconds: float = 5.0
    websocket_seconds: float = 5.0
    timeout: float = 10.0
    connections: int = 32
    max_in_flight: int = 2000

    def __post_init__(self) -> None:
        """Check the target and the bounds."""
        local_target(self.url)
        if not 0 < self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds: more than 0, at most {MAX_SECONDS:.0f}")
        if any(not 0 <= self.rate(kind) <= MAX_RATE for kind in KINDS):
            raise ValueError(f"rates: 0 to {MAX_RATE:.0f} a second")

    def rate(self, kind: Kind) -> float:
        """Requests per second of one kind."""
        return float(getattr(self, f"{kind}_rate"))

    def limit(self, kind: Kind) -> float:
        """Seconds that a request of this kind may take."""
        planned = {
            "slow": self.slow_ms / 1000,
            "stream": self.stream_seconds,
            # Opening it and each echo have the timeout to themselves: the reason that a late echo
            # is counted under must come before the end of the whole.
            "websocket": self.websocket_seconds + self.timeout,
        }
        return self.timeout + planned.get(kind, 0.0)
