# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the phases of a run may take at most, and how long a host waits for the next one. Pure.

All times are in seconds. A host that waits longer than its lease takes the run back, so a lease is
reckoned from what the other hosts may take until this one is asked again.
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

CALL: t.Final = 20.0
"""What one call may take besides its work: the connection, Python's start, Docker's answers."""

UP: t.Final = 10.0
"""For how long HAProxy's own check of a slot is waited for before a cutover."""

BALANCER_ANSWER: t.Final = 5.0
"""What one answer through the load balancer may take."""

BACK: t.Final = 30.0
"""What a host may take to go back once it has begun to."""


@dataclass(frozen=True)
class Limits:
    """What a run may take: the phases on all hosts, the leases after each, and the bound of all.

    `bound` is the longest time after which all hosts serve one release, however the run is cut off.
    """

    stage: float
    cut_over: float
    verify: float
    prove: float
    settle: float
    after_plan: float
    after_stage: float
    after_cutover: float
    after_proof: float
    after_commit: float
    bound: float


def reckon(options: t.Mapping[str, t.Any], hosts: int, forks: int, batch: int) -> Limits:
    """Return the limits of a run over `hosts`, of which Ansible serves `forks` at a time.

    `options` are those of the release, with health, watch and canary complete.
    """

    def waves(count: int) -> int:
        return math.ceil(count / max(forks, 1))

    health, watch, canary = options["health"], options["watch"], options["canary"]
    share = canary["seconds"] if canary["percent"] else 0.0
    one_cutover = CALL + UP + health["timeout"] + share + watch["seconds"]
    full, rest = divmod(hosts, batch)
    turns = full * waves(batch) + (waves(rest) if rest else 0)
    stage = waves(hosts) * (CALL + options["pull_seconds"] + health["deadline"])
    cut_over = turns * one_cutover
    verify = (
        CALL + options["balancer_attempts"] * (options["balancer_delay"] + BALANCER_ANSWER)
        if options["balancer_url"]
        else 0.0
    )
    prove = waves(hosts) * (CALL + UP)
    commit = waves(hosts) * CALL
    put_away = options["drain_seconds"] + options["stop_timeout"]
    settle = waves(hosts) * (CALL + put_away)
    leases = {
        "after_plan": waves(hosts) * CALL + CALL,
        "after_stage": stage + cut_over,
        "after_cutover": cut_over + verify + prove,
        "after_proof": prove + commit,
        "after_commit": commit + settle,
    }
    bound = max(leases.values()) + BACK + put_away
    return Limits(stage, cut_over, verify, prove, settle, **leases, bound=bound)
