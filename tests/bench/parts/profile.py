# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of one release goes, found by commands that each do one thing more."""

from __future__ import annotations

import re
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from dev.demo_process import BIN
from dev.sample_versions import sha_of
from tests.bench import commands, machine
from tests.bench.droplet import BenchDroplet, bench_droplet
from tests.bench.model import Part
from tests.bench.rounds import alternate
from tests.e2e import playbooks

_MEASURE = "seconds of a whole command"
_LOAD, _EMPTY, _RAW, _PING = (
    "ansible-playbook --version",
    "a play without tasks",
    "one command (raw)",
    "one module (ping)",
)
_STATUS, _SAME, _RELEASE = "status-api.yml", "update-api.yml, nothing to do", "update-api.yml"

_METHOD = (
    "Each contender does one thing more than the one before it, so differences of medians say what"
    " each thing costs. All run on one droplet, over an SSH connection that is open already.",
    "The module ping stands for Ansible's own way of asking a host: a module is packed, sent and"
    " compiled in each run. A status and a release without anything to do ask through the"
    " collection's host side, which lies on the host already, and do all that they are for.",
    "Imports are counted by Python's -X importtime on the controller: a top package with all that"
    " it loads.",
)


def _play(folder: Path, task: str) -> str:
    """Write a play with a task, or without one; return its path."""
    path = folder / f"{task.replace(' ', '-') or 'empty'}.yml"
    tasks = f"\n    - name: One task\n      ansible.builtin.{task}" if task else " []"
    text = f"- name: One play\n  hosts: api\n  gather_facts: false\n  tasks:{tasks}\n"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _contenders(
    droplet: BenchDroplet, folder: Path, steps: list[float]
) -> dict[str, Callable[[int], float]]:
    """Return the contenders; a release adds the seconds of its steps to `steps`."""
    ours = commands.OneHost(droplet)
    inventory = ("-i", str(droplet.inventory))
    empty, raw, ping = (_play(folder, task) for task in ("", "raw: 'true'", "ping:"))
    new, old = sha_of("one-second-start"), sha_of("A")

    def ansible(*arguments: str) -> Callable[[int], float]:
        return lambda _round: playbooks.run("ansible-playbook", *arguments).ok().seconds

    def release(_round: int) -> float:
        ours.update(old)
        outcome = ours.update(new)
        steps.append(sum(commands.step_seconds(outcome).values()))
        return outcome.seconds

    return {
        _LOAD: ansible("--version"),
        _EMPTY: ansible(*inventory, empty),
        _RAW: ansible(*inventory, raw),
        _PING: ansible(*inventory, ping),
        _STATUS: lambda _round: droplet.play("status-api").ok().seconds,
        _SAME: lambda _round: ours.update(new).seconds,
        _RELEASE: release,
    }


_IMPORT = re.compile(r"import time:\s+\d+ \|\s+(\d+) \| ( *)(\S+)")


def imports(text: str) -> dict[str, float]:
    """Return the seconds of each top-level package from the output of Python's -X importtime.

    Python prints a package after all that it loads, so the deepest that any line of a package says
    is the largest. Packages below 10 ms are left out.
    """
    found: dict[str, float] = {}
    for match in _IMPORT.finditer(text):
        package = match[3].partition(".")[0]
        found[package] = max(found.get(package, 0.0), int(match[1]) / 1e6)
    return {name: value for name, value in sorted(found.items()) if value >= 0.01}


def _import_account() -> dict[str, float]:
    command = [str(BIN / "python"), "-X", "importtime", "-c", "import ansible.cli.playbook"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return imports(done.stderr)


def account(medians: dict[str, float], steps: float) -> dict[str, float]:
    """Return where a release's seconds go, from the medians of the contenders and its steps."""
    parts = {
        "load Ansible": medians[_LOAD],
        "inventory, playbook, plugins": medians[_EMPTY] - medians[_LOAD],
        "a process and a connection": medians[_RAW] - medians[_EMPTY],
        "steps of the release": steps,
    }
    rest = medians[_RELEASE] - sum(parts.values())
    return {**parts, "host side: load, plan, look again": rest}


def run(rounds: int, say: Callable[[str], None]) -> Part:
    """Measure and return the outcome."""
    part = Part("profile", "Where the time goes", machine.today(), rounds, machine.describe())
    steps: list[float] = []
    with bench_droplet(say) as droplet, TemporaryDirectory() as folder:
        contenders = _contenders(droplet, Path(folder), steps)
        # Once unmeasured: the connection, the images and the host side are there afterwards.
        contenders[_RELEASE](0)
        steps.clear()
        part.series = alternate(_MEASURE, contenders, rounds, say)
    medians = {series.contender: series.median for series in part.series}
    part.account["release"] = {
        name: round(value, 3) for name, value in account(medians, statistics.median(steps)).items()
    }
    part.account["imports of the controller"] = _import_account()
    part.method = list(_METHOD)
    part.notes = [
        f"Asking through the host side costs {medians[_SAME] - medians[_RAW]:.2f} s more than one"
        f" command and does a whole plan; Ansible's own module that does nothing costs"
        f" {medians[_PING] - medians[_RAW]:.2f} s more.",
        "No facts are gathered; a release of one host is one task, and its host answers three to"
        " five SSH commands: begin, and one for each second or so in which steps are told.",
    ]
    return part
