# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller ends in the middle of a release; the hosts end on one release by themselves.

GREENLIGHT_KILLS says at how many moments each signal is sent, one unless given.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
import zlib
from typing import Any

import pytest

from dev.sample_versions import VERSIONS
from tests.e2e.conftest import Figure
from tests.e2e.controller import Controller
from tests.e2e.hosts import HOSTS, fleet, inside, serving, wait_for_rest
from tests.e2e.playbooks import extra, play, update
from tests.e2e.traffic import Traffic

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
NEW, OTHER = VERSIONS["C"].sha, VERSIONS["D"].sha
LEASE = "/var/lib/greenlight/api/lease.json"
KILLS = int(os.environ.get("GREENLIGHT_KILLS", "1"))
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# Nothing may take long, so the bound is short; the hosts reckon it from these.
HEALTH = {"path": "/v1/health", "expect": "status == 'healthy'", "timeout": 1, "deadline": 5}
SHORT: dict[str, Any] = {
    "app_pull_seconds": 5,
    "app_health": HEALTH,
    "app_watch": {"seconds": 1},
    "app_drain_seconds": 2,
    "app_stop_timeout": 2,
    "app_balancer_url": "",
}
# Long enough for a kill to hit a certain phase.
GATE = {**HEALTH, "interval": 0.3, "successes": 12, "deadline": 30}
LONG = {**SHORT, "app_health": GATE, "app_watch": {"seconds": 4}}
NEXT: dict[str, Any] = {"app_lock_wait": 30.0, "app_health": {"path": "/v1/health"}}
MOMENTS = {
    "staging": " : Stage ",
    "between the cutovers": f" : Cut over to {NEW[:7]} on api-2",
    "before it settles": " : Look once more at ",
}


def shares(how: signal.Signals) -> list[float]:
    """When to end a release, as shares of its length: spread over all of it, the same each time."""
    drawn = [zlib.crc32(f"{how.name} {number}".encode()) / 2**32 for number in range(KILLS)]
    return [(number + part) / KILLS for number, part in enumerate(drawn)]


def bound(text: str) -> float:
    """The seconds within which a release says that all hosts serve one release, come what may."""
    found = re.search(r"one release within (\d+) s", text)
    # It had not begun on any host.
    return float(found[1]) if found else 5.0


@pytest.mark.parametrize("how", SIGNALS, ids=lambda how: how.name)
def test_hosts_whose_controller_has_ended_come_to_one_release_within_the_bound(
    how: signal.Signals, aligned: str, figure: Figure
) -> None:
    length = update(NEW, *extra(SHORT)).ok().seconds
    waits, requests = [], 0
    for number, share in enumerate(shares(how)):
        (live,) = set(serving().values())
        goal = aligned if live == NEW else NEW
        batch = {"app_cutover_batch": 2 - number % 2}
        # A load of its own for each: together they may take longer than one load lasts.
        with Traffic() as traffic:
            with Controller("update-api", *extra(SHORT, batch), "-e", f"sha={goal}") as controller:
                time.sleep(share * length)
                controller.kill(how)
            seconds = bound(controller.text)
            waits.append(wait_for_rest(seconds))
            requests += traffic.stop().clean().requests
        (came,) = set(serving().values())
        assert came in (live, goal)
        what = "released" if came == goal else "taken back"
        figure(
            f"{how.name} at {share * length:.1f} of {length:.1f} s: {what},"
            f" at rest after {waits[-1]:.0f} s, bound {seconds:.0f} s"
        )
    figure(f"{how.name} of {len(waits)} controllers: {requests:,} requests, 0 failed")


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_run_on_the_same_machine_begins_at_once(
    aligned: str, traffic: Traffic, moment: str
) -> None:
    with Controller("update-api", *extra(LONG), "-e", f"sha={NEW}") as controller:
        controller.wait_for(MOMENTS[moment])
        time.sleep(0.3)
        controller.kill()
    assert {view.sha for view in fleet().values()} <= {aligned, NEW}
    update(OTHER, *extra(NEXT)).ok()
    assert set(serving().values()) == {OTHER}
    assert all(len(view.containers) <= 2 for view in fleet().values())
    traffic.stop().clean()


def test_a_run_from_another_machine_is_told_when_it_may_begin(
    aligned: str, traffic: Traffic
) -> None:
    with Controller("update-api", *extra(LONG), "-e", f"sha={NEW}") as controller:
        controller.wait_for(MOMENTS["between the cutovers"])
        controller.kill()
    for host in HOSTS:
        led_from_elsewhere(host)
    status = play("status-api").ok().text
    assert "reserved by root@" in status
    refused = update(OTHER, *extra(NEXT))
    refused.refused("A release is under way", f"release of {NEW[:7]}", "until 20")
    assert re.search(r"until \S+Z, which is in \d+ s", refused.text), refused.text
    assert "No host was touched" in refused.text
    why = {"app_break_lease": "the job was cancelled"}
    update(OTHER, *extra(NEXT, why)).ok()
    assert set(serving().values()) == {OTHER} != {aligned}
    traffic.stop().clean()
    lines = play("status-api", "-e", "format=jsonl").ok().text
    assert '"event": "lease-broken"' in lines
    assert "the job was cancelled" in lines


def led_from_elsewhere(host: str) -> None:
    """Let the lease on a host name a controller of another machine, once no phase is at work."""
    end = time.monotonic() + 30.0
    while (lease := json.loads(inside(host, f"cat {LEASE}")))["working"]:
        assert time.monotonic() < end, lease
        time.sleep(0.3)
    lease["controller"] = "another-boot:1:1"
    text = json.dumps(lease)
    inside(host, f"cat > {LEASE} <<'EOF'\n{text}\nEOF")
