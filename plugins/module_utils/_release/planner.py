# Copyright (c) 2026, Greenlight contributors
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
from .._state.history import State
from . import retention
from .host_state import Snapshot
from .target import Goal

Phase = t.Literal["staged", "live", "proved", "committed", "settled"]


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
    PROVE = "prove"
    COMMIT = "commit"
    DRAIN = "drain"
    RETIRE = "retire"
    KEEP_WARM = "keep warm"
    RETAIN = "retain"
    FINISH = "finish"


BEFORE_CUTOVER: t.Final = frozenset(
    {Kind.REPAIR, Kind.CLEAN, Kind.PULL, Kind.START, Kind.WAKE, Kind.GATE, Kind.CONFIRM}
)
"""Steps whose failure leaves the old release serving with nothing to move back."""

GOING_BACK: t.Final = BEFORE_CUTOVER | {
    Kind.CANARY,
    Kind.CUT_OVER,
    Kind.WATCH,
    Kind.PROVE,
    Kind.COMMIT,
}
"""Steps whose failure ends the new release. A failure after these leaves it serving."""

UNDER_WATCH: t.Final = frozenset({State.LIVE, State.PROVED})
"""States of a run that has cut over and may still be taken back."""


class Repair(Enum):
    """What a repair step puts right."""

    DAMAGE = "damaged lines in the journal"
    CANARY = "a canary that was left over"
    POINTER = "a pointer that file and proxy disagree on"
    RESTART_POLICY = "a live container without its restart policy"
    JOURNAL = "a live release that the journal does not know as such"


@dataclass(frozen=True)
class Step:
    """One step: its kind, a line for people, and what it acts on (None: the new container)."""

    kind: Kind
    text: str
    container: Container | None = None
    names: tuple[str, ...] = ()
    repair: Repair | None = None


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
    """The goal and the steps to it; no steps means that nothing is to be done.

    `notes` tell of what is left as it is.
    """

    goal: Goal
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


def make_plan(snapshot: Snapshot, goal: Goal, phase: Phase, terms: Terms) -> Plan:
    """Return the steps from what is there to the goal, up to the end of the phase."""
    # The word that it is final is not kept waiting by anything that is to be put right.
    steps = [] if phase == "committed" else _repair_steps(snapshot)
    live, run = snapshot.live, snapshot.history.run(terms.run)
    cuts_over = False
    serves = goal.target is not None and goal.target == live and live.running
    is_own = run.begin.get("sha") == goal.sha and run.begin.get("digest") == goal.digest
    if serves or (is_own and run.state in (*UNDER_WATCH, State.COMMITTED)):
        # A run that has cut over stages nothing any more: that would end what it can go back to.
        old = snapshot.standby
        if phase != "staged" and run.state is State.LIVE and not run.watched:
            steps += _watch_steps(goal, terms)
        if not serves and run.state in UNDER_WATCH:
            steps += _proof_steps(goal)
    else:
        old = live
        steps += _stage_steps(snapshot, goal, terms.run)
        if cuts_over := phase != "staged":
            steps += _cutover_steps(goal, terms)
    if cuts_over or run.state in UNDER_WATCH:
        steps += _closing_steps(goal, phase, run.state)
    if phase != "settled":
        return Plan(goal, tuple(steps))
    keep = [c for c in (goal.target, old) if c is not None]
    images = retention.choose(snapshot, goal, terms.retain, keep, terms.repository)
    if not serves and run.state is State.COMMITTED:
        text = f"{short_sha(goal.sha)} must serve before what served before is stopped"
        steps.append(Step(Kind.CONFIRM, text, goal.target))
    steps += _settle_steps(snapshot, keep, old, terms, steps)
    steps += _retain_steps(snapshot, goal, keep, terms, images.names)
    return Plan(goal, tuple(steps), images.notes)


def _closing_steps(goal: Goal, phase: Phase, state: State) -> list[Step]:
    """Return what makes a release that serves final, as far as the phase asks for it."""
    short = short_sha(goal.sha)
    if phase == "proved" and state is not State.PROVED:
        return _proof_steps(goal)
    if phase in ("committed", "settled"):
        return [Step(Kind.COMMIT, f"{short} is final; from here on only a rollback leads back")]
    return []


def _proof_steps(goal: Goal) -> list[Step]:
    text = f"{short_sha(goal.sha)} must be healthy once more before any host makes it final"
    return [Step(Kind.PROVE, text, goal.target)]


def _repair_steps(snapshot: Snapshot) -> list[Step]:
    """Return what brings file, proxy, journal and Docker to one word again."""
    route, live = snapshot.route, snapshot.live
    steps: list[Step] = []
    if damaged := snapshot.history.damaged:
        text = f"{damaged} damaged lines in the journal are put aside"
        steps.append(Step(Kind.REPAIR, text, repair=Repair.DAMAGE))
    slot = live.slot if live is not None else route.slot
    if route.answered and (route.file != slot or route.runtime != slot):
        on_file, serving = route.file or "nothing", route.runtime or "nothing"
        text = f"pointer file says {on_file}, HAProxy serves {serving}"
        if route.runtime != slot:
            text += f", but what runs is in slot {slot}"
        steps.append(Step(Kind.REPAIR, text, live, repair=Repair.POINTER))
    if route.canary or route.percent:
        text = f"a canary of {route.percent} % to slot {route.canary or 'nothing'} was left over"
        steps.append(Step(Kind.REPAIR, text, repair=Repair.CANARY))
    if live is not None and live.running and live.restart_policy != "unless-stopped":
        text = f"{live.name} would not come back after a crash: its restart policy was lost"
        steps.append(Step(Kind.REPAIR, text, live, repair=Repair.RESTART_POLICY))
    if live is not None and (not snapshot.turns or snapshot.turns[-1].release != live.release):
        text = f"journal does not say that {short_sha(live.sha)} is live"
        steps.append(Step(Kind.REPAIR, text, live, repair=Repair.JOURNAL))
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
    if image is None:
        return False
    # With containerd's store Docker may list it under our own name alone. A digest is its content.
    digests = (name.partition("@")[2] for name in image.digests)
    return goal.image == image.id or goal.digest in digests


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
    return steps + _watch_steps(goal, terms)


def _watch_steps(goal: Goal, terms: Terms) -> list[Step]:
    if terms.watch <= 0:
        return []
    text = f"{short_sha(goal.sha)} for {terms.watch:g} s through the proxy"
    return [Step(Kind.WATCH, text, goal.target)]


def _settle_steps(
    snapshot: Snapshot,
    keep: t.Sequence[Container],
    old: Container | None,
    terms: Terms,
    planned: t.Sequence[Step],
) -> list[Step]:
    steps: list[Step] = []
    if old is not None and old.running:
        steps += _keep_steps(old, terms) if terms.standby.warm else _retire_steps(old)
    gone = [step.container for step in planned if step.kind is Kind.CLEAN]
    steps += [_clean_step(c) for c in snapshot.containers if c not in keep and c not in gone]
    return steps


def _retain_steps(
    snapshot: Snapshot,
    goal: Goal,
    keep: t.Sequence[Container],
    terms: Terms,
    names: tuple[str, ...],
) -> list[Step]:
    steps: list[Step] = []
    for container in retention.nameless(snapshot, goal, keep):
        text = f"give the image of {short_sha(container.sha)} back the name by which it is kept"
        steps.append(Step(Kind.RETAIN, text, container))
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
