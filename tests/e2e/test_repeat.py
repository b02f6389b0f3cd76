# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeating is free: nothing to do means nothing touched; how long a release takes and where."""

from __future__ import annotations

import pytest

from dev.sample_versions import VERSIONS
from scripts.stages import slowness
from tests.e2e.conftest import Figure
from tests.e2e.hosts import HOSTS, fleet
from tests.e2e.playbooks import (
    Outcome,
    module_seconds,
    play,
    rollback,
    task_seconds,
    update,
)

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
SETUP_SECONDS = 90.0
# Limits for a machine as fast as budgets are meant for; on a busier one they are as much longer.
# Six calls one after another, each for both droplets: plan, stage, two cutovers, prove, settle.
UPDATE_SECONDS = 10.0
ATTEMPTS = 3
WARM = VERSIONS["one-second-start"].sha
# Steps that wait for the application, not for us: its start and the interval of the gate, the drain
# and the application's own way of stopping.
WAITING = ("gate", "drain", "retire")


def test_the_second_set_up_changes_nothing_and_is_quick(figure: Figure) -> None:
    seconds: list[float] = []
    # A second look when something else was busy on this machine.
    while len(seconds) < 2 and min(seconds, default=SETUP_SECONDS) >= SETUP_SECONDS:
        outcome = play("setup-api").ok()
        assert outcome.changed() == 0
        assert set(outcome.recap()) == set(HOSTS)
        seconds.append(outcome.seconds)
    all_of_them = ", ".join(f"{value:.1f}" for value in seconds)
    figure(f"second setup-api.yml: {all_of_them} s, limit {SETUP_SECONDS:.0f} s")
    assert min(seconds) < SETUP_SECONDS * slowness()


def test_the_same_release_again_touches_nothing(aligned: str) -> None:
    before = fleet()
    outcome = update(aligned).ok()
    assert outcome.changed() == 0
    assert "is live already with this configuration; nothing to do" in outcome.text
    assert update(aligned[:8]).ok().changed() == 0
    assert fleet() == before


def test_check_mode_shows_the_release_and_does_nothing(aligned: str) -> None:
    before = fleet()
    new = VERSIONS["C"].sha
    outcome = update(new, "--check", "--diff").ok()
    assert outcome.changed() > 0
    assert f"-live: {aligned}" in outcome.text
    assert f"+live: {new}" in outcome.text
    assert fleet() == before
    again = update(aligned, "--check", "--diff").ok()
    assert again.changed() == 0
    assert fleet() == before


@pytest.mark.usefixtures("aligned")
def test_a_rollback_that_was_made_already_touches_nothing() -> None:
    rollback().ok()
    before = fleet()
    assert rollback().ok().changed() == 0
    assert fleet() == before


def account(outcome: Outcome) -> list[str]:
    """Where the seconds of a release went, task by task, as lines."""
    steps = module_seconds(outcome)
    lines = [
        f"  {seconds:6.2f} s  {title}" for title, seconds in task_seconds(outcome) if seconds >= 0.1
    ]
    for host in sorted(steps):
        said = ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps[host].items())
        lines.append(f"  modules on {host}: {sum(steps[host].values()):.2f} s ({said})")
    return lines


def overhead(outcome: Outcome) -> float:
    """Seconds of our own steps on the slower host: all but what waits for the application."""
    return max(
        sum(seconds for name, seconds in steps.items() if name not in WAITING)
        for steps in module_seconds(outcome).values()
    )


def test_an_update_of_two_warm_droplets_takes_less_than_ten_seconds(
    aligned: str, figure: Figure
) -> None:
    # Once each, so that the images are on the hosts.
    update(WARM).ok()
    update(aligned).ok()
    outcomes = []
    for _attempt in range(ATTEMPTS):
        outcomes.append(update(WARM).ok())
        update(aligned).ok()
    best = min(outcomes, key=lambda outcome: outcome.seconds)
    all_of_them = ", ".join(f"{outcome.seconds:.1f}" for outcome in outcomes)
    figure(
        f"update-api.yml, two warm droplets, application starts in 1 s: {best.seconds:.1f} s,"
        f" limit {UPDATE_SECONDS:.0f} s (all: {all_of_them})"
    )
    for line in account(best):
        figure(line)
    own = min(overhead(outcome) for outcome in outcomes)
    figure(f"  our own steps without gate, drain and stop: {own:.2f} s, limit 1 s")
    assert all("pull" not in steps for steps in module_seconds(best).values())
    factor = slowness()
    assert best.seconds < UPDATE_SECONDS * factor
    assert own < factor
