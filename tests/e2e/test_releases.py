# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No request is lost over 20 releases and rollbacks in a row, and the measure can fail."""

from __future__ import annotations

import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from dev.sample_versions import VERSIONS
from tests.e2e.conftest import Figure
from tests.e2e.hosts import HOSTS, on, proxy_trouble, serving
from tests.e2e.playbooks import CUT_OVER, Outcome, rollback, update
from tests.e2e.traffic import URL, Traffic

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
LETTERS = ("A", "B", "C", "D")
MOVES = 20


def answering() -> str:
    """The SHA that every one of a few requests through the load balancer is answered by."""
    found = set()
    for _request in range(4):
        with urllib.request.urlopen(f"{URL}/v1/version", timeout=5) as reply:
            found.add(json.load(reply)["sha"])
    (sha,) = found
    return str(sha)


class Marker:
    """Names the load's phases: `cutover` while pointers move, `release` for the rest of a run."""

    def __init__(self, traffic: Traffic) -> None:
        """Nothing is named yet."""
        self._traffic = traffic
        self._now = ""

    def __call__(self, line: str) -> None:
        """Look at a line of a playbook's output."""
        if line.startswith(("PLAY [", "TASK [")):
            self.phase("cutover" if f" : {CUT_OVER}" in line else "release")

    def phase(self, name: str) -> None:
        """Open a phase unless it is open already."""
        if name != self._now:
            self._now = name
            self._traffic.phase(name)


def moves() -> list[tuple[str, str]]:
    """The kind of each move and the letter that is live after it, in cycles of four.

    Two updates, a rollback without a name to the first of them, and one by name to the second.
    """
    planned = []
    for cycle in range(MOVES // 4):
        first, second = LETTERS[2 * cycle % 4], LETTERS[(2 * cycle + 1) % 4]
        planned += [
            ("update", first), ("update", second), ("previous", first), ("named", second),
        ]  # fmt: skip
    return planned


def move(kind: str, sha: str, marker: Marker) -> Outcome:
    """Make one release or rollback."""
    if kind == "update":
        return update(sha, on_line=marker)
    if kind == "previous":
        return rollback(on_line=marker)
    return rollback("-e", f"sha={sha}", on_line=marker)


def test_no_request_fails_over_20_releases_and_rollbacks(traffic: Traffic, figure: Figure) -> None:
    marker, seconds = Marker(traffic), []
    trouble = proxy_trouble()
    marker.phase("steady")
    time.sleep(5.0)
    for kind, letter in moves():
        sha = VERSIONS[letter].sha
        outcome = move(kind, sha, marker).ok()
        marker.phase("steady")
        seconds.append(outcome.seconds)
        assert outcome.changed() > 0, f"{kind} {letter} moved nothing"
        assert answering() == sha, f"{kind} {letter}"
        time.sleep(1.0)
    result = traffic.stop().clean()
    assert {VERSIONS[letter].sha for letter in LETTERS} <= set(result.short["versions"])
    figure(
        f"{len(seconds)} releases and rollbacks under load: {result.requests:,} requests,"
        f" {result.failed} failed; one took {min(seconds):.1f} to {max(seconds):.1f} s"
    )
    since = {name: count - trouble[name] for name, count in proxy_trouble().items()}
    figure(f"  repeated or broken between proxy and application, as HAProxy counts: {since}")
    for phase in ("steady", "release", "cutover"):
        figure(f"  latency, {phase + ':':<9} {result.percentiles(phase)}")


def stop_first(host: str) -> None:
    """What an SSH script does on a host: stop the old container, then start one.

    It starts it 12 s later, as after a pull: HAProxy bridges the first seconds by asking again.
    """
    name = on(host, "docker ps -q --filter label=greenlight.app=api").strip()
    on(host, f"docker stop --time 5 {name} && sleep 12 && docker start {name}")


def test_the_load_sees_a_release_that_stops_first(
    aligned: str, traffic: Traffic, figure: Figure
) -> None:
    with ThreadPoolExecutor(len(HOSTS)) as pool:
        list(pool.map(stop_first, HOSTS))
    time.sleep(2.0)
    result = traffic.stop()
    figure(f"stop first, then start, on both droplets: {result.failed} failed: {result.reasons}")
    assert result.failed > 100
    assert set(serving().values()) == {aligned}
