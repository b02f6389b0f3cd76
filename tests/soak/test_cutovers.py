# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hundred cutovers in a row under load: none fails, latency stays, nothing grows.

GREENLIGHT_SOAK_MOVES sets how many releases and rollbacks are made; each moves both droplets.
"""

from __future__ import annotations

import os
import time

import pytest

from dev.sample_versions import VERSIONS
from tests.e2e.conftest import Figure
from tests.e2e.hosts import HOSTS, MAP, on, proxy_trouble, serving
from tests.e2e.playbooks import Outcome, rollback, update
from tests.e2e.traffic import Traffic
from tests.load.record import percentile
from tests.soak.resources import PROGRAMS, Use, read

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
MOVES = int(os.environ.get("GREENLIGHT_SOAK_MOVES", "100"))
LEAST_REQUESTS = 500 * MOVES * len(HOSTS)
NEAR_SECONDS = 2.0
MOST_RATIO = 1.5
LETTERS = ("A", "B", "C", "D")
GROWTH_KIB = 24 * 1024
GROWTH_DESCRIPTORS = 24


def move(number: int) -> tuple[str, Outcome]:
    """Make a move: two updates, a rollback to the first of them, and one by name to the second."""
    first, second = (VERSIONS[LETTERS[(number // 4 * 2 + at) % 4]].sha for at in (0, 1))
    kind = number % 4
    if kind < 2:
        sha = (first, second)[kind]
        return sha, update(sha)
    sha = first if kind == 2 else second
    return sha, rollback(*(["-e", f"sha={sha}"] if kind == 3 else []))


def moved_at(host: str) -> float:
    """When the pointer of a droplet moved last, in seconds since the epoch: all share a clock."""
    return float(on(host, f"stat --format %.Y {MAP}"))


def near_and_far(
    samples: list[tuple[float, float]], cutovers: list[float]
) -> tuple[list[float], list[float]]:
    """Latencies of requests planned within two seconds of a cutover, and of all others, sorted."""
    seconds = {
        round(at + offset / 10, 1)
        for at in (round(cutover, 1) for cutover in cutovers)
        for offset in range(int(-NEAR_SECONDS * 10), int(NEAR_SECONDS * 10) + 1)
    }
    near: list[float] = []
    far: list[float] = []
    for planned, milliseconds in samples:
        (near if round(planned, 1) in seconds else far).append(milliseconds)
    return sorted(near), sorted(far)


def expect_flat(host: str, uses: list[dict[str, Use]], figure: Figure) -> None:
    """Print what each program used along the way; the second half must not grow."""
    middle, last = uses[len(uses) // 2], uses[-1]
    for name in PROGRAMS:
        figure(f"  {host} {name:<11} {', '.join(str(use[name]) for use in uses)}")
        assert last[name].kib <= middle[name].kib + GROWTH_KIB, name
        assert last[name].descriptors <= middle[name].descriptors + GROWTH_DESCRIPTORS, name


def test_cutovers_in_a_row_under_load(figure: Figure) -> None:
    cutovers: list[float] = []
    uses: dict[str, list[dict[str, Use]]] = {host: [read(host)] for host in HOSTS}
    trouble = proxy_trouble()
    with Traffic(seconds=3600.0) as traffic:
        time.sleep(5.0)
        for number in range(MOVES):
            sha, outcome = move(number)
            outcome.ok()
            assert set(serving().values()) == {sha}
            cutovers += [moved_at(host) for host in HOSTS]
            if (number + 1) % max(MOVES // 4, 1) == 0:
                for host in HOSTS:
                    uses[host].append(read(host))
                counts = traffic.progress()
                print(f"{number + 1} of {MOVES} moves, {counts['ok']} requests ok", flush=True)
        result = traffic.stop()
        samples, began = traffic.short_samples(), result.short["began_at"]
    result.clean()
    near, far = near_and_far(samples, [at - began for at in cutovers])
    p99 = {name: percentile(values, 0.99) for name, values in (("near", near), ("far", far))}
    figure(
        f"{len(cutovers)} cutovers under load: {result.requests:,} requests, {result.failed} failed"
    )
    since = {name: count - trouble[name] for name, count in proxy_trouble().items()}
    figure(f"  repeated or broken between proxy and application, as HAProxy counts: {since}")
    figure(
        f"  p99 within 2 s of a cutover {p99['near']:.1f} ms of {len(near):,} requests, steady"
        f" {p99['far']:.1f} ms of {len(far):,}: ratio {p99['near'] / p99['far']:.2f}"
    )
    for host in HOSTS:
        expect_flat(host, uses[host], figure)
    assert len(cutovers) == MOVES * len(HOSTS)
    assert result.requests >= LEAST_REQUESTS
    assert p99["near"] <= MOST_RATIO * p99["far"]
