# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do: from what is there and what is asked to a list of steps. Pure.

Check mode prints this list and the real run executes it, so the two cannot disagree.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from enum import Enum

from .._model.engine_model import Container
from .._model.spec import Canary, Standby, short_sha
from .host_state import Snapshot
from .target import Goal

Phase = t.Literal["staged", "live", "settled"]


class Kind(str, Enum):
    """The steps of a transaction, in the words that people read."""

    REPAIR = "repair"
    CLEAN = "clean up"
    PULL = "pull"
    START = "start"
    WAKE = "start standby"
    GATE = "gate"
    CONFIRM = "confirm"
    CANARY = "canary"
    CUT_OVER = "cut over"
    WATCH = "watch"
    DRAIN = "drain"
    RETIRE = "retire"
    KEEP_WARM = "keep warm"
    RETAIN = "retain"
    FINISH = "finish"


BEFORE_CUTOVER: t.Final = frozenset(
    {Kind.REPAIR, Kind.CLEAN, Kind.PULL, Kind.START, Kind.WAKE, Kind.GATE, Kind.CONFIRM}
)
"""Steps whose failure leaves the old release serving with nothing to move back."""

GOING_BACK: t.Final = BEFORE_CUTOVER | {Kind.CANARY, Kind.CUT_OVER, Kind.WATCH}
"""Steps whose failure ends the new release. A failure after these leaves it serving."""


@dataclass(frozen=True)
class Step:
    """One step: its kind, a line for people, and what it acts on (None: the new container)."""

    kind: Kind
    text: str
    container: Container | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """How the way to the goal is gone. `retain` is a number of releases, `watch` of seconds.

    What `run` has staged itself is not staged again. `ending` is the identifier of the container
    whose time as a warm standby ends by itself; `repository` is that of the application's images.
    """

    retain: int
    watch: float
    canary: Canary
    standby: Standby
    run: str = ""
    ending: str = ""
    repository: str = ""


@dataclass(frozen=True)
class Plan:
    """The goal and the steps to it; no steps means that nothing is to be done."""

    goal: Goal
    steps: tuple[Step, ...]


def make_plan(snapshot: Snapshot, goal: Goal, phase: Phase, terms: Terms) -> Plan:
    """Return the steps from what is there to the goal, up to the end of the phase."""
    steps = _repair_steps(snapshot)
    live = snapshot.live
    if goal.target is not None and goal.target == live and live.running:
        old = snapshot.standby
    else:
        old = live
        steps += _stage_steps(snapshot, goal, terms.run)
        if phase != "staged":
            steps += _cutover_steps(goal, terms)
    if phase == "settled":
        steps += _settle_steps(snapshot, goal, old, terms, steps)
    return Plan(goal, tuple(steps))


def _repair_steps(snapshot: Snapshot) -> list[Step]:
    """Return what brings file, proxy, journal and Docker to one word again."""
    route, live = snapshot.route, snapshot.live
    steps: list[Step] = []
    if damaged := snapshot.history.damaged:
        text = f"{damaged} damaged lines in the journal are put aside"
        steps.append(Step(Kind.REPAIR, text, names=("damage",)))
    slot = live.slot if live is not None else route.slot
    if route.answered and (route.file != slot or route.runtime != slot):
        on_file, serving = route.file or "nothing", route.runtime or "nothing"
        text = f"pointer file says {on_file}, HAProxy serves {serving}"
        if route.runtime != slot:
            text += f", but what runs is in slot {slot}"
        steps.append(Step(Kind.REPAIR, text, live, names=("pointer",)))
    if route.canary or route.percent:
        text = f"a canary of {route.percent} % to slot {route.canary or 'nothing'} was left over"
        steps.append(Step(Kind.REPAIR, text, names=("canary",)))
    if live is not None and live.running and live.restart_policy != "unless-stopped":
        text = f"{live.name} would not come back after a crash: its restart policy was lost"
        steps.append(Step(Kind.REPAIR, text, live, names=("restart policy",)))
    if live is not None and (not snapshot.turns or snapshot.turns[-1].release != live.release):
        text = f"journal does not say that {short_sha(live.sha)} is live"
        steps.append(Step(Kind.REPAIR, text, live, names=("journal",)))
    return steps


def _stage_steps(snapshot: Snapshot, goal: Goal, run: str) -> list[Step]:
    target, standby, short = goal.target, snapshot.standby, short_sha(goal.sha)
    if target is not None and target.running and target.release in snapshot.history.run(run).staged:
        return []
    steps = [_clean_step(c) for c in snapshot.leftovers if c != target]
    if standby is not None and standby.running and standby != target:
        steps += _retire_steps(standby)
    if target is None:
        if not _is_present(snapshot, goal):
            steps.append(Step(Kind.PULL, f"{goal.image} as {short}"))
        steps.append(Step(Kind.START, f"{short} in slot {snapshot.idle_slot} {goal.note}".rstrip()))
    elif not target.running:
        steps.append(Step(Kind.WAKE, f"{short} in slot {target.slot} {goal.note}".rstrip(), target))
    steps.append(Step(Kind.GATE, f"{short} must be healthy before any traffic", target))
    return steps


def _is_present(snapshot: Snapshot, goal: Goal) -> bool:
    image = snapshot.retained().get(goal.sha)
    return image is not None and (goal.image == image.id or goal.image in image.digests)


def _clean_step(container: Container) -> Step:
    text = f"remove {container.name} ({container.state}), neither live nor standby"
    return Step(Kind.CLEAN, text, container)


def _retire_steps(old: Container) -> list[Step]:
    short = short_sha(old.sha)
    return [
        Step(Kind.DRAIN, f"wait for what is in flight on {short} in slot {old.slot}", old),
        Step(Kind.RETIRE, f"stop {short} in slot {old.slot}, kept for rollback", old),
    ]


def _cutover_steps(goal: Goal, terms: Terms) -> list[Step]:
    short, canary = short_sha(goal.sha), terms.canary
    steps = [Step(Kind.CONFIRM, f"HAProxy's own check of {short} must be UP", goal.target)]
    if canary.wanted:
        text = f"{canary.percent} % of the requests to {short} for {canary.seconds:g} s"
        steps.append(Step(Kind.CANARY, text, goal.target))
    steps.append(Step(Kind.CUT_OVER, f"the pointer leads to {short}", goal.target))
    if terms.watch > 0:
        text = f"{short} for {terms.watch:g} s through the proxy"
        steps.append(Step(Kind.WATCH, text, goal.target))
    return steps


def _settle_steps(
    snapshot: Snapshot,
    goal: Goal,
    old: Container | None,
    terms: Terms,
    planned: t.Sequence[Step],
) -> list[Step]:
    steps: list[Step] = []
    if old is not None and old.running:
        steps += _keep_steps(old, terms) if terms.standby.warm else _retire_steps(old)
    keep = [c for c in (goal.target, old) if c is not None]
    gone = [step.container for step in planned if step.kind is Kind.CLEAN]
    steps += [_clean_step(c) for c in snapshot.containers if c not in keep and c not in gone]
    names = prunable(snapshot, goal.sha, terms.retain, [c.sha for c in keep])
    names += snapshot.strays(terms.repository)
    if names:
        text = f"{terms.retain} releases; remove {len(names)} older images"
        steps.append(Step(Kind.RETAIN, text, names=names))
    return steps


def _keep_steps(old: Container, terms: Terms) -> list[Step]:
    if old.id == terms.ending and old.restart_policy == "no":
        return []
    seconds = terms.standby.warm_seconds
    text = f"{short_sha(old.sha)} in slot {old.slot} goes on running for {seconds:g} s"
    return [Step(Kind.KEEP_WARM, text, old)]


def prunable(snapshot: Snapshot, sha: str, retain: int, kept: t.Sequence[str]) -> tuple[str, ...]:
    """Return the SHAs whose images go: all but the newest `retain` releases and those in `kept`."""
    # What is kept anyway counts first: the journal may lack the last turn of a run that was killed.
    newest = list(dict.fromkeys([sha, *kept, *(turn.sha for turn in reversed(snapshot.turns))]))
    keep = {*newest[:retain], *kept}
    return tuple(sorted(name for name in snapshot.retained() if name not in keep))
