# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error tells a person to type next works when it is typed, whatever has failed."""

from __future__ import annotations

import json
import re
import shlex
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    GreenlightError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.planner import Phase
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import (
    Failure,
    Outcome,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.watchdog import Watchdog
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import release, revert, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.test_watchdog import prepared
from tests.unit.release.world import World

A, B, C, D = (sha_of(name) for name in "abcd")

PHASES: tuple[Phase, ...] = ("staged", "live", "proved", "committed", "settled")


def type_in(world: World, command: str) -> Outcome:
    """Do what a person does who types the command that an error names, from another machine."""
    found = re.match(r"ansible-playbook playbooks/(update|rollback)-api\.yml(.*)", command)
    assert found, command
    named: dict[str, t.Any] = {}
    # Whoever reads it puts in a commit that works.
    words = shlex.split(found[2].partition(" (")[0].replace("<fixed sha>", D))
    for flag, word in zip(words[::2], words[1::2], strict=True):
        assert flag == "-e"
        if word.startswith("{"):
            named |= {key.removeprefix("app_"): value for key, value in json.loads(word).items()}
        else:
            key, _equals, value = word.partition("=")
            named[key.removeprefix("app_")] = value
    if found[1] == "rollback":
        return rollback(world, named.pop("sha", ""), **named)
    return release(world, named.pop("sha"), **named)


def go_through_phases(world: World) -> None:
    """Release C as a fleet's playbook does, which takes back what fails before it is proved."""
    phase = PHASES[0]
    try:
        for phase in PHASES:
            release(world, C, phase=phase, run="fleet", retain=2)
    except Failure:
        world.faults.clear()
        if phase in ("staged", "live", "proved"):
            revert(world, "fleet")
        raise


def let_watchdog_look(world: World) -> None:
    """Let the host look after its runs for some seconds, as it does all the time."""
    watchdog = Watchdog(make_host(world))
    for _second in range(8):
        world.now += 1.0
        watchdog.look()


WAYS: dict[str, t.Callable[[World], object]] = {
    "one call": lambda world: release(world, C, retain=2),
    "phases": go_through_phases,
    "rollback": rollback,
    "named rollback": lambda world: rollback(world, A),
}


def command_of(failure: Failure) -> str:
    """Return the command in the advice of an error."""
    return failure.next_command[failure.next_command.index("ansible-playbook") :]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("way", WAYS)
def test_what_an_error_advises_works_whichever_effect_has_failed(
    monkeypatch: pytest.MonkeyPatch, way: str, moment: str
) -> None:
    clean = prepared(monkeypatch)
    first = len(clean.effects)
    WAYS[way](clean)
    tried = 0
    for point in range(first + 1, len(clean.effects) + 1):
        world = prepared(monkeypatch)
        world.faults = {point: moment}
        try:
            WAYS[way](world)
        except Failure as failure:
            world.faults.clear()
            type_in(world, command_of(failure))
            tried += 1
            let_watchdog_look(world)
            assert world.lease is None, f"a lease after {clean.effects[point - 1]}"
            assert_consistent(world)
            assert live_and_standby(world)[1], f"no standby after {clean.effects[point - 1]}"
        except GreenlightError:
            # Refused before it began: such an error names no command.
            continue
    assert tried > 5


def fill(world: World, after: Phase) -> str:
    """Let the disk be full from the end of a phase on; return the error of the phase after it."""
    for phase in PHASES[: PHASES.index(after) + 1]:
        release(world, C, phase=phase, run="fleet")
    world.full = True
    with pytest.raises(GreenlightError) as caught:
        release(world, C, phase=PHASES[PHASES.index(after) + 1], run="fleet")
    return str(caught.value)


@pytest.mark.parametrize("after", PHASES[:-1])
def test_a_disk_that_is_full_in_the_middle_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch, after: Phase
) -> None:
    world = prepared(monkeypatch)
    said = fill(world, after)
    live = world.serving()
    assert live is not None
    if live.sha == C:
        assert "nothing was changed" not in said.lower()
    world.full = False
    world.now += 500
    release(world, C)
    assert live_and_standby(world) == (C, B)
    assert world.lease is None
    assert_consistent(world)


@pytest.mark.parametrize("after", ["proved", "committed"])
def test_a_full_disk_at_the_settle_advises_what_works(
    monkeypatch: pytest.MonkeyPatch, after: Phase
) -> None:
    world = prepared(monkeypatch)
    said = fill(world, after)
    assert "full" in said or "No space" in said or "refused" in said
    command = said[said.index("ansible-playbook") :].splitlines()[0]
    world.full = False
    type_in(world, command)
    assert live_and_standby(world) == (C, B)
    assert world.lease is None
    assert_consistent(world)


@pytest.mark.parametrize("after", PHASES[:-1])
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_droplet_restarted_between_two_phases_ends_whole(
    monkeypatch: pytest.MonkeyPatch, after: Phase, goes_on: bool
) -> None:
    world = prepared(monkeypatch)
    for phase in PHASES[: PHASES.index(after) + 1]:
        release(world, C, phase=phase, run="fleet")
    world.reboot()
    for phase in PHASES[PHASES.index(after) + 1 :] if goes_on else ():
        release(world, C, phase=phase, run="fleet")
    world.now += 0 if goes_on else 500
    let_watchdog_look(world)
    is_new = goes_on or after == "committed"
    assert live_and_standby(world) == ((C, B) if is_new else (B, A))
    assert world.lease is None
    assert [c.running for c in world.containers.values()].count(True) == 1
    assert_consistent(world)
