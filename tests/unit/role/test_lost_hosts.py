# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host of three is lost, fails, or loses its process, in each phase of a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.role.run_role import Ended, run_role

pytestmark = pytest.mark.slow
WHOLE = ["planned", "staged", "live", "proved", "settled"]
ENDS = ("unreachable", "killed", "failed")


def one_summary(ended: Ended) -> None:
    """The run has failed, and one host has said how it ended."""
    assert ended.code != 0, ended.text
    assert ended.summaries() == 1, ended.text
    assert "Traceback" not in ended.text


def test_a_release_without_trouble_is_five_calls_on_each_host(tmp_path: Path) -> None:
    ended = run_role(tmp_path, {})
    assert ended.code == 0, ended.text
    assert ended.calls == dict.fromkeys("abc", WHOLE)


def test_a_single_host_is_one_call_whose_reason_is_printed_once(tmp_path: Path) -> None:
    ended = run_role(tmp_path, {"a settled": "failed"}, "--limit=a")
    assert ended.code != 0, ended.text
    assert ended.calls == {"a": ["settled"]}
    assert ended.text.count("settled went wrong") == 1


@pytest.mark.parametrize(
    ("state", "how"), [("staged", "failed"), ("proved", "killed"), *(("live", how) for how in ENDS)]
)
def test_before_it_is_final_the_others_go_back(tmp_path: Path, state: str, how: str) -> None:
    ended = run_role(tmp_path, {f"b {state}": how})
    one_summary(ended)
    assert ended.calls["a"][-1] == ended.calls["c"][-1] == "reverted"
    assert "settled" not in [*ended.calls["a"], *ended.calls["b"], *ended.calls["c"]]
    assert ("b could not be asked" in ended.text) == (how == "unreachable")


@pytest.mark.parametrize("how", ENDS)
def test_a_host_that_may_not_have_heard_that_it_is_final_is_told_once_more(
    tmp_path: Path, how: str
) -> None:
    ended = run_role(tmp_path, {"b settled": how})
    one_summary(ended)
    assert ended.calls == {"a": WHOLE, "b": [*WHOLE, "committed"], "c": WHOLE}
    assert "It is final on a, b, c." in ended.text


def test_a_host_that_is_final_already_is_not_told_again(tmp_path: Path) -> None:
    answer = {"failed": True, "final": True, "msg": "the old container does not stop"}
    ended = run_role(tmp_path, {"b settled": answer})
    one_summary(ended)
    assert ended.calls["b"] == WHOLE
    assert "the old container does not stop" in ended.text


def test_with_few_forks_a_host_that_is_lost_when_all_are_told_is_told_again(tmp_path: Path) -> None:
    ended = run_role(tmp_path, {"b committed 0": "unreachable"}, forks=2)
    one_summary(ended)
    assert ended.calls["b"].count("committed") == 2
    assert "reverted" not in [*ended.calls["a"], *ended.calls["b"], *ended.calls["c"]]


def test_when_all_are_lost_at_the_end_one_host_says_so(tmp_path: Path) -> None:
    lost = {
        f"{host} {state}": "unreachable" for host in "abc" for state in ("settled", "committed")
    }
    ended = run_role(tmp_path, lost)
    one_summary(ended)
    assert "It is final on" not in ended.text


def test_check_mode_finds_hosts_that_mean_different_releases(tmp_path: Path) -> None:
    ended = run_role(tmp_path, {"b settled": {"sha": "d" * 40}}, "--check")
    assert ended.code != 0, ended.text
    assert "The hosts do not mean the same release" in ended.text
    assert ended.calls == {host: ["settled"] for host in "abc"}
