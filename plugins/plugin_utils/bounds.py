# Copyright (c) 2026, Greenlight contributors
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
"""What one answer through the load balancer may take, unless the health check gives it more."""

BACK: t.Final = 40.0
"""What HAProxy and Docker may take to come back when a host goes back."""

SILENCE: t.Final = 30.0
"""What a pull may be silent at its end, and what the start of a container may take."""

REGISTRY: t.Final = 60.0
"""What all questions to the registry may take, waits for it among them."""

AWAY: t.Final = 60.0
"""For how long a host may be out of reach when the release is made final."""


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
    waves = _waves(hosts, forks)
    full, rest = divmod(hosts, batch)
    turns = full * _waves(batch, forks) + _waves(rest, forks)
    put_away = options["drain_seconds"] + options["stop_timeout"]
    one_stage, one_cutover = _one_stage(options, put_away), _one_cutover(options)
    one_proof = float(CALL + 2 * UP + 2 * options["health"]["timeout"])
    stage, cut_over, prove = waves * one_stage, turns * one_cutover, waves * one_proof
    verify, commit, settle = _verify(options), waves * CALL, waves * (CALL + put_away)
    leases = {
        "after_plan": 2 * waves * (CALL + REGISTRY) + CALL,
        "after_stage": stage + cut_over,
        "after_cutover": cut_over + verify + prove,
        # A host that was cut off is told once more when the slowest of the others has settled.
        "after_proof": prove + commit + settle + AWAY,
        "after_commit": commit + settle,
    }
    # A phase that is at work when the controller dies comes to its end, and renews the lease.
    ends = (
        one_stage + leases["after_stage"],
        one_cutover + leases["after_cutover"],
        one_proof + leases["after_proof"],
        CALL + put_away + leases["after_commit"],
    )
    bound = max(ends) + BACK + options["health"]["deadline"] + put_away
    return Limits(stage, cut_over, verify, prove, settle, **leases, bound=bound)


def _waves(count: int, forks: int) -> int:
    return math.ceil(count / max(forks, 1))


def _one_stage(options: t.Mapping[str, t.Any], put_away: float) -> float:
    health = options["health"]
    pull = options["pull_seconds"] + SILENCE
    # What an earlier run has left half way is put away first, and a warm standby too.
    before = options["lock_wait"] + 2 * put_away + BACK
    return float(CALL + before + pull + health["deadline"] + health["timeout"])


def _one_cutover(options: t.Mapping[str, t.Any]) -> float:
    canary, health = options["canary"], options["health"]
    share = canary["seconds"] if canary["percent"] else 0.0
    # A last check before it, HAProxy's own, and looks of a canary or a watch may each end one
    # answer later than their time.
    watches = 2 if canary["percent"] else 1
    late = (watches * options["watch"]["failed_checks"] + 2) * health["timeout"]
    return float(CALL + 2 * UP + share + options["watch"]["seconds"] + late)


def _verify(options: t.Mapping[str, t.Any]) -> float:
    if not options["balancer_url"]:
        return 0.0
    answer = max(BALANCER_ANSWER, options["health"]["timeout"])
    each = options["balancer_delay"] + 2 * answer
    return float(CALL + options["balancer_attempts"] * each)
