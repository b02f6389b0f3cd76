# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller loses a connection or a host, meets another controller, or is held back."""

from __future__ import annotations

import json
import re
import shlex
import time
from typing import Any

import pytest

from dev.docker_cli import docker
from dev.sample_versions import VERSIONS
from dev.settings import container
from tests.e2e.conftest import AFTER, Figure
from tests.e2e.controller import Controller
from tests.e2e.hosts import HOSTS, fleet, inside, look, serving, wait_for_rest
from tests.e2e.playbooks import CUT_OVER, environment, extra, play, rollback, update
from tests.e2e.traffic import Traffic

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
NEW, OTHER = VERSIONS["C"].sha, VERSIONS["D"].sha
# Long enough for a test to hit a certain phase.
GATE = {"path": "/v1/health", "interval": 0.3, "successes": 12, "deadline": 30}
LONG: dict[str, Any] = {"app_health": GATE, "app_watch": {"seconds": 4}}
# The title of each phase, and on which host it is at work first.
PHASES = {
    "plan": " : Check everything and plan the release;",
    "stage": " : Stage ",
    "cut over": f" : {CUT_OVER}{NEW[:7]} on api-1",
    "prove": " : Look once more at ",
    "settle": " : Settle on ",
}
# A module that is sent through a pipe runs as a Python without arguments.
AT_WORK = "until pgrep -x -f /usr/bin/python3 > /dev/null; do sleep 0.02; done; sleep 0.15"
CUT = f"{AT_WORK}; pkill -KILL -f '^sshd: root'"
KILL = f"{AT_WORK}; pkill -KILL -x -f /usr/bin/python3"


def releasing(sha: str, *values: dict[str, Any]) -> Controller:
    """A release that takes its time."""
    return Controller("update-api", *extra(LONG, *values), "-e", f"sha={sha}")


def test_connections_that_are_cut_in_each_phase_do_not_end_the_release(
    aligned: str, traffic: Traffic
) -> None:
    with releasing(NEW) as controller:
        for title in PHASES.values():
            controller.wait_for(title)
            inside("api-1", f"timeout 20 sh -c {shlex.quote(CUT)}")
        assert controller.end() == 0, controller.text
    assert "unreachable" not in controller.text.partition("PLAY RECAP")[0]
    assert set(serving().values()) == {NEW} != {aligned}
    assert all(len(view.containers) <= 2 for view in fleet().values())
    wait_for_rest(5.0)
    traffic.stop().clean()


@pytest.mark.parametrize(("phase", "host"), [("stage", "api-2"), ("cut over", "api-1")])
def test_a_phase_whose_process_is_killed_on_the_host_takes_both_back(
    phase: str, host: str, aligned: str, traffic: Traffic
) -> None:
    with releasing(NEW) as controller:
        controller.wait_for(PHASES[phase])
        inside(host, f"timeout 20 sh -c {shlex.quote(KILL)}")
        assert controller.end() != 0
    assert f"{NEW[:7]} was not released: {host} failed." in controller.text
    assert "All hosts serve one release, as before" in controller.text
    assert set(serving().values()) == {aligned}
    wait_for_rest(5.0)
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
    assert re.search("A release is under way|Another release by", loser.text), loser.text
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
    assert "api-2 could not be asked." in controller.text
    assert re.search(r"on api-2, the host takes back alone within \d+ s\.", controller.text)
    assert f"api-1            {aligned[:7]} (running)" in controller.text
    assert look("api-1").sha == aligned
    # Its controller has ended, so nobody has to wait until the host takes it back.
    update(NEW).ok()
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
