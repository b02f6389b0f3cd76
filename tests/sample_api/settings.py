# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment tells the sample API to be."""

from __future__ import annotations

from dataclasses import dataclass

BEHAVIOURS = frozenset(
    {
        *("never-healthy", "unhealthy-json", "redirect-health", "hang-health"),
        *("crash-on-start", "crash-after", "crash-after-traffic", "errors"),
        *("ignore-sigterm", "wrong-port", "slow-start", "hang-requests", "eat-memory"),
    }
)


@dataclass(frozen=True)
class Settings:
    """What the environment asks for; all times in seconds."""

    sha: str
    port: int
    behaviours: frozenset[str]
    start_seconds: float
    crash_seconds: float
    error_percent: int
    greeting: str

    @classmethod
    def read(cls, environment: dict[str, str]) -> Settings:
        """Read the environment; an unknown behaviour is an error, not a silent good version."""
        wanted = environment.get("SAMPLE_BEHAVIOUR", "")
        behaviours = frozenset(part.strip() for part in wanted.split(",") if part.strip())
        if unknown := behaviours - BEHAVIOURS:
            raise ValueError(f"unknown SAMPLE_BEHAVIOUR: {', '.join(sorted(unknown))}")
        start = "20" if "slow-start" in behaviours else "0"
        return cls(
            sha=environment.get("SAMPLE_SHA", "unknown"),
            port=int(environment.get("PORT", "3002")) + (1000 if "wrong-port" in behaviours else 0),
            behaviours=behaviours,
            start_seconds=float(environment.get("SAMPLE_START_SECONDS", start)),
            crash_seconds=float(environment.get("SAMPLE_CRASH_SECONDS", "3")),
            error_percent=int(environment.get("SAMPLE_ERROR_PERCENT", "50")),
            greeting=environment.get("GREETING", "hello"),
        )
