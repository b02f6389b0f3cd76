# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet is never half way: whatever fails where, all droplets serve one release afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from dev.sample_versions import VERSIONS
from tests.e2e.conftest import Figure
from tests.e2e.hosts import HOSTS, fleet, inside, serving, wait_for_rest
from tests.e2e.playbooks import CUT_OVER, extra, play, rollback, update
from tests.e2e.traffic import Traffic

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
NEW = VERSIONS["C"].sha
HEALTH = {"path": "/v1/health", "expect": "status == 'healthy'", "deadline": 10}


def on_second(value: str, otherwise: str) -> str:
    """A template that gives `value` on api-2 and `otherwise` on all other hosts."""
    test = "(inventory_hostname == 'api-2')"
    return f"{{{{ {test} | ternary({value}, {otherwise}) }}}}"


def on_first(expression: str) -> str:
    """A template that gives `expression` on api-1 and the usual one on all other hosts."""
    return on_second(f'"{HEALTH["expect"]}"', f'"{expression}"')


def expecting(expression: str, deadline: int) -> dict[str, Any]:
    """Variables with which api-2 alone has to satisfy another expectation."""
    expect = on_second(f'"{expression}"', f'"{HEALTH["expect"]}"')
    return {"app_health": {**HEALTH, "expect": expect, "deadline": deadline}}


def test_a_host_that_fails_at_stage_leaves_both_untouched(aligned: str, traffic: Traffic) -> None:
    before = fleet()
    outcome = update(NEW, *extra(expecting("status == 'never'", 2)))
    outcome.refused("failed at step 'gate'", f"{NEW[:7]} was not released: api-2 failed.")
    assert CUT_OVER not in outcome.text
    assert fleet() == before
    assert set(serving().values()) == {aligned}
    traffic.stop().clean()


def test_a_host_that_fails_after_the_first_has_cut_over_takes_both_back(
    aligned: str, traffic: Traffic, figure: Figure
) -> None:
    # Healthy at first and no more after 6 seconds on api-2, which is watched for long enough.
    watch = {"app_watch": {"seconds": on_second("15", "0")}}
    outcome = update(NEW, *extra(expecting("uptime < `6`", 5), watch))
    outcome.refused(
        "failed at step 'watch'",
        f"{NEW[:7]} was not released: api-2 failed.",
        f"api-1            {aligned[:7]} (running)",
        f"api-2            {aligned[:7]} (running)",
        "All hosts serve one release",
    )
    assert f"{CUT_OVER}{NEW[:7]} on api-1" in outcome.text
    assert f"{NEW[:7]} is live in slot" in outcome.text
    assert set(serving().values()) == {aligned}
    assert all(len(view.running()) == 1 for view in fleet().values())
    result = traffic.stop().clean()
    assert NEW in result.short["versions"], "the new release never served"
    figure(f"taken back after a failed watch: {result.requests:,} requests, {result.failed} failed")


def test_a_release_that_turns_bad_while_the_other_host_cuts_over_is_taken_back_everywhere(
    aligned: str, traffic: Traffic, figure: Figure
) -> None:
    # Healthy on api-1 for as long as it is watched there, and no more while api-2 is watched.
    health = {**HEALTH, "expect": on_first("uptime < `9`"), "deadline": 5}
    watch = {"seconds": on_second("20", "1")}
    outcome = update(NEW, *extra({"app_health": health, "app_watch": watch}))
    outcome.refused(f"{NEW[:7]} was not released", "All hosts serve one release, as before")
    assert f"{CUT_OVER}{NEW[:7]} on api-2" in outcome.text
    assert set(serving().values()) == {aligned}
    journal = inside("api-1", "tail -n 8 /var/lib/greenlight/api/journal.jsonl")
    assert "it turned bad while other hosts were at work" in journal
    wait_for_rest(5.0)
    result = traffic.stop().clean()
    figure(f"taken back by the host itself: {result.requests:,} requests, {result.failed} failed")


def test_an_application_that_crashes_on_the_second_host_takes_both_back(
    aligned: str, figure: Figure
) -> None:
    crash = {"app_env": {"SAMPLE_BEHAVIOUR": on_second("'crash-after'", "''")}}
    crash["app_env"]["SAMPLE_CRASH_SECONDS"] = "6"
    outcome = update(NEW, *extra(crash, {"app_watch": {"seconds": on_second("15", "0")}}))
    outcome.refused(
        "failed at step 'watch'",
        "planned crash some seconds after start",
        f"{NEW[:7]} was not released: api-2 failed.",
    )
    assert set(serving().values()) == {aligned}
    figure(f"taken back after a crash on the second droplet: {outcome.seconds:.1f} s")


def test_a_balancer_that_does_not_show_the_release_takes_both_back(
    aligned: str, traffic: Traffic
) -> None:
    wrong = {
        "app_balancer_url": "http://127.0.0.1:9",
        "app_balancer_attempts": 2,
        "app_balancer_delay": 0.2,
    }
    outcome = update(NEW, *extra(wrong)).refused(f"{NEW[:7]} was not released", "127.0.0.1:9")
    assert outcome.text.count("the pointer is back on") == len(HOSTS)
    assert set(serving().values()) == {aligned}
    traffic.stop().clean()


@pytest.mark.usefixtures("aligned")
def test_a_host_that_is_unreachable_at_the_start_leaves_the_other_untouched() -> None:
    before = fleet()
    nowhere = {"ansible_port": on_second("2", "2221")}
    outcome = update(NEW, *extra(nowhere)).refused("api-2", "unreachable")
    assert "Stage " not in outcome.text
    assert fleet() == before


def test_a_rollback_without_a_name_is_refused_when_hosts_mean_different_releases(
    aligned: str,
) -> None:
    for sha in (NEW, aligned):
        only = {"target": "api-1", "app_balancer_url": ""}
        update(sha, *extra(only)).ok()
    before = fleet()
    rollback().refused("do not mean the same release", NEW[:7], VERSIONS["A"].sha[:7])
    assert fleet() == before
    # By name it is clear what is meant, and one host wakes its standby while the other starts anew.
    rollback("-e", f"sha={NEW}").ok()
    assert set(serving().values()) == {NEW}


def test_status_says_what_every_host_serves(aligned: str) -> None:
    text = play("status-api").ok().text
    for host in HOSTS:
        (live,) = (line for line in text.splitlines() if f" {host}  live" in line)
        (standby,) = (line for line in text.splitlines() if f" {host}  standby" in line)
        assert aligned[:7] in live
        assert VERSIONS["A"].sha[:7] in standby
