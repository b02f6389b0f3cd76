# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random lives of a droplet: releases, rollbacks, phases, kills, lost answers, reboots, hands.

The machine drives the real transaction on the droplet in memory. After every move it checks what
must always hold; the outages themselves are found by World, which refuses to let go of what serves.
"""

from __future__ import annotations

import functools
import itertools
import os
import typing as t

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from ansible_collections.greenlight.droplet.plugins.module_utils._release.host_state import Snapshot
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.watchdog import Watchdog
from tests.unit.release.fakes import answer_from
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import ending_of, release, revert, rollback, sha_of
from tests.unit.release.world import World

SHAS = [sha_of(name) for name in "abcde"]
BEHAVIOURS = ["", "", "", "sick", "crash", "errors", "hangs", "sick later"]
PHASES: tuple[Phase, ...] = ("staged", "live", "proved", "committed", "settled")
FAULT = st.one_of(
    st.just(("none", 0)),
    st.tuples(st.sampled_from(["kill", "power", "before", "after"]), st.integers(1, 30)),
)
CANARY = st.sampled_from([{}, {}, {"canary": {"percent": 10, "seconds": 2.0}}])
STANDBY = st.sampled_from([{}, {}, {"standby": "warm"}])
LEASE_SECONDS = 120.0


class Droplet(RuleBasedStateMachine):
    """One droplet and everything that can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(http, "get", answer_from(self.world))
        self.numbers = itertools.count()
        self.fleet_runs = 0
        self.astray = False
        self.damaged = False

    def teardown(self) -> None:
        """Give web.get back."""
        self.patch.undo()

    def snapshot(self) -> Snapshot:
        """What the collection itself would see now."""
        return observe(make_host(self.world))

    def attempt(self, fault: tuple[str, int], work: t.Callable[[], object]) -> str:
        """Run with a fault; return how it ended."""
        world, (kind, point) = self.world, fault
        at = len(world.effects) + point
        if kind in ("kill", "power"):
            world.kill_after = at
        elif kind != "none":
            world.faults[at] = kind
        ending = ending_of(work)
        world.kill_after = None
        world.faults.clear()
        if ending == "killed":
            world.locked = False
            if kind == "power":
                world.reboot()
        return ending

    @initialize()
    def first_release(self) -> None:
        """Every life begins with a release."""
        release(self.world, SHAS[0])

    @rule(
        sha=st.sampled_from(SHAS),
        behaviour=st.sampled_from(BEHAVIOURS),
        fault=FAULT,
        canary=CANARY,
        standby=STANDBY,
        greeting=st.sampled_from(["a", "b"]),
    )
    def release(
        self,
        sha: str,
        behaviour: str,
        fault: tuple[str, int],
        canary: dict[str, t.Any],
        standby: dict[str, t.Any],
        greeting: str,
    ) -> None:
        """A release on this host alone, good or bad, under a fault or not."""
        before, world = self.snapshot(), self.world
        running = {c.sha for c in before.containers if c.running}
        if sha not in running:
            world.behaviour[sha] = behaviour
        options = {**canary, **standby, "env": {"GREETING": greeting}}
        ending = self.attempt(fault, lambda: release(world, sha, **options))
        if ending == "done":
            self.expect_whole()
            live = self.snapshot().live
            assert live is not None
            assert live.sha == sha
        elif fault[0] == "none" and ending == "failed":
            self.expect_unchanged(before)

    @rule(sha=st.sampled_from(["", *SHAS]), fault=FAULT, standby=STANDBY)
    def rollback(self, sha: str, fault: tuple[str, int], standby: dict[str, t.Any]) -> None:
        """A rollback to the previous or to a named release."""
        before = self.snapshot()
        ending = self.attempt(fault, lambda: rollback(self.world, sha, **standby))
        if ending == "done":
            self.expect_whole()
        elif fault[0] == "none" and ending == "failed":
            self.expect_unchanged(before)

    @rule(
        sha=st.sampled_from(SHAS),
        goes_on=st.booleans(),
        upto=st.integers(1, len(PHASES)),
        fault=FAULT,
        back=st.booleans(),
    )
    def fleet_release(
        self, sha: str, goes_on: bool, upto: int, fault: tuple[str, int], back: bool
    ) -> None:
        """The phases as the playbook goes through them, by a new run or one that goes on."""
        self.fleet_runs += 0 if goes_on else 1
        run = f"fleet-{self.fleet_runs}"
        endings = ["done"]
        for phase in PHASES[:upto]:
            if endings[-1] != "done":
                break
            work = functools.partial(release, self.world, sha, run=run, phase=phase)
            endings.append(self.attempt(fault if phase == PHASES[upto - 1] else ("none", 0), work))
        if endings[-1] == "done" and upto == len(PHASES):
            self.expect_whole()
        elif back and endings[-1] != "refused":
            self.attempt(("none", 0), lambda: revert(self.world, run))

    @rule(ago=st.integers(0, 2), fault=FAULT)
    def take_back(self, ago: int, fault: tuple[str, int]) -> None:
        """A controller takes a run back, whatever has happened since."""
        self.attempt(fault, lambda: revert(self.world, f"fleet-{self.fleet_runs - ago}"))

    @precondition(lambda self: self.world.lease is not None)
    @rule()
    def watchdog_acts(self) -> None:
        """Nobody goes on with the run that is under way, and the host puts itself right."""
        assert Watchdog(make_host(self.world)).run()
        assert self.world.lease is None

    @rule(seconds=st.sampled_from([1.0, LEASE_SECONDS + 1]))
    def wait(self, seconds: float) -> None:
        """Time passes, and leases end."""
        self.world.now += seconds

    @rule()
    def warm_time_ends(self) -> None:
        """The timer of the warm standby fires."""
        self.world.end_warm()

    @rule()
    def reboot(self) -> None:
        """The droplet is rebooted."""
        self.world.reboot()

    @rule()
    def prune_containers(self) -> None:
        """Somebody types `docker container prune`."""
        for key, container in list(self.world.containers.items()):
            if not container.running:
                del self.world.containers[key]

    @rule()
    def prune_images(self) -> None:
        """Somebody types `docker image prune --all`."""
        used = {c.sha for c in self.world.containers.values()}
        for key in list(self.world.images):
            if key not in used:
                del self.world.images[key]

    @rule(slot=st.sampled_from([None, "blue", "green"]), runtime=st.booleans())
    def edit_the_pointer(self, slot: str | None, runtime: bool) -> None:
        """Somebody edits the map file, or the running map, by hand."""
        if runtime:
            self.world.runtime = slot
        else:
            self.world.file = slot
        self.astray = True

    @precondition(lambda self: not self.damaged)
    @rule(kind=st.sampled_from(["torn", "garbage", "lost"]))
    def damage_the_journal(self, kind: str) -> None:
        """The journal's last line is torn, a line is garbage, or the file is gone."""
        lines = self.world.journal
        if kind == "lost":
            lines.clear()
        elif kind == "torn" and lines:
            lines[-1] = lines[-1][: len(lines[-1]) // 2]
        else:
            lines.insert(len(lines) // 2, "\ufffd\ufffd garbage")
        self.damaged = True

    @rule(sha=st.sampled_from(SHAS))
    def good_release_converges(self, sha: str) -> None:
        """Whatever was before, once leases are over a good release without faults succeeds."""
        self.world.now += LEASE_SECONDS + 1
        if sha not in {c.sha for c in self.world.containers.values() if c.running}:
            self.world.behaviour[sha] = ""
        if self.world.behaviour.get(sha):
            return
        release(self.world, sha)
        self.astray = False
        self.expect_whole()
        live = self.snapshot().live
        assert live is not None
        assert live.sha == sha
        assert len(self.world.containers) <= 2

    def expect_whole(self) -> None:
        """After a run that ended well, file, proxy, journal and Docker say the same."""
        world, snapshot = self.world, self.snapshot()
        self.astray = False
        live = snapshot.live
        assert live is not None
        assert live.running
        assert live.restart_policy == "unless-stopped"
        assert world.file == world.runtime == live.slot
        assert (world.canary, world.percent) == (None, 0)
        assert snapshot.turns[-1].release == live.release
        assert live.sha in snapshot.retained()
        if snapshot.standby is not None:
            assert snapshot.standby.sha in snapshot.retained()

    def expect_unchanged(self, before: Snapshot) -> None:
        """A release that failed by itself has changed nothing but what it repaired."""
        after = self.snapshot()
        if before.live is not None and before.live.running:
            assert after.live is not None
            assert after.live.release == before.live.release
        kept, found = before.standby, after.standby
        if kept is not None and found is not None:
            assert found.release == kept.release
        assert (self.world.canary, self.world.percent) == (None, 0)

    @invariant()
    def no_lock_is_left(self) -> None:
        """The kernel lock is never left behind."""
        assert not self.world.locked

    @invariant()
    def something_serves(self) -> None:
        """Once a release was live, one is, unless somebody led the pointer astray by hand."""
        if self.world.runtime is not None and not self.astray:
            assert self.world.serving() is not None

    @invariant()
    def every_run_keeps_to_the_table(self) -> None:
        """No event is ever written out of turn."""
        if not self.damaged:
            assert self.snapshot().history.irregular == []


# The same lives in every run, so that a change is judged by itself; `make soak` draws new ones.
ANEW = "GREENLIGHT_LIVES" in os.environ
Droplet.TestCase.settings = settings(
    max_examples=int(os.environ.get("GREENLIGHT_LIVES", "150")),
    stateful_step_count=50 if ANEW else 25,
    derandomize=not ANEW,
    print_blob=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestDroplet = pytest.mark.slow(Droplet.TestCase)
