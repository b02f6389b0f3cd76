# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others at work on the host: a second release, a crashed one, a person, a foreign container."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.support.bench import Bench, sha

WAIT_SECONDS = 20.0


@pytest.fixture
def live_a(bench: Bench) -> Bench:
    """The droplet with A live."""
    bench.one(bench.release("A")).ok()
    return bench


def wait_for(bench: Bench, condition: str) -> None:
    """Wait until a shell condition holds on the droplet."""
    limit = int(WAIT_SECONDS * 10)
    script = f"for i in $(seq {limit}); do {condition} && exit 0; sleep 0.1; done; exit 1"
    bench.sh(script)


# The watchdog of an earlier release may have it for a moment, so the holder is looked for.
LOCKED = "grep -sq ci- /var/lib/greenlight/api/lock"


def test_the_second_of_two_releases_says_who_holds_the_lock(live_a: Bench) -> None:
    bench = live_a
    slow = bench.release("B", holder="ci-run-17", watch={"seconds": 6})
    first = bench.begin(slow)
    wait_for(bench, LOCKED)
    second, info = bench.play(bench.release("C"), bench.rollback(check=True))
    assert "Another release by ci-run-17 (process" in second.msg
    assert "holds the lock on this host right now" in second.msg
    assert "lock_wait" in second.msg
    assert "nothing was changed" in second.msg
    assert not info.changed or info["plan"]
    assert first.end()[0].ok()["live"]["sha"] == sha("B")
    assert bench.serving() == sha("B")
    assert sha("C") not in {e.get("sha") for e in bench.journal()}


def test_the_second_can_wait_for_the_first(live_a: Bench) -> None:
    bench = live_a
    slow = bench.release("B", holder="ci-run-17", watch={"seconds": 3})
    first = bench.begin(slow)
    wait_for(bench, LOCKED)
    second = bench.one(bench.release("C", lock_wait=20))
    assert first.end()[0].ok()["live"]["sha"] == sha("B")
    assert second.ok()["live"]["sha"] == sha("C")
    assert second["standby"]["sha"] == sha("B")


def test_a_lease_of_another_run_is_named_and_can_be_broken(live_a: Bench) -> None:
    bench = live_a
    bench.one(bench.release("B", state="staged", run="r8", holder="ci-42")).ok()
    said = ("A release is under way", f"ci-42 (release of {sha('B')[:7]}, run r8) until 20")
    result = bench.refused(bench.release("C"), *said, "app_break_lease")
    assert "this host puts itself right, and the next run may begin" in result.msg
    bench.refused(bench.release("C", check=True), *said)
    # A rollback would go past it, if there were anything to go back to.
    bench.refused(bench.rollback(), "no previous release")

    broken = bench.one(bench.release("C", break_lease="controller died", holder="ann")).ok()
    assert broken["live"]["sha"] == sha("C")
    (entry,) = [e for e in bench.journal() if e["event"] == "lease-broken"]
    assert entry["reason"] == "controller died"
    assert entry["holder"] == "ann"
    assert "run r8" in entry["overruled"]
    # What the other run had staged is gone.
    found = {c["Config"]["Labels"]["greenlight.sha"] for c in bench.containers().values()}
    assert found == {sha("A"), sha("C")}


def test_a_rollback_ends_a_release_at_work_and_says_so(live_a: Bench) -> None:
    bench = live_a
    bench.one(bench.release("B")).ok()
    playing = bench.begin(bench.release("C", watch={"seconds": 60}, holder="ci-42"))
    wait_for(bench, LOCKED)
    wait_for(bench, f"grep -q '\"live\".*{sha('C')}' /var/lib/greenlight/api/journal.jsonl")
    result = bench.one(bench.rollback()).ok()
    assert playing.end()[0].failed
    assert "another release by ci-42 (process" in " ".join(result["warnings"])
    assert bench.serving() == sha("B")
    (entry,) = [e for e in bench.journal() if e["event"] == "process-ended"]
    assert entry["reason"] == "a rollback goes before a release"
    assert bench.state()["lease"] is None


def test_a_lease_that_ran_out_stops_nobody(live_a: Bench) -> None:
    bench = live_a
    bench.one(bench.release("B", state="staged", run="r9")).ok()
    path = "/var/lib/greenlight/api/lease.json"
    uptime = float(bench.sh("cut -d' ' -f1 /proc/uptime"))
    lease = json.loads(bench.sh(f"cat {path}")) | {"uptime": uptime - 1}
    bench.machine.write(path, json.dumps(lease))
    assert bench.one(bench.release("C")).ok()["live"]["sha"] == sha("C")


def test_a_killed_release_is_cleaned_up_by_the_next(live_a: Bench) -> None:
    bench = live_a
    # Starts too slowly to pass the gate before it is killed.
    stuck = bench.release("slow-start", health={"deadline": 30})
    play = bench.begin(stuck)
    wait_for(bench, f"docker ps --format '{{{{.Names}}}}' | grep -q {sha('slow-start')[:7]}")
    lock = json.loads(bench.sh("cat /var/lib/greenlight/api/lock"))
    bench.sh(f"kill -KILL {lock['pid']}")
    assert play.end()[0].failed
    assert bench.serving() == sha("A")
    result = bench.one(bench.release("B")).ok()
    (note,) = result["warnings"]
    assert "was left half way" in note
    assert f"api-green-{sha('slow-start')[:7]} is gone" in note
    assert bench.serving() == sha("B")
    found = {c["Config"]["Labels"]["greenlight.sha"] for c in bench.containers().values()}
    assert found == {sha("A"), sha("B")}


def test_a_stopped_container_left_by_a_crash_is_removed(live_a: Bench) -> None:
    bench = live_a
    labels = " ".join(
        f"--label greenlight.{key}={value}"
        for key, value in {
            "app": "api",
            "slot": "green",
            "sha": sha("C"),
            "release": "20200101T000000Z-crashed",
        }.items()
    )
    bench.sh(f"docker create --name api-green-{sha('B')[:7]} {labels} greenlight/api:{sha('A')}")
    four = bench.four(bench.release("B"))
    assert "neither live nor standby" in " ".join(four.check["plan"])
    assert four.apply.steps[0] == "clean up"
    assert len(bench.containers()) == 2


def test_a_live_container_stopped_by_hand_is_replaced(live_a: Bench) -> None:
    bench = live_a
    (name,) = bench.containers()
    bench.sh(f"docker stop -t 2 {name}")
    assert bench.serving() != sha("A")
    result = bench.one(bench.release("A")).ok()
    assert result.changed
    assert result["live"]["state"] == "running"
    assert bench.serving() == sha("A")
    assert not bench.one(bench.release("A")).ok().changed


def test_a_pointer_edited_by_hand_is_repaired(live_a: Bench) -> None:
    bench = live_a
    path = "/var/lib/greenlight/api/live.map"
    for entry, found in (("api api-green", "green"), ("nonsense", "nothing")):
        bench.sh(f"echo '{entry}' > {path}")
        four = bench.four(bench.release("A"))
        assert four.apply.steps == ["repair"]
        text = four.apply["steps"][0]["text"]
        assert text == f"pointer file says {found}, HAProxy serves blue"
        assert bench.sh(f"tail -n 1 {path}").strip() == "api api-blue"
        assert bench.serving() == sha("A")


def test_a_lost_journal_is_begun_again_and_the_live_release_stays(live_a: Bench) -> None:
    bench = live_a
    bench.sh("rm /var/lib/greenlight/api/journal.jsonl")
    four = bench.four(bench.release("A"))
    assert four.apply.steps == ["repair"]
    assert "recovered" in [entry["event"] for entry in bench.journal()]
    result = bench.one(bench.release("B")).ok()
    assert result["standby"]["sha"] == sha("A")


@pytest.fixture
def foreign(live_a: Bench) -> Iterator[Bench]:
    """The droplet with a container that has the name of ours and none of our labels."""
    name = f"api-green-{sha('B')[:7]}"
    live_a.sh(f"docker create --name {name} greenlight/api:{sha('A')}")
    yield live_a
    live_a.sh(f"docker rm -f {name}")


def test_a_foreign_container_with_our_name_is_left_alone(foreign: Bench) -> None:
    bench = foreign
    name = f"api-green-{sha('B')[:7]}"
    result = bench.one(bench.release("B")).ok()
    assert result["live"]["name"] == f"{name}-2"
    assert bench.machine.json(f"docker inspect {name}")[0]["State"]["Status"] == "created"


def test_a_foreign_container_at_the_slots_address_is_named_and_left_alone(live_a: Bench) -> None:
    bench = live_a
    place = "--network greenlight-api --ip 172.31.10.3"
    bench.sh(f"docker run -d --name squatter {place} greenlight/api:{sha('A')}")
    try:
        said = "The container 'squatter' has the address 172.31.10.3 of slot green"
        bench.refused(bench.release("B"), said, "Nothing was changed")
        assert bench.serving() == sha("A")
    finally:
        bench.sh("docker rm -f squatter")


def test_an_image_removed_by_hand_is_pulled_again(live_a: Bench) -> None:
    bench = live_a
    bench.play(bench.release("B"), bench.release("C"))
    bench.sh(f"docker rmi -f $(docker image inspect -f '{{{{.Id}}}}' greenlight/api:{sha('A')})")
    result = bench.one(bench.release("A")).ok()
    assert "pull" in result.steps
    assert bench.serving() == sha("A")
