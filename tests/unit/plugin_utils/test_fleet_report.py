# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet release decides from its hosts' words, and what it tells people."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.droplet.plugins.plugin_utils.fleet_report import (
    FleetError,
    View,
    batches,
    hosts_in_need,
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


def test_batches_take_all_hosts_once() -> None:
    assert batches(["a", "b", "c", "d", "e"], 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert batches(["a", "b"], 5) == [["a", "b"]]
    assert batches([], 1) == []


def test_a_summary_names_the_reason_first_and_the_next_command_last() -> None:
    views = {"a": View(live=SERVES_OLD), "b": View("not healthy", SERVES_OLD)}
    lines = summary(SHA, views).splitlines()
    assert lines[:2] == ["aaaaaaa was not released: b failed.", f"  {'b':<16} not healthy"]
    assert f"  {'a':<16} bbbbbbb (running)" in lines
    assert "All hosts serve one release, as before; nothing has to be undone." in lines
    assert lines[-1].endswith("playbooks/status-api.yml")


def test_hosts_that_serve_different_things_are_said_to_differ() -> None:
    first = {"a": View(live=SERVES_OLD)}
    for other in (View("x", unreachable=True), View("x"), View("x", {**SERVES_OLD, "sha": SHA})):
        assert "The hosts differ" in summary(SHA, {**first, "b": other})
    assert View().serving() == "no release"
    assert View(live=SERVES_OLD, unreachable=True).serving() == "unreachable, unknown"


def test_an_unsettled_host_is_named_with_the_first_line_of_its_reason() -> None:
    lines = unsettled(SHA, {"b": "disk full\nlong story"}).splitlines()
    assert lines[0] == "aaaaaaa is live on every host, but b could not settle:"
    assert lines[1] == f"  {'b':<16} disk full"
    assert "the same command again" in lines[2]
