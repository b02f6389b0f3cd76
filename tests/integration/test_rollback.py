# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going back: to the previous release, to a named one, with and without a registry."""

from __future__ import annotations

from typing import Any

from tests.integration.support.bench import Bench, sha

# Nobody answers there: what still works needs no registry.
CLOSED: dict[str, Any] = {
    "image": "127.0.0.1:9/nobody",
    "registry_password": "wrong",
}


def test_the_previous_release_comes_back_as_it_ran_and_without_a_registry(bench: Bench) -> None:
    bench.play(
        bench.release("A", env={"GREETING": "first"}),
        bench.release("B", env={"GREETING": "second"}),
    )
    four = bench.four(bench.rollback(env={"GREETING": "inventory"}, **CLOSED))
    assert four.apply["live"]["sha"] == sha("A")
    assert four.apply["standby"]["sha"] == sha("B")
    wanted = ["start standby", "gate", "confirm", "cut over", "commit", "drain", "retire"]
    assert four.apply.steps == wanted
    assert "with the configuration it ran with" in " ".join(four.apply["plan"])
    assert bench.version()["greeting"] == "first"
    note = four.apply_again["message"]
    assert f"already rolled back to {sha('A')[:7]}" in note
    assert f"name it: sha={sha('B')}" in note
    # The release that was left is the standby, and can be named.
    named = bench.one(bench.rollback(sha=sha("B")[:7], **CLOSED)).ok()
    assert named["live"]["sha"] == sha("B")
    assert bench.version()["greeting"] == "second"


def test_an_older_retained_release_takes_the_present_configuration_and_says_so(
    bench: Bench,
) -> None:
    bench.play(*(bench.release(name, env={"GREETING": name}) for name in ("A", "B", "C")))
    four = bench.four(bench.rollback(sha=sha("A"), env={"GREETING": "present"}, **CLOSED))
    assert "with the present configuration" in four.check["message"]
    assert "with the present configuration" in " ".join(four.apply["plan"])
    assert "pull" not in four.apply.steps
    assert four.apply["live"]["sha"] == sha("A")
    assert four.apply["standby"]["sha"] == sha("C")
    assert bench.version()["greeting"] == "present"
    # The one between lost its container and keeps its image.
    assert {sha("A"), sha("B"), sha("C")} <= bench.kept()


def test_what_is_not_retained_is_pulled_again(bench: Bench) -> None:
    bench.play(*(bench.release(name, retain=2) for name in ("A", "B", "C")))
    assert sha("A") not in bench.kept()
    bench.refused(
        bench.rollback(sha=sha("A"), **CLOSED),
        "The registry 127.0.0.1:9 cannot be reached from this host",
        "Nothing was changed",
    )
    bench.refused(bench.rollback(sha=sha("A"), image=""), "does not retain it either")
    result = bench.one(bench.rollback(sha=sha("A")[:7], retain=2)).ok()
    assert "pull" in result.steps
    assert result["live"]["sha"] == sha("A")
    assert bench.serving() == sha("A")


def test_without_a_previous_release_it_says_so(bench: Bench) -> None:
    bench.refused(bench.rollback(), "no previous release on this host to roll back to")
    bench.one(bench.release("A")).ok()
    bench.refused(bench.rollback(), "no previous release", "status-api.yml lists")


def test_a_standby_that_is_broken_is_stopped_again(bench: Bench) -> None:
    bench.play(bench.release("A"), bench.release("B"))
    health = {"expect": "status == 'impossible'", "deadline": 1, "interval": 0.1}
    result = bench.one(bench.rollback(health=health))
    assert f"Rollback of {sha('A')[:7]} failed at step 'gate'" in result.msg
    assert "stopped again and kept" in result["failure"]["outcome"]
    assert f"serving now {sha('B')} in slot green" in result.msg
    assert bench.serving() == sha("B")
    states = {c["State"]["Status"] for c in bench.containers().values()}
    assert states == {"running", "exited"}
    assert bench.one(bench.rollback()).ok()["live"]["sha"] == sha("A")
