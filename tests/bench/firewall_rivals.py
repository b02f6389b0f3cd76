# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many source networks for one port: our module, and community.general.ufw rule by rule."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable, Sequence
from typing import Any

from dev import settings
from dev.shell import CommandError, run
from tests.bench.droplet import BenchDroplet
from tests.bench.rivals.docker_container import COLLECTIONS, INSTALL_SECONDS, PACKAGE
from tests.bench.timed_tasks import Task, TimedTasks

RULE_BY_RULE = "ufw rule by rule"
"""The contender: module community.general.ufw in a loop."""

# Set aside for benchmarks (RFC 2544): no address of it is anybody's.
POOL = ipaddress.IPv4Network("198.18.0.0/15")
STEP = 16
"""Addresses between two networks of eight: they never touch, so that none are joined."""
PORT = settings.APPLICATION_PORT
COMMENT = "partners"
BASE_RULES = (
    {"comment": "ssh", "port": "22", "sources": ["admin"]},
    {"comment": "api", "port": str(PORT), "sources": ["balancer"]},
)


# What the kernel has of both: rules for few networks, sets for many.
LOOK: Task = {
    "name": "Look at the kernel",
    "ansible.builtin.shell": "iptables-save; nft list table inet greenlight",
}


def networks(count: int, first: int = 0) -> list[str]:
    """Return `count` networks from the one numbered `first`, the same in every run.

    Raises ValueError when the pool has not so many.
    """
    if (first + count) * STEP > POOL.num_addresses:
        raise ValueError(f"{POOL} has no {first + count} networks {STEP} addresses apart")
    begin = int(POOL.network_address)
    return [f"{ipaddress.ip_address(begin + n * STEP)}/29" for n in range(first, first + count)]


def one_changed(listed: Sequence[str]) -> list[str]:
    """Return the networks without the first and with one that was not among them."""
    return [*listed[1:], *networks(1, len(listed))]


def our_task(listed: Sequence[str]) -> Task:
    """Return the task that makes the whole rule set: the inventory's rules, and these networks."""
    partners = {"comment": COMMENT, "port": str(PORT), "sources": ["partners"]}
    sets = {"admin": [settings.GATEWAY], "balancer": [settings.BALANCER_ADDRESS]}
    arguments: dict[str, Any] = {
        "rules": [*BASE_RULES, *([partners] if listed else [])],
        "sets": {**sets, **({"partners": list(listed)} if listed else {})},
        "admin_address": settings.GATEWAY,
    }
    return {"name": f"{len(listed)} networks", "greenlight.droplet.firewall": arguments}


def rule_task(listed: Sequence[str]) -> Task:
    """Return the task that lets each network in by a rule of its own, as playbooks do it."""
    rule = {
        "rule": "allow",
        "from_ip": "{{ item }}",
        "to_port": str(PORT),
        "proto": "tcp",
        "comment": COMMENT,
    }
    return {
        "name": f"{len(listed)} rules",
        "community.general.ufw": rule,
        "loop": list(listed),
    }


def ensure_collections(say: Callable[[str], None]) -> str:
    """Install the rival's collection beside ours when it is missing; return why it cannot run.

    An empty text says that it can. The folder is on nobody else's path.
    """
    module = COLLECTIONS / "ansible_collections/community/general/plugins/modules/ufw.py"
    if not module.exists():
        say(f"installing {PACKAGE} for its collections")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        try:
            run([*pip, "--target", str(COLLECTIONS), PACKAGE], timeout=INSTALL_SECONDS)
        except CommandError as exc:
            return f"{PACKAGE} could not be installed: {exc}"
    return "" if module.exists() else f"{PACKAGE} has no {module.name}"


class Firewalls:
    """Both contenders on one droplet; each measure begins with the inventory's rules alone."""

    def __init__(self, droplet: BenchDroplet) -> None:
        """Keep where to run."""
        inventory, host = droplet.inventory, droplet.name
        self._droplet = droplet
        self._ours = TimedTasks(inventory, host)
        # Our connection settings, pipelining among them, which is more than Ansible's defaults are.
        path = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_STDOUT_CALLBACK": "default"}
        self._rival = TimedTasks(inventory, host, path)

    def reset(self) -> None:
        """Leave the inventory's rules alone. Raises AssertionError when that fails."""
        self._ours.run([our_task([])])

    def ours(self, count: int) -> tuple[float, float]:
        """Seconds to apply `count` networks, and to change one of them afterwards."""
        listed = networks(count)
        other = one_changed(listed)
        tasks = [our_task([]), our_task(listed), LOOK, our_task(other), LOOK, our_task([])]
        _before, applied, first, changed, second, _after = self._ours.run(tasks)
        for timed, look, wanted in ((applied, first, listed), (changed, second, other)):
            assert timed.result["changed"], "the firewall had these networks before"
            missing = [network for network in wanted if network not in look.result["stdout"]]
            assert not missing, f"{len(missing)} of {count} networks are not let in"
        return applied.seconds, changed.seconds

    def rule_by_rule(self, count: int) -> float:
        """Seconds of the loop over `count` networks; its rules are gone afterwards."""
        self.reset()
        try:
            timed = self._rival.run([rule_task(networks(count))])[0]
            there = self._rules()
            assert there == count, f"{there} rules instead of {count}"
        finally:
            self.reset()
        return timed.seconds

    def _rules(self) -> int:
        """How many of the rival's rules UFW has."""
        text = self._droplet.run("ufw status")
        return sum(line.rstrip().endswith(f"# {COMMENT}") for line in text.splitlines())
