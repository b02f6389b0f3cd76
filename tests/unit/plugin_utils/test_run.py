# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can meet, who asks, and how a run is called."""

from __future__ import annotations

import os
import re
import types
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.plugin_utils import taking_part
from ansible_collections.greenlight.droplet.plugins.plugin_utils.taking_part import Fleet

ABC = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("present", "forks", "words"),
    [
        (ABC, 3, []),
        (ABC, 5, []),
        (["a", "c"], 5, ["b cannot take part", "'serial'", "--limit", "Nothing was changed"]),
        (["c"], 5, ["a, b cannot take part"]),
        (ABC, 2, ["3 hosts", "2 at a time", "--forks 3", "Nothing was changed"]),
    ],
)
def test_hosts_that_cannot_meet_are_told_so(
    present: list[str], forks: int, words: list[str]
) -> None:
    variables = {"ansible_play_hosts_all": ABC, "ansible_play_batch": present}
    problem = Fleet.of(variables, forks).problem()
    assert bool(problem) is bool(words)
    assert all(word in problem for word in words)


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        ({}, ""),
        ({"throttle": 3}, ""),
        ({"throttle": 2}, "throttle"),
        ({"run_once": True}, "run_once"),
        ({"loop": [1]}, "loop"),
        ({"loop": ["{{ x }}"], "until": ["done"]}, "loop and until"),
        ({"retries": 2}, "retries"),
    ],
)
def test_keywords_that_keep_hosts_apart_are_refused(keywords: dict[str, t.Any], named: str) -> None:
    plain = {"run_once": False, "loop": None, "until": None, "retries": None, "throttle": 0}
    task = types.SimpleNamespace(**{**plain, **keywords})
    text = taking_part.unfit(task, 3)
    assert text.startswith(f"The task has {named}, with") if named else text == ""


def test_runs_are_named_by_their_moment_and_not_alike() -> None:
    names = {taking_part.new_run(0.0) for _attempt in range(5)}
    assert all(re.fullmatch(r"19700101T000000Z-[0-9]{1,6}", name) for name in names)
    assert len(names) > 1


def test_who_asks_is_the_actor_of_the_ci_or_the_user() -> None:
    machine = os.uname().nodename
    assert taking_part.person({"GITHUB_ACTOR": "ann", "USER": "runner"}) == f"ann@{machine}"
    assert taking_part.person({"USER": "bob"}) == f"bob@{machine}"
    assert taking_part.person({}) == f"root@{machine}"


def test_a_ci_run_has_an_address() -> None:
    github = {
        "GITHUB_RUN_ID": "7",
        "GITHUB_SERVER_URL": "https://git.example",
        "GITHUB_REPOSITORY": "team/api",
    }
    assert taking_part.ci_run(github) == "https://git.example/team/api/actions/runs/7"
    assert taking_part.ci_run({"CI_JOB_URL": "https://ci.example/1"}) == "https://ci.example/1"
    assert taking_part.ci_run({}) == ""
