# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host never waits for less than the others may take."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.plugin_utils import bounds

OPTIONS: dict[str, t.Any] = {
    "health": {"deadline": 60.0, "timeout": 2.0},
    "watch": {"seconds": 10.0, "failed_checks": 2},
    "canary": {"percent": 0, "seconds": 30.0},
    "pull_seconds": 300.0,
    "lock_wait": 0.0,
    "drain_seconds": 30.0,
    "stop_timeout": 30,
    "balancer_url": "",
    "balancer_attempts": 10,
    "balancer_delay": 3.0,
}


def limits(hosts: int = 4, forks: int = 4, batch: int = 1, **changes: t.Any) -> bounds.Limits:
    """The limits of a run with some options changed."""
    return bounds.reckon({**OPTIONS, **changes}, hosts, forks, batch)


def test_each_lease_covers_what_the_others_may_still_do() -> None:
    found = limits()
    assert found.after_stage >= found.stage + found.cut_over
    assert found.after_cutover >= found.cut_over + found.verify + found.prove
    assert found.after_commit >= found.settle
    assert found.bound > found.after_stage


def test_a_watch_and_a_canary_lengthen_every_turn() -> None:
    plain = limits(hosts=5).cut_over
    assert limits(hosts=5, watch={"seconds": 70.0, "failed_checks": 2}).cut_over == plain + 5 * 60
    share = {"percent": 10, "seconds": 60.0}
    # Its last looks may end late too.
    late = 2 * OPTIONS["health"]["timeout"]
    assert limits(hosts=5, canary=share).cut_over == plain + 5 * (60 + late)


@pytest.mark.parametrize(("forks", "batch", "turns"), [(4, 1, 4), (4, 4, 1), (1, 4, 4), (2, 3, 3)])
def test_a_batch_takes_as_many_waves_as_forks_allow(forks: int, batch: int, turns: int) -> None:
    one = limits(hosts=1, forks=1).cut_over
    assert limits(hosts=4, forks=forks, batch=batch).cut_over == turns * one


def test_a_slow_standby_and_a_long_drain_are_reckoned() -> None:
    assert limits(drain_seconds=300.0).stage >= limits().stage + 2 * 270
    assert limits(drain_seconds=300.0).after_commit >= 300


def test_the_balancer_counts_only_where_there_is_one() -> None:
    assert limits().verify == 0
    assert limits(balancer_url="http://127.0.0.1:3001").verify > 10 * 3


def test_the_bound_outlasts_a_phase_that_ends_after_its_controller() -> None:
    share = {"percent": 10, "seconds": 300.0}
    found = limits(hosts=2, canary=share, watch={"seconds": 300.0, "failed_checks": 2})
    one = found.cut_over / 2
    assert found.bound >= one + found.after_cutover


def test_a_health_check_that_may_take_long_lengthens_what_waits_for_it() -> None:
    slow = {"deadline": 60.0, "timeout": 30.0}
    url = "http://203.0.113.10"
    plain, patient = limits(balancer_url=url), limits(balancer_url=url, health=slow)
    # Before a proof one more check and HAProxy's own; at a cutover the looks of a watch as well.
    assert patient.prove - plain.prove == pytest.approx(2 * 28)
    assert patient.cut_over - plain.cut_over == pytest.approx(4 * 4 * 28)
    assert patient.verify - plain.verify == pytest.approx(10 * 2 * 25)
