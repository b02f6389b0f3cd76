# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our commands over 1 to 32 hosts: seconds, round trips, and what that says of a thousand hosts."""

from __future__ import annotations

import contextlib
import itertools
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dev import light_hosts, sample_api
from dev.sample_versions import VERSIONS, sha_of
from tests.bench import machine
from tests.bench.model import OURS, Part, Series, Target
from tests.bench.scale_model import FitError, Model, error_at_largest, fit
from tests.bench.scale_runs import Command, Outcome, connections, measure, schedule

ROUNDS_OF = dict.fromkeys((1, 2, 4, 8, 16, 32), 5)
"""Rounds of each size, at most."""
BUDGET_SECONDS = 600.0
"""When this has passed since the start, no size is measured again; each is measured once."""
ONE_BY_ONE = 16
"""The size at which hosts also cut over one by one."""
FORKS = (50, 200, 1000)
MANY = 1000
PATIENCE = 600.0
RELEASES = ("A", "B")
BASE, NEXT = (sha_of(name) for name in RELEASES)

ACTIONS = ("update", "no-op", "status", "rollback")
SHARED_ROUNDS = {1: 2, 32: 2}
"""Rounds of each size on one real engine for all hosts, at most."""
SHARED = "one real engine for all"
LACKS = (
    "A light host has its own sshd, HAProxy, files and Python, and a stand-in for an engine of its"
    " own that answers Docker's API as slowly as an engine of a droplet does (a start 0.22 s, a"
    " stop 0.12 s), with an application behind it that answers health checks alone, 1.05 s after"
    " the start. It lacks containers, systemd (so no timer of a warm standby, no units), UFW and"
    " fail2ban, a network, a kernel and processors of its own: all share this machine's cores with"
    " the controller. So the time per host is an upper bound: what real hosts do beside each other,"
    " these do one after the other.",
    "With one real engine for all, the containers are real, and all are started by that one engine"
    " on the same cores: that is a bound further up.",
)
METHOD = (
    "Light hosts, set up by the module and the template of role proxy, driven over real SSH by"
    " update-api.yml, rollback-api.yml and status-api.yml as users run them.",
    "--forks is the number of hosts. All hosts cut over at once (app_cutover_batch), the watch is"
    " at its shortest (0 s), the application starts in 1 s, and every engine knows its image.",
    "Each round goes through the sizes: update, the same update again (no-op), status, rollback."
    " The order of the sizes moves on by one each round. SSH connections stay"
    " open from command to command.",
    "Docker's own health check of the sample image is off: a Python process in each container every"
    " ten seconds would take turns with what is measured.",
    "A round trip is an SSH command, counted in the log of each host's sshd ('Starting session').",
    "Before the first round both images and the collection's host side are brought to every host.",
    "Controller: processor time of Ansible and the processes it waited for, from the kernel.",
)


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def _command(action: str, hosts: int, batch: int = 0) -> Command:
    """Return the command of an action; `batch` hosts cut over at once, 0 means all."""
    if action == "status":
        return Command("status-api.yml", {}, changes=False)
    variables = {"app_cutover_batch": str(batch or hosts)}
    if action == "rollback":
        return Command("rollback-api.yml", variables, changes=True)
    variables["sha"] = NEXT
    return Command("update-api.yml", variables, changes=action == "update")


class Measures:
    """What has been measured so far, by action and number of hosts."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.outcomes: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
        self.one_by_one: list[Outcome] = []
        self.shared: dict[int, list[Outcome]] = defaultdict(list)
        self._folder = folder
        self._say = say

    def move(self, folder: Path) -> None:
        """Use the connections of another folder from now on."""
        self._folder = folder

    def turn(self, hosts: int) -> None:
        """Take one size through all actions; every host is where it was before, on BASE."""
        for action in ACTIONS:
            outcome = measure(_command(action, hosts), hosts, self._folder)
            self.outcomes[action, hosts].append(outcome)
            self._say(
                f"{action}, {_hosts(hosts)}: {outcome.wall:.2f} s, controller"
                f" {outcome.controller:.2f} s, {outcome.round_trips:.1f} round trips per host"
            )

    def turn_one_by_one(self) -> None:
        """Release with one host at a time cutting over, and go back; the way back is not kept."""
        outcome = measure(_command("update", ONE_BY_ONE, batch=1), ONE_BY_ONE, self._folder)
        self.one_by_one.append(outcome)
        self._say(f"update, {ONE_BY_ONE} hosts, one by one: {outcome.wall:.2f} s")
        measure(_command("rollback", ONE_BY_ONE), ONE_BY_ONE, self._folder)

    def turn_shared(self, hosts: int) -> None:
        """Release on hosts that share one real engine, and go back; the way back is not kept."""
        outcome = measure(_command("update", hosts), hosts, self._folder)
        self.shared[hosts].append(outcome)
        self._say(f"update, {_hosts(hosts)}, {SHARED}: {outcome.wall:.2f} s")
        measure(_command("rollback", hosts), hosts, self._folder)

    def medians(self, action: str, what: Callable[[Outcome], float]) -> dict[int, float]:
        """Return the median of a figure by number of hosts."""
        return {
            hosts: statistics.median(what(outcome) for outcome in outcomes)
            for (name, hosts), outcomes in sorted(self.outcomes.items())
            if name == action
        }


def _measure(measures: Measures, rounds: int, rounds_of: dict[int, int], end: float) -> None:
    """Measure the sizes in turn; no size a second time after `end` of the monotonic clock."""
    turns = schedule({size: min(rounds, most) for size, most in rounds_of.items()})
    for number, sizes in enumerate(turns):
        for size in sizes:
            if number == 0 or time.monotonic() < end:
                measures.turn(size)
                if size == ONE_BY_ONE:
                    measures.turn_one_by_one()


def _series(measures: Measures) -> list[Series]:
    """Return wall times by action and size, and round trips at the smallest and largest size."""
    found = []
    sizes = sorted({hosts for _action, hosts in measures.outcomes})
    for action in ACTIONS:
        for hosts in sizes:
            values = [round(outcome.wall, 4) for outcome in measures.outcomes[action, hosts]]
            found.append(Series(f"{action}, {_hosts(hosts)}", OURS, "s", values))
    if measures.one_by_one:
        values = [round(outcome.wall, 4) for outcome in measures.one_by_one]
        name = f"update, {_hosts(ONE_BY_ONE)}, cutover one by one"
        found.append(Series(name, OURS, "s", values))
    for hosts, outcomes in sorted(measures.shared.items()):
        values = [round(outcome.wall, 4) for outcome in outcomes]
        found.append(Series(f"update, {_hosts(hosts)}, {SHARED}", OURS, "s", values))
    for action in ACTIONS:
        for hosts in dict.fromkeys((sizes[0], sizes[-1])):
            outcomes = measures.outcomes[action, hosts]
            for name, unit, values in (
                ("round trips", "SSH commands", [outcome.round_trips for outcome in outcomes]),
                ("connections", "SSH connections", [outcome.logins for outcome in outcomes]),
            ):
                title = f"{name} per host, {action}, {_hosts(hosts)}"
                found.append(Series(title, OURS, unit, values))
    return found


def _targets(measures: Measures) -> list[Target]:
    update = measures.medians("update", lambda outcome: outcome.wall)
    status = measures.medians("status", lambda outcome: outcome.wall)
    found = []
    if 16 in status:
        found.append(Target("status of 16 hosts", 5.0, status[16], "s"))
    if {1, 32} <= update.keys():
        text = "update of 32 hosts against update of 1 host"
        found.append(Target(text, 3.0, update[32] / update[1], "x"))
    return found


def _account(measures: Measures) -> dict[str, dict[str, float]]:
    """Return seconds per host by size, of the wall and of the controller's processors."""
    account = {}
    for action in ACTIONS:
        for title, what in (
            (f"time per host, {action}", lambda outcome: outcome.wall),
            (f"controller's processor time per host, {action}", lambda outcome: outcome.controller),
            (f"machine's processor time per host, {action}", lambda outcome: outcome.machine),
        ):
            medians = measures.medians(action, what)
            account[title] = {_hosts(n): round(value / n, 4) for n, value in medians.items()}
    return account


def _prediction(measures: Measures, action: str, cores: int) -> list[str]:
    """Say what the model makes of an action, with its check; say so when it cannot be fitted."""
    wall = measures.medians(action, lambda outcome: outcome.wall)
    controller = measures.medians(action, lambda outcome: outcome.controller)
    try:
        line, model = fit(wall), Model.of(wall, controller, cores)
        error = error_at_largest(wall)
        crossing, within = model.crossing(), model.hosts_within(PATIENCE)
    except FitError as exc:
        return [f"No model of {action}: {exc}."]
    times = ", ".join(f"{model.fleet(MANY, forks):.0f} s with {forks} forks" for forks in FORKS)
    return [
        f"Model of {action}, as measured here: {line.start:.2f} s + {line.per_host:.3f} s per host."
        f" Check: from the smaller sizes it predicts {max(wall)} hosts with an error of"
        f" {error:+.0%}.",
        f"Model of {action} on hosts with processors of their own: {model.controller.start:.2f} s"
        f" to start + {model.controller.per_host:.3f} s per host of the controller's {cores} cores"
        f" + {model.alone:.2f} s on the host. {MANY:,} hosts: {times}.",
        f"From {crossing} hosts on, {action} waits longer for the controller than for the hosts;"
        f" one command serves {within:,} hosts in {PATIENCE / 60:.0f} minutes.",
    ]


def _busy(measures: Measures, cores: int) -> str:
    """Say how busy the machine was with the largest size: then more hosts only wait longer."""
    size = max(hosts for _action, hosts in measures.outcomes)
    walls = measures.medians("update", lambda outcome: outcome.wall)
    machines = measures.medians("update", lambda outcome: outcome.machine)
    controllers = measures.medians("update", lambda outcome: outcome.controller)
    return (
        f"While {_hosts(size)} updated, this machine's {cores} cores were busy for"
        f" {machines[size] / (walls[size] * cores):.0%} of the time: {machines[size]:.1f} s of"
        f" processor time, which {cores} cores cannot do in less than"
        f" {machines[size] / cores:.1f} s. The hosts' Python and the controller share them;"
        f" {controllers[size]:.1f} s were the controller's. Whatever else ran on the"
        " machine at that time is in it."
    )


def _notes(measures: Measures, cores: int) -> list[str]:
    walls = measures.outcomes
    sizes = sorted({hosts for _action, hosts in walls})
    rounds = ", ".join(f"{_hosts(n)}: {len(walls['update', n])}" for n in sizes)
    notes = [*LACKS, f"Rounds by size: {rounds}."]
    notes.append(_busy(measures, cores))
    for action in ("update", "rollback", "status"):
        notes += _prediction(measures, action, cores)
    return [
        *notes,
        "A release takes all its hosts at once, so --forks is at least the number of hosts. Fewer"
        " forks mean several commands (waves), each all or nothing for its own hosts alone: that is"
        " how the model counts them. It assumes that the registry, the network and the controller's"
        " memory keep up with as many processes as forks; that was measured up to 32.",
        "AWX takes over where one controller does not serve the fleet in the time that one has (the"
        " ten minutes above): it slices the inventory over several controllers, each slice all or"
        " nothing by itself. ansible-pull has no controller, and so no release of a fleet: no host"
        " would wait for the others before its cutover, and none would go back for another one.",
    ]


@contextlib.contextmanager
def _light_hosts(sizes: Sequence[int], *, shared_engine: bool) -> Iterator[None]:
    """Have light hosts in groups of these sizes, with both images to release; then none."""
    # What a run that was killed has left would not be where the first release begins.
    light_hosts.down()
    try:
        light_hosts.up(sizes[-1], sizes, shared_engine=shared_engine)
        sample_api.build([VERSIONS[name] for name in RELEASES], push=True)
        light_hosts.prepare_images([BASE, NEXT])
        yield
    finally:
        light_hosts.down()


def run(rounds: int, say: Callable[[str], None]) -> Part:
    """Measure every size and return the outcome. The light hosts are gone afterwards."""
    return run_sizes(rounds, ROUNDS_OF, say)


def run_sizes(rounds: int, rounds_of: dict[int, int], say: Callable[[str], None]) -> Part:
    """Measure sizes of one's own, by how many rounds each takes at most."""
    part = Part("scale", "Scale: 1 to 32 hosts", machine.today(), rounds, machine.describe())
    sizes, end = sorted(rounds_of), time.monotonic() + BUDGET_SECONDS
    first = Command(
        "update-api.yml", {"sha": BASE, "app_cutover_batch": str(sizes[-1])}, changes=True
    )
    with _light_hosts(sizes, shared_engine=False), connections() as folder:
        measures = Measures(folder, say)
        measure(first, sizes[-1], folder)
        _measure(measures, rounds, rounds_of, end)
    with _light_hosts(sizes, shared_engine=True), connections() as folder:
        measures.move(folder)
        measure(first, sizes[-1], folder)
        shared = {size: min(rounds, n) for size, n in SHARED_ROUNDS.items() if size in rounds_of}
        for size in itertools.chain(*schedule(shared)):
            measures.turn_shared(size)
    part.method = list(METHOD)
    part.series = _series(measures)
    part.targets = _targets(measures)
    part.account = _account(measures)
    part.notes = _notes(measures, os.cpu_count() or 1)
    return part
