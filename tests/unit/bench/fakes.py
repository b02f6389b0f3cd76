# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bench droplet that runs nothing."""

from __future__ import annotations

from typing import cast

from dev.droplets import Connection
from tests.bench.droplet import BenchDroplet

LINK = Connection("bench", "127.0.0.1", 2399, "root", "/k", "/pins", "10.77.0.140")


class FakeDroplet:
    """Keeps what a rival runs on it; answers `replies` through the back door."""

    name = "fake"
    connection = LINK

    def __init__(self, *replies: str) -> None:
        self.scripts: list[str] = []
        self.replies = list(replies)

    def run(self, command: str, script: str | None = None) -> str:
        """Keep the script, or the command that has none."""
        self.scripts.append(script or command)
        return ""

    def inside(self, _command: str) -> str:
        """Give the next reply; the last one again and again."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def fake(*replies: str) -> tuple[FakeDroplet, BenchDroplet]:
    """The stand-in, once as itself and once as what rivals take it for."""
    droplet = FakeDroplet(*replies)
    return droplet, cast("BenchDroplet", droplet)
