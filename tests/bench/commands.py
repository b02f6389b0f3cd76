# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our playbooks as contenders: the commands that a user types, on one droplet or on the fleet."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from dev import registry, sample_api
from tests.bench.droplet import BenchDroplet
from tests.bench.rivals import base
from tests.e2e import hosts, playbooks
from tests.e2e.playbooks import QUICK, extra

OUR_PORT = 3002
FIRST_HOST = hosts.HOSTS[0]
ONE_SECOND = {"SAMPLE_START_SECONDS": "1"}
# The load balancer's part is left out where one host and two are compared.
UNSEEN = {"app_balancer_url": ""}


class OneHost:
    """Our releases on the bench droplet, with the watch at its shortest."""

    def __init__(self, droplet: BenchDroplet) -> None:
        """Release on `droplet`."""
        self._droplet = droplet

    def update(self, sha: str, *arguments: str, **variables: Any) -> playbooks.Outcome:
        """Release a commit and see it serve. Raises RivalError or AssertionError when it fails."""
        settings = extra(QUICK, variables)
        outcome = self._droplet.play("update-api", *settings, "-e", f"sha={sha}", *arguments).ok()
        if "--check" not in arguments:
            base.see(self._droplet, OUR_PORT, sha)
        return outcome

    def rollback(self, expected: str, **variables: Any) -> playbooks.Outcome:
        """Go back and see that `expected` serves. Raises RivalError or AssertionError."""
        settings = extra(QUICK, variables)
        outcome = self._droplet.play("rollback-api", *settings).ok()
        base.see(self._droplet, OUR_PORT, expected)
        return outcome

    def forget_image(self, sha: str) -> None:
        """Remove a commit's image from the droplet. Raises CommandError when it is in use."""
        label = f"label={sample_api.REVISION}={sha}"
        images = f"docker image ls --quiet --no-trunc --filter {label} | sort --unique"
        self._droplet.inside(f"{images} | xargs --no-run-if-empty docker image rm --force")
        left = self._droplet.inside(images)
        if left:
            raise base.RivalError(f"the image of {sha} is still on the droplet: {left}")


class DevFleet:
    """Our releases on the dev fleet's two droplets, by inventory/dev.yml."""

    def prepare(self) -> None:
        """Set the fleet up where it is not. Raises AssertionError when that fails."""
        bare = "test -e /etc/greenlight/api.json && echo no || echo yes"
        if "yes" in [hosts.on(host, bare).strip() for host in hosts.HOSTS]:
            playbooks.play("setup-api").ok()
        if registry.status(registry.password()) != 200:
            raise base.RivalError("the fleet's registry does not answer")

    def update(self, sha: str, *only: str, **variables: Any) -> playbooks.Outcome:
        """Release a commit on both hosts, or on those named, and see it serve there.

        Raises AssertionError.
        """
        chosen = ["-e", f"target={','.join(only)}"] if only else []
        outcome = playbooks.update(sha, *extra(QUICK, variables), *chosen).ok()
        found = {host: hosts.look(host).sha for host in only or hosts.HOSTS}
        assert set(found.values()) == {sha}, found
        return outcome


def step_seconds(outcome: playbooks.Outcome) -> dict[str, float]:
    """Return the seconds of each step that our module printed, by step, on its slowest host.

    The one place that reads what a release prints. Raises LookupError when it printed no step.
    """
    by_host = playbooks.module_seconds(outcome)
    if not by_host:
        raise LookupError(f"no step in the output of a release:\n{outcome.text}")
    return max(by_host.values(), key=lambda steps: sum(steps.values()))


def account(totals: Sequence[float], steps: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return where a release's time went: the median of each step, and what is left around them.

    `totals` are the seconds of the whole command, one a round, `steps` those of each step.
    """
    names = list(dict.fromkeys(name for found in steps for name in found))
    medians = {name: statistics.median(found.get(name, 0.0) for found in steps) for name in names}
    around = [total - sum(found.values()) for total, found in zip(totals, steps, strict=True)]
    rest = {"Ansible and SSH": statistics.median(around)}
    return {name: round(seconds, 3) for name, seconds in {**rest, **medians}.items()}
