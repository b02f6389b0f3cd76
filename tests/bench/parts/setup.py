# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up of a droplet, large firewalls, a long journal, and a host that is full of others' things.

All on one droplet of its own, which is bare at first and gone afterwards.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import yaml

from dev import bases, droplets, state
from dev import fleet as dev_fleet
from tests.bench import firewall_rivals as rivals
from tests.bench import full_host, machine, rounds
from tests.bench.droplet import BenchDroplet, merged_inventory
from tests.bench.model import OURS, Part, Series, Target
from tests.e2e import playbooks
from tests.integration.support.machine import fleet

Say = Callable[[str], None]

OUR_SIZES = (10, 60, 1000, 6000)
RULE_SIZES = (10, 60)
"""Networks that are let in rule by rule: 60 take most of a minute."""
LARGEST = OUR_SIZES[-1]
APPLY_SECONDS, APPLY_RATIO = 3.0, 100.0
TITLE = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?:(?P<role>[\w.]+) : )?.*\]")
# Otherwise Ansible prints the title of a task when it has a result, which is at its end.
TITLES_FIRST = {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"}
NO_ROLE = "tasks of the playbook"


def role_seconds(lines: Sequence[tuple[float, str]], end: float) -> dict[str, float]:
    """Return the seconds of a play by role, in the order of first appearance.

    `lines` are the output with the second of each; `end` is the second at which the command ended.
    Before the first title Ansible starts; after the recap it ends.
    """
    marks = [(0.0, "start of Ansible")]
    for second, line in lines:
        if match := TITLE.match(line):
            role = match["role"]
            marks.append((second, role.rpartition(".")[2] if role else NO_ROLE))
        elif line.startswith("PLAY RECAP"):
            marks.append((second, "end of Ansible"))
    found: dict[str, float] = {}
    ends = [*(second for second, _name in marks[1:]), end]
    for (begin, name), until in zip(marks, ends, strict=True):
        found[name] = round(found.get(name, 0.0) + until - begin, 3)
    return found


def lower_bound(rules: int, seconds_per_rule: Sequence[float]) -> float:
    """Return the seconds that `rules` rules take at least: all at the cheapest rate seen."""
    return rules * min(seconds_per_rule)


@contextmanager
def _bare_droplet() -> Iterator[BenchDroplet]:
    """Give a droplet on which nothing was ever set up; it is removed afterwards."""
    droplet = BenchDroplet(f"{BenchDroplet().name}-bare")
    distribution = bases.DISTRIBUTIONS[bases.DEFAULT_DISTRIBUTION]
    if dev_fleet.status() != 0:
        dev_fleet.up(distribution, 2)
    fleet("build", "--push", full_host.VERSION, module="dev.sample_api")
    droplets.remove(droplet.name)
    try:
        dev_fleet.droplet_up(droplet.name, 0, distribution)
        inventory = merged_inventory(droplet.name, droplet.connection)
        state.write_private(droplet.inventory, yaml.safe_dump(inventory, sort_keys=False))
        yield droplet
    finally:
        droplet.down()


def _set_up(droplet: BenchDroplet) -> playbooks.Outcome:
    environment = playbooks.environment(TITLES_FIRST)
    return playbooks.play("setup-api", "-i", str(droplet.inventory), env=environment).ok()


def measure_runs(part: Part, droplet: BenchDroplet, count: int, say: Say) -> None:
    """Set the bare droplet up, then again and again; raises AssertionError when one changes it."""
    first = _set_up(droplet)
    say(f"set-up, first run: {first.seconds:.1f} s, {first.changed()} tasks changed something")
    part.series.append(Series("set-up, first run", OURS, "s", [round(first.seconds, 2)]))
    part.account["set-up, first run"] = role_seconds(first.lines, first.seconds)
    values, roles = [], []
    for number in range(count):
        again = _set_up(droplet)
        assert again.changed() == 0, again.text
        values.append(round(again.seconds, 2))
        roles.append(role_seconds(again.lines, again.seconds))
        say(f"set-up, second run: round {number + 1} of {count}, {again.seconds:.1f} s, changed=0")
    part.series.append(Series("set-up, second run", OURS, "s", values))
    part.account["set-up, second run"] = {
        name: round(statistics.median(one[name] for one in roles), 3) for name in roles[0]
    }
    part.method.append(
        "Set-up: setup-api.yml, the whole command, on a droplet that is bare (one run: each"
        " needs a new droplet; what apt downloads is in it) and on the same droplet again, where"
        " changed=0 was checked each time. Seconds of a role: from one title of a task to the next."
    )


def measure_firewall(part: Part, droplet: BenchDroplet, count: int, say: Say) -> None:
    """Let many networks in by our module and rule by rule. Raises AssertionError on a failure."""
    walls = rivals.Firewalls(droplet)
    missing = rivals.ensure_collections(say)
    rates: dict[int, list[float]] = {}
    for size in OUR_SIZES:
        changes: list[float] = []
        measure = f"firewall, {size} networks, applied"
        contenders = {OURS: partial(_applied, walls, size, changes)}
        if is_rival_here := size in RULE_SIZES and not missing:
            contenders[rivals.RULE_BY_RULE] = partial(_rule_by_rule, walls, size)
        part.series += rounds.alternate(measure, contenders, count, say)
        changed = f"firewall, {size} networks, changed by one"
        part.series.append(Series(changed, OURS, "s", changes))
        if is_rival_here:
            values = part.find(measure, rivals.RULE_BY_RULE).values
            rates[size] = [round(seconds / size, 4) for seconds in values]
    _judge_firewall(part, rates)
    if missing:
        part.notes.append(f"{rivals.RULE_BY_RULE} was left out: {missing}")


def _applied(walls: rivals.Firewalls, size: int, changes: list[float], _round: int) -> float:
    applied, changed = walls.ours(size)
    changes.append(round(changed, 4))
    return applied


def _rule_by_rule(walls: rivals.Firewalls, size: int, _round: int) -> float:
    return walls.rule_by_rule(size)


def _judge_firewall(part: Part, rates: dict[int, list[float]]) -> None:
    """Set our largest firewall against its target, and against rules one by one (s by size)."""
    ours = part.find(f"firewall, {LARGEST} networks, applied")
    text = f"Firewall with {LARGEST:,} networks, applied"
    part.targets.append(Target(text, APPLY_SECONDS, ours.median, "s"))
    part.method.append(
        "Firewall: seconds of the one task by Ansible over an open SSH connection, without the"
        " start of Ansible, from the rules of the inventory alone; rules and sets were then looked"
        " at in the kernel. Both contenders ran with our connection settings (pipelining)."
    )
    if not rates:
        return
    part.series += [
        Series(f"firewall, one rule of {size}", rivals.RULE_BY_RULE, "s", found)
        for size, found in rates.items()
    ]
    bound = lower_bound(LARGEST, [rate for found in rates.values() for rate in found])
    measure = f"firewall, {LARGEST} networks, extrapolated from {max(rates)} rules"
    part.series.append(Series(measure, OURS, "s", ours.values))
    part.series.append(Series(measure, rivals.RULE_BY_RULE, "s", [round(bound, 1)]))
    text = f"Firewall with {LARGEST:,} networks, times faster than rule by rule (extrapolated)"
    part.targets.append(Target(text, APPLY_RATIO, bound / ours.median, "times", at_least=True))
    said = ", ".join(f"{min(found):.2f} s a rule of {size}" for size, found in rates.items())
    part.notes.append(
        f"Rule by rule, {LARGEST:,} networks were not run: {bound / 60:.0f} minutes is an"
        f" extrapolation, {LARGEST:,} times the cheapest rule that was seen (at best {said}). It"
        " is a lower bound as long as a rule does not become cheaper the more there are; each call"
        " of ufw reads and writes all of them."
    )


def run(count: int, say: Say) -> Part:
    """Measure set-up and what grows with time. Raises AssertionError when a check fails."""
    part = Part("setup", "Set-up and full hosts", machine.today(), count, machine.describe())
    with _bare_droplet() as droplet:
        for measure in (
            measure_runs,
            measure_firewall,
            full_host.measure_crowd,
            full_host.measure_journal,
        ):
            measure(part, droplet, count, say)
    return part
