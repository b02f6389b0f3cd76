# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog on a real droplet: runs that were cut off, and what a person at the console sees."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from dev import droplets
from tests.integration.support.bench import APP, SCRIPT, Bench, sha
from tests.integration.support.faults import (
    FOLDER,
    WATCHING,
    assert_whole,
    converges,
    events,
    load,
    wait_for,
)

LEASE = 5
# For runs that must not end while a test looks at them: a busy machine takes its time.
LONG_LEASE = 60
SEEN_LEASE = 10
BACK_SECONDS = 15.0
REBOOT_SECONDS = 60.0
RUN = "r1"
UNIT = f"greenlight-watchdog@{APP}.service"
NO_LEASE = f"! test -e {FOLDER}/lease.json"
KILL = f'kill -KILL $(python3 -c \'import json; print(json.load(open("{FOLDER}/lock"))["pid"])\')'
NOBODY = f"nobody has gone on with it for {LEASE} s"


@pytest.fixture
def live_b(bench: Bench) -> Bench:
    """The droplet with B live and A as the standby."""
    for result in bench.play(bench.release("A"), bench.release("B")):
        result.ok()
    return bench


def begun(bench: Bench, phase: str, lease: int = LEASE) -> None:
    """Let a run of C get as far as this phase, and then leave it alone."""
    call = bench.release("C", state=phase, run=RUN, lease_seconds=lease, holder="ann")
    bench.one(call).ok()


def serves(name: str) -> str:
    """The condition that a version answers on the application's port."""
    return f"python3 {SCRIPT} get /v1/version | grep -q {sha(name)}"


def the_end(bench: Bench, event: str) -> str:
    """See that the watchdog ended the run with this event, once; return why."""
    (found,) = [entry for entry in events(bench, event) if entry["run"] == RUN]
    assert found["by"] == "watchdog"
    return str(found.get("reason", ""))


def reboot(bench: Bench) -> None:
    """Restart the droplet; files stay. The machine's boot identifier stays the same here."""
    bench.direct.close()
    droplets.reboot(bench.machine.name)
    end = time.monotonic() + REBOOT_SECONDS
    while "up" not in bench.sh("echo up", check=False):
        assert time.monotonic() < end, "no SSH after the reboot"
        time.sleep(0.5)


def console(bench: Bench, command: str) -> tuple[int, str]:
    """Exit code and output of the command greenlight, as a person at the console calls it."""
    said = bench.sh(f"greenlight {command}; echo $?")
    text, _newline, code = said.rstrip().rpartition("\n")
    return int(code), " ".join(text.split())


def test_a_release_whose_process_was_killed_goes_back_without_a_lost_request(
    live_b: Bench, front: str
) -> None:
    bench = live_b
    with load(front) as counts:
        playing = bench.begin(bench.release("C", watch={"seconds": 20}, run=RUN))
        wait_for(bench, WATCHING)
        bench.sh(KILL)
        begin = time.monotonic()
        assert bench.serving() == sha("C")
        wait_for(bench, serves("B"), BACK_SECONDS)
        assert time.monotonic() - begin < BACK_SECONDS
        assert playing.end()[0].failed
        wait_for(bench, NO_LEASE)
    counts.clean()
    assert counts.versions is not None
    assert {sha("B"), sha("C")} <= set(counts.versions)
    assert "the process that worked on it has died" in the_end(bench, "reverted")
    assert assert_whole(bench, "B")["standby"]["sha"] == sha("A")
    converges(bench)


@pytest.mark.parametrize("phase", ["staged", "live", "proved"])
def test_a_run_that_nobody_goes_on_with_is_taken_back(live_b: Bench, phase: str) -> None:
    bench = live_b
    begun(bench, phase)
    assert bench.serving() == sha("B" if phase == "staged" else "C")
    wait_for(bench, NO_LEASE, LEASE + BACK_SECONDS)
    assert NOBODY in the_end(bench, "reverted")
    assert assert_whole(bench, "B")["standby"]["sha"] == sha("A")
    # Its controller comes back too late.
    said = ("This run was taken back on this host", NOBODY)
    bench.refused(bench.release("C", state="settled", run=RUN), *said)
    converges(bench)


def test_a_run_that_is_renewed_in_time_is_left_alone(live_b: Bench) -> None:
    bench = live_b
    begun(bench, "staged", SEEN_LEASE)
    for _turn in range(3):
        time.sleep(SEEN_LEASE / 2)
        begun(bench, "staged", SEEN_LEASE)
    begun(bench, "settled")
    assert not events(bench, "reverted")
    assert_whole(bench, "C")


def test_a_final_run_that_nobody_goes_on_with_is_brought_to_its_end(live_b: Bench) -> None:
    bench = live_b
    begun(bench, "committed")
    wait_for(bench, NO_LEASE, LEASE + BACK_SECONDS)
    the_end(bench, "settled")
    found = assert_whole(bench, "C")
    assert (found["standby"]["sha"], found["standby"]["state"]) == (sha("B"), "exited")
    assert bench.one(bench.rollback()).ok()["live"]["sha"] == sha("B")


@pytest.mark.parametrize(
    ("phase", "event", "serving"),
    [("staged", "reverted", "B"), ("live", "reverted", "B"), ("committed", "settled", "C")],
)
def test_a_reboot_in_the_middle_of_a_run_is_put_right(
    live_b: Bench, phase: str, event: str, serving: str
) -> None:
    bench = live_b
    begun(bench, phase)
    reboot(bench)
    wait_for(bench, NO_LEASE)
    the_end(bench, event)
    wait_for(bench, serves(serving))
    assert_whole(bench, serving)
    converges(bench, "D")


def test_a_reboot_while_a_process_is_at_work_is_put_right(live_b: Bench) -> None:
    bench = live_b
    playing = bench.begin(bench.release("C", watch={"seconds": 60}, run=RUN))
    wait_for(bench, WATCHING)
    reboot(bench)
    playing.process.communicate()
    wait_for(bench, NO_LEASE)
    assert "has died on this host" in the_end(bench, "reverted")
    wait_for(bench, serves("B"))
    assert_whole(bench, "B")
    converges(bench)


@pytest.mark.parametrize(("phase", "event"), [("staged", "reverted"), ("committed", "settled")])
def test_a_killed_watchdog_comes_back(live_b: Bench, phase: str, event: str) -> None:
    bench = live_b
    begun(bench, phase)
    before = bench.sh(f"systemctl show -P MainPID {UNIT}").strip()
    bench.sh(f"systemctl kill --signal=KILL {UNIT}")
    wait_for(bench, NO_LEASE, LEASE + BACK_SECONDS)
    assert before not in ("", "0")
    the_end(bench, event)
    assert_whole(bench, "B" if phase == "staged" else "C")


def test_the_watchdog_of_one_run_never_touches_another(live_b: Bench) -> None:
    bench = live_b
    begun(bench, "live", SEEN_LEASE)
    other: dict[str, Any] = {"break_lease": "ann has left", "run": "r2", "lease_seconds": 60}
    bench.one(bench.release("D", state="live", **other)).ok()
    time.sleep(SEEN_LEASE + 3)
    assert [(entry["run"], entry["by"]) for entry in events(bench, "reverted")] == [(RUN, "r2")]
    assert bench.serving() == sha("D")
    assert json.loads(bench.state()["lease"])["run"] == "r2"
    bench.one(bench.release("D", state="settled", run="r2")).ok()
    assert_whole(bench, "D")


def test_the_console_shows_a_staged_run_and_takes_it_back(live_b: Bench) -> None:
    bench = live_b
    begun(bench, "staged", LONG_LEASE)
    code, text = console(bench, "status")
    assert code == 0
    assert text.startswith(f"api serves {sha('B')} ")
    assert f"release of {sha('C')[:7]} by ann" in text
    assert "was left in state staged" in text
    assert f"lease ann (release of {sha('C')[:7]}, run {RUN}) until 20" in text
    code, text = console(bench, f"revert {APP}")
    assert (code, text.endswith("the run is taken back")) == (0, True)
    assert assert_whole(bench, "B")["standby"]["sha"] == sha("A")
    assert "unfinished none lease none" in console(bench, "status api")[1]
    code, text = console(bench, f"revert {APP}")
    assert (code, text.startswith("no run is under way on this host")) == (0, True)
    assert console(bench, f"rollback {APP}")[0] == 0
    assert_whole(bench, "A")


def test_the_console_takes_a_live_run_back(live_b: Bench) -> None:
    bench = live_b
    begun(bench, "live", LONG_LEASE)
    text = console(bench, "status")[1]
    assert text.startswith(f"api serves {sha('C')} ")
    assert "was left in state live" in text
    code, text = console(bench, f"revert {APP}")
    assert code == 0
    assert f"the pointer is back on {sha('B')[:7]}" in text
    assert assert_whole(bench, "B")["standby"]["sha"] == sha("A")


def test_the_console_rolls_a_final_run_back(live_b: Bench) -> None:
    bench = live_b
    begun(bench, "committed", LONG_LEASE)
    assert "was left in state committed" in console(bench, "status")[1]
    code, text = console(bench, f"revert {APP}")
    assert code == 1
    assert f"Run {RUN} is final" in text
    assert bench.serving() == sha("C")
    code, text = console(bench, f"rollback {APP}")
    assert code == 0, text
    assert f"serving now: {sha('B')}" in text
    assert_whole(bench, "B")


@pytest.mark.parametrize("command", ["revert", "rollback"])
def test_the_console_goes_before_a_run_at_work(live_b: Bench, command: str) -> None:
    bench = live_b
    playing = bench.begin(bench.release("C", watch={"seconds": 60}, holder="ann"))
    wait_for(bench, WATCHING)
    code, text = console(bench, f"{command} {APP}")
    assert code == 0, text
    assert playing.end()[0].failed
    assert_whole(bench, "B")
