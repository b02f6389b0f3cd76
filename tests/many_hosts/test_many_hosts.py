# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twelve light hosts of which Ansible serves two at a time: no host waits longer than its lease.

The light hosts are sshd, HAProxy, files and Python each, with a stand-in for a Docker engine
(dev/light_hosts.py), so that two cores carry twelve of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dev import light_hosts, light_inventory
from dev.sample_versions import VERSIONS
from tests.e2e.conftest import Figure
from tests.e2e.playbooks import QUICK, Outcome, extra, play

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
HOSTS, FORKS, BATCH = 12, 2, 6
GROUP = light_inventory.group_of(HOSTS)
OLD, NEW, BAD = (VERSIONS[name].sha for name in ("A", "B", "C"))
NAMES = [light_inventory.name_of(number) for number in range(1, HOSTS + 1)]


@pytest.fixture(scope="module", autouse=True)
def hosts() -> Iterator[None]:
    """The light hosts with the old release live."""
    try:
        light_hosts.up(HOSTS, [HOSTS])
        light_hosts.prepare_images([OLD, NEW, BAD])
        release(OLD, forks=HOSTS).ok()
        yield
    finally:
        light_hosts.down()


def release(sha: str, forks: int = FORKS, **variables: Any) -> Outcome:
    """Release a commit on all light hosts."""
    words = ["-i", str(light_inventory.PATH), "--forks", str(forks), "-e", f"target={GROUP}"]
    values = {**QUICK, "app_cutover_batch": BATCH, **variables}
    return play("update-api", *words, "-e", f"sha={sha}", *extra(values))


def status() -> dict[str, dict[str, Any]]:
    """What the command on each light host says, by name."""
    found = {}
    for name in NAMES:
        text = light_hosts.inside(f"docker exec {name} greenlight status --json {name}")
        found[name] = json.loads(text)[name]
    return found


def live() -> dict[str, str]:
    """The SHA that is live, by host, where no lease and no unfinished run is left; else what is."""
    return {
        name: said["live"]["sha"] if not said["lease"] and not said["unfinished"] else str(said)
        for name, said in status().items()
    }


def test_all_get_the_release_although_two_are_served_at_a_time(figure: Figure) -> None:
    outcome = release(NEW).ok()
    figure(f"update-api.yml, {HOSTS} light hosts with {FORKS} forks: {outcome.seconds:.1f} s")
    assert live() == dict.fromkeys(NAMES, NEW)
    # Where fewer are served at a time, the word that it is final reaches all before one drains.
    text = outcome.text
    assert text.index("Make final on every host") < text.index("drain ")
    assert release(NEW).ok().changed() == 0


def test_one_host_that_fails_takes_all_back(figure: Figure) -> None:
    before = live()
    word = f"{{{{ 'sick' if inventory_hostname == '{NAMES[-1]}' else 'healthy' }}}}"
    health = {"path": "/v1/health", "expect": f"status == '{word}'", "deadline": 3}
    outcome = release(BAD, app_health=health).refused(NAMES[-1], "Serving now:")
    figure(f"taken back on {HOSTS} light hosts with {FORKS} forks: {outcome.seconds:.1f} s")
    assert live() == before
