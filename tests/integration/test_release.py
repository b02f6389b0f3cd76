# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module release: one call that does the whole transaction."""

from __future__ import annotations

from tests.integration.support.bench import TOKEN, Bench, sha

SECRET = "SAMPLE_API_TOKEN"


def test_the_first_release_serves_and_its_container_is_closed(bench: Bench) -> None:
    four = bench.four(bench.release("A"))
    assert "live: none" in four.check["diff"]["before"]
    assert f"live: {sha('A')}" in four.check["diff"]["after"]
    assert four.apply["live"]["sha"] == sha("A")
    assert four.apply["standby"] == {}
    assert bench.serving() == sha("A")

    (name, found), *others = bench.containers().items()
    assert not others
    assert name == f"api-blue-{sha('A')[:7]}"
    host = found["HostConfig"]
    assert host["PortBindings"] in ({}, None)
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert found["NetworkSettings"]["Networks"]["greenlight-api"]["IPAddress"] == "172.31.10.2"
    assert found["Config"]["Labels"]["greenlight.digest"] == four.apply["digest"]
    assert bench.inside(found)[SECRET] == TOKEN


def test_the_second_release_keeps_the_first_as_standby(bench: Bench) -> None:
    bench.one(bench.release("A")).ok()
    four = bench.four(bench.release("B"))
    wanted = ["start", "gate", "confirm", "cut over", "commit", "drain", "retire"]
    assert [step for step in four.apply.steps if step not in ("pull", "retain")] == wanted
    assert "nothing to do" in four.apply_again["message"]
    assert four.apply_again["needed"] is False
    assert bench.serving() == sha("B")
    states = {
        entry["Config"]["Labels"]["greenlight.sha"]: entry for entry in bench.containers().values()
    }
    assert states[sha("B")]["State"]["Status"] == "running"
    assert states[sha("A")]["State"]["Status"] == "exited"
    assert states[sha("A")]["HostConfig"]["RestartPolicy"]["Name"] == "no"


def test_changed_environment_or_secret_is_a_release_of_the_same_sha(bench: Bench) -> None:
    first, second = bench.play(bench.release("A"), bench.release("A", env={"GREETING": "changed"}))
    assert second.ok().changed
    assert second["config"] != first.ok()["config"]
    assert second["live"]["slot"] == "green"
    assert "pull" not in second.steps
    assert bench.version()["greeting"] == "changed"

    changed = {"GREETING": "changed"}
    rotated = bench.four(bench.release("A", env=changed, secrets={SECRET: "another"}))
    assert rotated.apply["live"]["sha"] == rotated.apply["standby"]["sha"] == sha("A")
    live = bench.containers()[rotated.apply["live"]["name"]]
    assert bench.inside(live)[SECRET] == "another"


def test_a_prefix_and_a_short_tag_mean_the_full_sha(bench: Bench) -> None:
    short = sha("A")[:7]
    full, prefix, upper, tagged = bench.play(
        bench.release("A"),
        bench.release(short),
        bench.release(short.upper()),
        bench.release(short, tag=f"sha-{short}"),
    )
    assert full.ok().changed
    for same in (prefix, upper, tagged):
        assert not same.ok().changed
        assert same["sha"] == sha("A")
        assert same["digest"] == full["digest"]


def test_planned_says_what_a_release_would_do_and_touches_nothing(bench: Bench) -> None:
    before = bench.state()
    planned = bench.one(bench.release("A", state="planned")).ok()
    assert not planned.changed
    assert planned["needed"]
    assert planned["digest"].startswith("sha256:")
    assert any(line.startswith("start:") for line in planned["plan"])
    assert bench.state() == before


def test_retention_keeps_live_and_standby_and_really_removes_the_rest(bench: Bench) -> None:
    calls = [bench.release(name, retain=2) for name in ("A", "B", "C")]
    first, second, third = bench.play(*calls)
    gone = f"docker image inspect {bench.options()['image']}@{first.ok()['digest']}"
    assert second.ok()["live"]["sha"] == sha("B")
    assert "retain" in third.ok().steps
    assert bench.kept() == {sha("B"), sha("C")}
    assert "no such image" in bench.sh(gone, check=False).lower()
    # Going to and fro between two releases never costs one of them its image.
    back, forth = bench.play(bench.rollback(retain=2), bench.release("C", retain=2))
    assert back.ok()["live"]["sha"] == sha("B")
    assert forth.ok()["live"]["sha"] == sha("C")
    assert bench.kept() == {sha("B"), sha("C")}
    assert bench.serving() == sha("C")
