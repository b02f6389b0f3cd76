# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet release decides from its hosts' words, and what it tells people."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.plugin_utils import fleet_report
from ansible_collections.greenlight.droplet.plugins.plugin_utils.fleet_report import (
    FleetError,
    View,
    hosts_in_need,
    release_summary,
    settle_summary,
    summary,
    unsettled,
)

SHA, OLD, DIGEST = "a" * 40, "b" * 40, "sha256:" + "c" * 64

SERVES_OLD = {"sha": OLD, "state": "running"}


def test_only_hosts_with_steps_are_in_need_in_the_plays_order() -> None:
    plan = {"sha": SHA, "digest": DIGEST}
    plans = {"c": {**plan, "needed": True}, "a": {**plan, "needed": False}}
    assert hosts_in_need({**plans, "b": {**plan, "needed": True}}) == ["c", "b"]


@pytest.mark.parametrize("other", [{"sha": OLD}, {"digest": "sha256:" + "d" * 64}])
def test_another_sha_or_digest_is_another_release(other: dict[str, str]) -> None:
    plan = {"sha": SHA, "digest": DIGEST, "needed": True}
    with pytest.raises(FleetError, match=r"do not mean the same release(.|\n)*  b: "):
        hosts_in_need({"a": plan, "b": {**plan, **other}})


def test_one_host_by_two_names_is_named_before_anything_is_asked_of_it() -> None:
    plan = {"sha": SHA, "digest": DIGEST, "needed": True}
    plans = {
        "api-1": {**plan, "identity": "x"},
        "api-2": {**plan, "identity": "y"},
        "alias-of-1": {**plan, "identity": "x", "needed": False},
    }
    with pytest.raises(FleetError, match=r"^api-1 and alias-of-1 are one host by more than one"):
        hosts_in_need(plans)
    # A version that tells no identity is believed.
    assert hosts_in_need({"a": plan, "b": plan}) == ["a", "b"]


def test_a_summary_names_the_reason_first_and_the_next_command_last() -> None:
    views = {"a": View(live=SERVES_OLD), "b": View("not healthy", SERVES_OLD)}
    lines = summary(SHA, views).splitlines()
    assert lines[:2] == ["aaaaaaa was not released: b failed.", f"  {'b':<16} not healthy"]
    assert f"  {'a':<16} bbbbbbb (running)" in lines
    assert "All hosts serve one release, as before; nothing has to be undone." in lines
    assert lines[-1].endswith("playbooks/status-api.yml")


def test_hosts_that_serve_different_things_are_said_to_differ() -> None:
    other = View("x", {**SERVES_OLD, "sha": SHA})
    assert "The hosts differ" in summary(SHA, {"a": View(live=SERVES_OLD), "b": other})
    assert View().serving() == "no release"
    assert View(live=SERVES_OLD, unreachable=True).serving() == "unknown"


def test_of_a_host_that_cannot_be_asked_nothing_is_claimed() -> None:
    views = {"a": View(live=SERVES_OLD), "b": View("x", unreachable=True)}
    text = summary(SHA, views, bound=90)
    assert "All hosts serve one release" not in text
    assert "b could not be asked" in text
    assert "within 90 s" in text


def registered(**results: dict[str, t.Any]) -> dict[str, t.Any]:
    """What role app has registered on a host."""
    return {f"__app_{name}": result for name, result in results.items()}


def test_the_first_failure_of_a_host_is_its_reason() -> None:
    plan = {"sha": SHA}
    failed = {"failed": True, "failure": {"reason": "not healthy"}, "msg": "long"}
    back = {"live": SERVES_OLD}
    hostvars = {
        "a": registered(plan=plan, staged={"sha": SHA}, reverted=back),
        "b": registered(plan=plan, staged=failed, reverted=back),
    }
    lines = release_summary(hostvars, ["a", "b"], "a").splitlines()
    assert lines[:2] == ["aaaaaaa was not released: b failed.", f"  {'b':<16} not healthy"]
    assert "All hosts serve one release, as before; nothing has to be undone." in lines


def test_a_host_that_was_never_touched_is_not_said_to_serve_anything() -> None:
    refused = {"failed": True, "msg": "frozen"}
    hostvars = {"a": registered(plan=refused), "b": registered(plan={"sha": SHA})}
    text = release_summary(hostvars, ["a", "b"], "a")
    assert text.splitlines()[-1] == "No host was touched."
    assert "Serving now" not in text


def test_one_host_says_it_and_the_first_that_was_heard() -> None:
    plan = registered(plan={"sha": SHA}, staged={"sha": SHA})
    lost = {**plan, **registered(staged={"unreachable": True, "msg": "no route"})}
    back = {**plan, **registered(reverted={"live": SERVES_OLD})}
    hostvars = {"a": lost, "b": back, "c": back}
    said = {host: release_summary(hostvars, list(hostvars), host) for host in hostvars}
    assert said["a"] == said["c"] == "see above"
    assert "a could not be asked" in said["b"]
    assert "cannot be reached: no route" in said["b"]


def test_one_host_says_it_when_none_could_say_what_it_serves() -> None:
    plan = registered(plan={"sha": SHA}, staged={"sha": SHA})
    lost = {**plan, **registered(turned={"unreachable": True, "msg": "no route"})}
    failed = {**plan, **registered(reverted={"failed": True, "msg": "disk full"})}
    hostvars = {"a": lost, "b": failed, "c": failed}
    said = {host: release_summary(hostvars, list(hostvars), host) for host in hostvars}
    assert said["a"] == said["c"] == "see above"
    assert "a could not be asked." in said["b"]
    assert "b could not take it back: disk full" in said["b"]
    assert "What this run has done on a, b, c, the host takes back alone" in said["b"]
    assert "it is the first one, and stays" in said["b"]
    for host in hostvars.values():
        host["__app_plan"] = {"sha": SHA, "live": SERVES_OLD}
    assert "stays" not in release_summary(hostvars, list(hostvars), "b")


def test_hosts_that_served_nothing_before_are_not_said_to_serve_a_release() -> None:
    hosts = registered(plan={"sha": SHA}, staged={"failed": True}, reverted={"live": {}})
    text = release_summary({"a": hosts, "b": hosts}, ["a", "b"], "a")
    assert "No host serves a release, as before; nothing has to be undone." in text


def test_an_installation_of_an_earlier_run_does_not_count() -> None:
    run, old = registered(run={"run": "2"}), registered(installed={"failed": True, "msg": "full"})
    refused = registered(plan={"failed": True, "msg": "frozen", "run": "2"})
    text = release_summary({"a": {**run, **old, **refused}}, ["a"], "a")
    assert "No host was touched." in text
    assert "full" not in text


def test_what_could_not_be_settled_is_said_by_one_host() -> None:
    plan = registered(plan={"sha": SHA})
    lost = {**plan, **registered(settled={"unreachable": True, "msg": "no route"})}
    done = {**plan, **registered(settled={"sha": SHA})}
    hostvars = {"a": lost, "b": done, "c": done}
    said = {host: settle_summary(hostvars, list(hostvars), host) for host in hostvars}
    assert said["b"] == said["c"] == "see above"
    assert "cannot be reached: no route" in said["a"]


def test_the_reason_of_a_failed_cutover_is_not_the_balancers() -> None:
    failed = {"failed": True, "failure": {"reason": "3 of 5 requests failed"}}
    host = registered(plan={"sha": SHA}, turned=failed, reverted={"live": SERVES_OLD})
    text = release_summary({"a": host}, ["a"], "a")
    assert "3 of 5 requests failed" in text
    assert "load balancer" not in text


def test_what_an_earlier_run_of_the_play_has_registered_does_not_count() -> None:
    run = registered(run={"run": "2"})
    old = registered(staged={"sha": OLD, "run": "1"}, turned={"failed": True, "run": "1"})
    refused = registered(plan={"failed": True, "msg": "frozen", "run": "2"})
    text = release_summary({"a": {**run, **old, **refused}}, ["a"], "a")
    assert text.splitlines()[-1] == "No host was touched."


@pytest.mark.parametrize("phase", ["staged", "turned", "committed", "settled"])
def test_a_host_on_which_a_phase_has_begun_was_touched(phase: str) -> None:
    run = registered(run={"run": "1"}, plan={"sha": SHA, "run": "1"})
    broken = registered(**{phase: {"failed": True, "msg": "MODULE FAILURE"}})
    text = release_summary({"a": {**run, **broken}}, ["a"], "a")
    assert "No host was touched" not in text


def test_what_is_wrong_through_the_balancer_is_the_reason_of_no_host() -> None:
    hosts = registered(plan={"sha": SHA}, staged={"sha": SHA}, reverted={"live": SERVES_OLD})
    balancer = registered(balancer={"failed": True, "msg": "api-2 was not seen"})
    text = release_summary({"a": {**hosts, **balancer}}, ["a"], "a")
    assert "it was not right through the load balancer" in text
    assert "api-2 was not seen" in text


def test_an_unsettled_host_is_named_with_the_first_line_of_its_reason() -> None:
    lines = unsettled(SHA, {"b": "disk full\nlong story"}, ["a"]).splitlines()
    assert lines[0] == "aaaaaaa was not made final and settled on b:"
    assert lines[1:3] == [f"  {'b':<16} disk full", "It is final on a."]
    assert "brings all hosts together" in lines[-1]


def test_a_single_host_whose_process_was_killed_says_so_and_what_serves() -> None:
    killed = {"failed": True, "rc": 137, "msg": "Module result deserialization failed"}
    host = registered(run={"run": "1"}, settled=killed, reverted={"live": SERVES_OLD, "run": "1"})
    lines = release_summary({"a": host}, ["a"], "a").splitlines()
    assert lines[0] == "Nothing was released: a failed."
    assert "killed on the host (exit code 137)" in lines[1]
    assert "deserialization" not in lines[1]
    assert lines[2:4] == ["Serving now:", f"  {'a':<16} {OLD[:7]} (running)"]


def test_a_run_that_is_final_is_not_said_to_be_taken_back() -> None:
    killed = {"failed": True, "rc": 137, "msg": "Module result deserialization failed"}
    final = {"failed": True, "msg": "Run 1 is final", "final": True, "live": SERVES_OLD, "run": "1"}
    host = registered(run={"run": "1"}, settled=killed, reverted=final)
    text = release_summary({"a": host}, ["a"], "a")
    assert text.startswith("It was released, but not seen to its end: a failed.")
    assert "On a it is final; the host completes what is left alone." in text
    assert "takes it back" not in text


ENDED = {"failed": True, "lease": {"controller": "ended"}}
LIVING = {"failed": True, "lease": {"controller": "living"}}


@pytest.mark.parametrize(
    ("plans", "wanted"),
    [
        ([ENDED, ENDED], True),
        ([ENDED, {"sha": SHA}], True),
        ([{"sha": SHA}, {"sha": SHA}], False),
        ([ENDED, LIVING], False),
        ([ENDED, {"outdated_command": True}], False),
        ([ENDED, {"unreachable": True}], False),
        ([ENDED, {"failed": True, "msg": "frozen"}], False),
        ([ENDED, None], False),
    ],
)
def test_only_runs_that_have_ended_are_broken(
    plans: list[dict[str, t.Any] | None], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_report, "has_ended", lambda name: name == "ended")
    names = [str(number) for number in range(len(plans))]
    hosts = {
        name: registered(plan=plan) if plan else {} for name, plan in zip(names, plans, strict=True)
    }
    assert fleet_report.refused_by_ended_runs(hosts, names) == wanted


def test_a_host_without_a_plan_is_named() -> None:
    with pytest.raises(FleetError, match="b could not be planned"):
        hosts_in_need(
            {"a": {"sha": SHA, "digest": "d", "needed": True}, "b": {"unreachable": True}}
        )


def test_the_sha_of_an_earlier_run_of_the_play_is_not_named() -> None:
    host = registered(run={"run": "2"}, plan={"sha": SHA, "run": "1"}, settled={"failed": True})
    assert SHA[:7] not in release_summary({"a": host}, ["a"], "a")


def test_a_host_that_was_told_once_more_counts_as_final() -> None:
    lost = registered(plan={"sha": SHA}, settled={"failed": True, "msg": "connection lost"})
    told, deaf = registered(told={"changed": True}), registered(told={"failed": True})
    hosts = {"a": registered(plan={"sha": SHA}), "b": {**lost, **told}, "c": {**lost, **deaf}}
    lines = settle_summary(hosts, ["a", "b", "c"], "b").splitlines()
    assert lines[0].endswith("was not made final and settled on b, c:")
    assert "It is final on a, b." in lines
