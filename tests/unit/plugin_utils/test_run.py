# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can meet, who asks, and how a run is called."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from ansible_collections.greenlight.droplet.plugins.plugin_utils import run

ABC = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("present", "strategy", "words"),
    [
        (ABC, "linear", []),
        (ABC, "ansible.builtin.linear", []),
        (
            ["a", "c"],
            "linear",
            ["b cannot take part", "'serial'", "--limit"],
        ),
        (["c"], "linear", ["a, b cannot take part"]),
        (ABC, "free", ["strategy free", "Nothing was changed"]),
        (ABC, "host_pinned", ["strategy host_pinned"]),
    ],
)
def test_hosts_that_cannot_act_as_one_are_named(
    present: list[str], strategy: str, words: list[str]
) -> None:
    problem = run.unfit(ABC, present, strategy)
    assert bool(problem) is bool(words)
    assert all(word in problem for word in words)


def test_a_process_of_this_machine_has_ended_once_it_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = run.controller(process.pid)
        assert not run.has_ended(name)
        process.communicate(b"\n")
    assert run.has_ended(name)


@pytest.mark.parametrize("name", ["", "another-boot:1:1", "nonsense", "a:b:c"])
def test_a_process_of_elsewhere_is_not_judged(name: str) -> None:
    assert not run.has_ended(name)


def test_a_process_number_that_is_used_again_is_another_process() -> None:
    boot, pid, start = run.controller(os.getpid()).split(":")
    assert not run.has_ended(f"{boot}:{pid}:{start}")
    assert run.has_ended(f"{boot}:{pid}:{int(start) - 1}")


def test_runs_are_named_by_their_moment_and_not_alike() -> None:
    names = {run.new_run(0.0) for _attempt in range(5)}
    assert all(re.fullmatch(r"19700101T000000Z-[0-9]{1,6}", name) for name in names)
    assert len(names) > 1


def test_who_asks_is_the_actor_of_the_ci_or_the_user() -> None:
    machine = os.uname().nodename
    assert run.person({"GITHUB_ACTOR": "ann", "USER": "runner"}) == f"ann@{machine}"
    assert run.person({"USER": "bob"}) == f"bob@{machine}"
    assert run.person({}) == f"root@{machine}"


def test_a_ci_run_has_an_address() -> None:
    github = {
        "GITHUB_RUN_ID": "7",
        "GITHUB_SERVER_URL": "https://git.example",
        "GITHUB_REPOSITORY": "team/api",
    }
    assert run.ci_run(github) == "https://git.example/team/api/actions/runs/7"
    assert run.ci_run({"CI_JOB_URL": "https://ci.example/1"}) == "https://ci.example/1"
    assert run.ci_run({}) == ""
