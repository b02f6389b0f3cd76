# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module release_info: what it says is what Docker, HAProxy and the journal say."""

from __future__ import annotations

from tests.integration.support.ansible import Call
from tests.integration.support.bench import Bench, sha

INFO = Call("release_info", {"app": "api"})


def test_before_the_first_release_there_is_nothing(bench: Bench) -> None:
    found = bench.one(INFO).ok()
    assert (found["live"], found["standby"], found["leftovers"]) == ({}, {}, [])
    assert found["pointer"] == {"file": None, "runtime": None, "answered": True}
    assert found["lease"] == ""
    assert found["events"] == []
    # Images that releases before the journal left are there, and are not called retained.
    assert {entry["state"] for entry in found["retained"]} <= {"unused"}


def test_it_says_what_docker_and_haproxy_say(bench: Bench) -> None:
    before = bench.play(bench.release("A"), bench.release("B"))
    state = bench.state()
    found = bench.one(INFO).ok()
    assert not found.changed
    assert bench.state() == state

    containers = bench.containers()
    for role, name in (("live", "B"), ("standby", "A")):
        said, real = found[role], containers[found[role]["name"]]
        labels = real["Config"]["Labels"]
        assert said["sha"] == labels["greenlight.sha"] == sha(name)
        for key in ("release", "digest", "config", "slot"):
            assert said[key] == labels[f"greenlight.{key}"], key
        assert said["state"] == real["State"]["Status"]
        assert said["started"] == real["State"]["StartedAt"]
    assert found["live"]["digest"] == before[1].ok()["digest"]
    assert found["pointer"] == {"file": "green", "runtime": "green", "answered": True}
    assert found["slots"]["green"] == "UP"
    assert found["leftovers"] == []
    lived = [entry for entry in bench.journal() if entry["event"] == "live"]
    assert found["live"]["since"] == lived[-1]["time"]
    assert found["standby"]["since"] == lived[0]["time"]
    assert found["events"] == bench.journal()[-10:]


def test_retained_images_are_dockers_newest_first_and_also_facts(bench: Bench) -> None:
    bench.play(*(bench.release(name, retain=3) for name in ("A", "B", "C")))
    found = bench.one(Call("release_info", {"app": "api", "events": 2})).ok()
    assert [(e["sha"], e["state"]) for e in found["retained"]] == [
        (sha("C"), "live"),
        (sha("B"), "standby"),
        (sha("A"), "retained"),
    ]
    sizes = bench.machine.json(f"docker image inspect greenlight/api:{sha('A')}")[0]
    assert found["retained"][2]["megabytes"] == round(sizes["Size"] / 1_000_000, 1)
    assert found["retained"][2]["digest"] == sizes["RepoDigests"][0].partition("@")[2]
    assert len(found["events"]) == 2
    facts = found["ansible_facts"]["greenlight_releases"]["api"]
    assert facts["live"] == found["live"]
    assert facts["retained"] == found["retained"]


def test_leftovers_and_a_lease_are_shown(bench: Bench) -> None:
    bench.play(
        bench.release("A"),
        bench.release("B", state="staged", run="r7", holder="ci-42"),
    )
    found = bench.one(INFO).ok()
    assert [entry["sha"] for entry in found["leftovers"]] == [sha("B")]
    assert found["live"]["sha"] == sha("A")
    assert "ci-42 (release of" in found["lease"]
    assert "run r7) until" in found["lease"]
