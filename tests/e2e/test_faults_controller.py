# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is killed, loses a host, meets another one, or is held back."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from dev.docker_cli import docker
from dev.sample_versions import VERSIONS
from dev.settings import container
from tests.e2e.conftest import AFTER, Figure
from tests.e2e.controller import Controller
from tests.e2e.hosts import HOSTS, fleet, look, serving
from tests.e2e.playbooks import environment, extra, play, rollback, update
from tests.e2e.traffic import Traffic

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
NEW, OTHER = VERSIONS["C"].sha, VERSIONS["D"].sha
# Long enough for a kill to hit, and a lease that the test can wait for.
GATE = {"path": "/v1/health", "interval": 0.3, "successes": 12, "deadline": 30}
LONG: dict[str, Any] = {"app_health": GATE, "app_watch": {"seconds": 4}, "app_lease_seconds": 30}
NEXT: dict[str, Any] = {"app_lock_wait": 30.0, "app_health": {"path": "/v1/health"}}
MOMENTS = {
    "staging": "Phase staged of the release",
    "between the cutovers": "Phase live of the release on api-2",
    "before it settles": "hosts seen on their expected slot",
}


def releasing(sha: str, *values: dict[str, Any]) -> Controller:
    """A release that takes its time."""
    return Controller("update-api", *extra(LONG, *values), "-e", f"sha={sha}")


def kill_host_side(host: str) -> None:
    """SIGKILL for the process of ours that stays on a host between the phases."""
    docker("exec", container(host), "pkill", "-KILL", "-f", "module_utils import session")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_controller_leaves_a_fleet_that_serves_and_comes_together(
    aligned: str, traffic: Traffic, moment: str
) -> None:
    with releasing(NEW) as controller:
        controller.wait_for(MOMENTS[moment])
        time.sleep(0.3)
        controller.kill()
    assert {view.sha for view in fleet().values()} <= {aligned, NEW}
    # The last phase may have ended on the hosts although nobody waits for it any more.
    if moment != "before it settles":
        status = play("status-api").ok().text
        assert "reserved by root@" in status
        assert "unfinished" in status
        refused = update(OTHER, *extra(NEXT))
        refused.refused("A fleet release is under way", f"release of {NEW[:7]}", "until 20")
    why = {"app_break_lease": "the job was cancelled"}
    update(OTHER, *extra(NEXT, why)).ok()
    assert set(serving().values()) == {OTHER}
    assert all(len(view.containers) <= 2 for view in fleet().values())
    traffic.stop().clean()
    lines = play("status-api", "-e", "format=jsonl").ok().text
    if moment != "before it settles":
        assert '"event": "lease-broken"' in lines
        assert "the job was cancelled" in lines


@pytest.mark.usefixtures("aligned")
def test_the_reservation_of_a_killed_controller_ends_by_itself(figure: Figure) -> None:
    with releasing(NEW) as controller:
        controller.wait_for(MOMENTS["between the cutovers"])
        controller.kill()
    began = time.monotonic()
    while (outcome := update(NEW, *extra(NEXT))).code != 0:
        outcome.refused("A fleet release is under way")
        assert time.monotonic() - began < 60.0
        time.sleep(2.0)
    figure(f"released {time.monotonic() - began:.0f} s after a controller was killed, lease 30 s")
    assert set(serving().values()) == {NEW}


def test_a_host_side_that_is_killed_is_started_anew(aligned: str, traffic: Traffic) -> None:
    with releasing(NEW) as controller:
        controller.wait_for(MOMENTS["staging"])
        time.sleep(1.0)
        for host in HOSTS:
            kill_host_side(host)
        # One that only waits for the other is not missed either.
        controller.wait_for(MOMENTS["between the cutovers"])
        kill_host_side("api-1")
        assert controller.end() == 0, controller.text
    assert set(serving().values()) == {NEW} != {aligned}
    assert all(len(view.containers) <= 2 for view in fleet().values())
    traffic.stop().clean()


def test_a_host_side_that_is_killed_while_it_watches_takes_both_back(
    aligned: str, traffic: Traffic
) -> None:
    with releasing(NEW) as controller:
        controller.wait_for(MOMENTS["between the cutovers"])
        controller.wait_for("api-2        cut over")
        kill_host_side("api-2")
        assert controller.end() != 0
    assert "was killed before it had seen the new release through" in controller.text
    assert "All hosts serve one release, as before" in controller.text
    assert set(serving().values()) == {aligned}
    traffic.stop().clean()


def test_fewer_forks_than_hosts_are_refused_before_anything_is_touched(aligned: str) -> None:
    before = fleet()
    update(NEW, "--forks", "1").refused("2 hosts", "--forks 2", "Nothing was changed")
    assert fleet() == before
    assert set(serving().values()) == {aligned}


def test_a_host_whose_connections_are_cut_is_named_and_brought_back(
    aligned: str, traffic: Traffic
) -> None:
    with releasing(NEW) as controller:
        controller.wait_for("Phase live of the release on api-1")
        time.sleep(1.0)
        docker("exec", container("api-1"), "pkill", "-KILL", "-f", "^sshd: root")
        assert controller.end() != 0
    assert "unreachable" in controller.text
    assert look("api-2").sha == aligned
    update(NEW, *extra(NEXT, {"app_break_lease": "connection lost"})).ok()
    assert set(serving().values()) == {NEW}
    traffic.stop().clean()


@pytest.mark.parametrize("delay", [0.0, 1.0, 4.0])
def test_of_two_controllers_one_wins_and_the_other_says_who(aligned: str, delay: float) -> None:
    with releasing(NEW) as first:
        time.sleep(delay)
        with releasing(OTHER) as second:
            codes = (first.end(), second.end())
    assert sorted(codes)[0] == 0, first.text + second.text
    assert sorted(codes)[1] != 0
    winner, loser = (NEW, second) if codes[0] == 0 else (OTHER, first)
    assert set(serving().values()) == {winner}
    assert re.search("A fleet release is under way|Another release by", loser.text), loser.text
    assert aligned not in set(serving().values())


def test_a_host_that_stops_answering_after_the_first_cutover_is_named(
    aligned: str, figure: Figure
) -> None:
    # No connection kept from before: a new one gives up after a few seconds.
    quick = "-o ControlMaster=no -o ControlPath=none -o ServerAliveInterval=2"
    variables = {"ansible_ssh_args": f"{quick} -o ServerAliveCountMax=2", "ansible_timeout": 5}
    began = time.monotonic()
    try:
        with releasing(NEW, variables) as controller:
            controller.wait_for(f"{NEW[:7]} is live in slot")
            docker("container", "pause", container("api-2"))
            assert controller.end() != 0
    finally:
        docker("container", "unpause", container("api-2"))
    figure(f"a host lost in the middle of a release: over after {time.monotonic() - began:.0f} s")
    assert "api-2            unreachable, unknown" in controller.text
    assert f"api-1            {aligned[:7]} (running)" in controller.text
    assert look("api-1").sha == aligned
    update(NEW, *extra(NEXT, {"app_break_lease": "api-2 is back"})).ok()
    assert set(serving().values()) == {NEW}


def test_an_unreachable_host_at_the_start_leaves_no_reservation(aligned: str) -> None:
    nowhere = "{{ (inventory_hostname == 'api-2') | ternary('2', '2221') }}"
    update(NEW, *extra({"ansible_port": nowhere})).refused("No host was touched")
    assert "reserved by" not in play("status-api").ok().text
    assert update(aligned).ok().changed() == 0


def test_a_freeze_holds_releases_back_and_lets_rollbacks_through(aligned: str) -> None:
    before = fleet()
    try:
        assert play("freeze-api", "-e", "reason=sale").ok().changed() == len(HOSTS)
        assert play("freeze-api", "-e", "reason=sale").ok().changed() == 0
        update(NEW).refused("Releases are frozen: sale", "No host was touched")
        assert fleet() == before
        assert "releases are frozen: sale" in play("status-api").ok().text
        rollback().ok()
        update(aligned, *extra({"app_ignore_freeze": "hotfix"})).ok()
    finally:
        assert play("freeze-api", "-e", "state=absent").ok().changed() == len(HOSTS)
    assert update(AFTER).ok().changed() == 0


@pytest.mark.usefixtures("aligned")
def test_the_audit_log_says_who_and_from_where() -> None:
    job = {
        "GITHUB_ACTOR": "ann",
        "GITHUB_RUN_ID": "4711",
        "GITHUB_SERVER_URL": "https://github.example.com",
        "GITHUB_REPOSITORY": "team/api",
    }
    url = "https://github.example.com/team/api/actions/runs/4711"
    update(NEW, env=environment(job)).ok()
    assert url in play("status-api").ok().text
    text = play("status-api", "-e", "format=jsonl").ok().text
    found = [json.loads(line[line.index("{") :]) for line in text.splitlines() if '{"' in line]
    begun = [e for e in found if e["event"] == "begin" and e["sha"] == NEW and e["ci_run"] == url]
    assert {entry["host"] for entry in begun} == set(HOSTS)
    assert all(entry["holder"].startswith("ann@") for entry in begun)
