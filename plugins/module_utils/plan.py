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

from ansible_collections.greenlight.droplet.plugins.module_utils.engine_model import Container
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils.snapshot import Snapshot
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import short_sha

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
    CUT_OVER = "cut over"
    WATCH = "watch"
    DRAIN = "drain"
    RETIRE = "retire"
    RETAIN = "retain"


BEFORE_CUTOVER: t.Final = frozenset(
    {Kind.REPAIR, Kind.CLEAN, Kind.PULL, Kind.START, Kind.WAKE, Kind.GATE, Kind.CONFIRM}
)
"""Steps whose failure leaves the old release serving with nothing to move back."""

GOING_BACK: t.Final = BEFORE_CUTOVER | {Kind.CUT_OVER, Kind.WATCH}
"""Steps whose failure ends the new release. A failure after these leaves it serving."""


@dataclass(frozen=True)
class Step:
    """One step: its kind, a line for people, and what it acts on (None: the new container)."""

    kind: Kind
    text: str
    container: Container | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goal:
    """The release that shall be live.

    `target` is its container when that exists already; `image` is what to start it from otherwise.
    """

    sha: str
    digest: str
    config: str
    image: str
    target: Container | None = None
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """The goal and the steps to it; no steps means that nothing is to be done."""

    goal: Goal
    steps: tuple[Step, ...]


def _same(container: Container, sha: str, digest: str, config: str) -> bool:
    return (container.sha, container.digest, container.config) == (sha, digest, config)


def release_goal(
    snapshot: Snapshot, sha: str, digest: str, config: str, image: str, run: str
) -> Goal:
    """Aim at a release: the live container if it is that already, else one this run has staged."""
    mine = snapshot.started_by(run)
    for container in snapshot.containers:
        fits = _same(container, sha, digest, config) and container.running
        if fits and (container == snapshot.live or container.release in mine):
            return Goal(sha, digest, config, image, target=container)
    return Goal(sha, digest, config, image)


def _container_goal(container: Container, note: str) -> Goal:
    return Goal(
        container.sha, container.digest, container.config, container.digest, container, note
    )


def rollback_goal(snapshot: Snapshot, sha: str, release: str, config: str, run: str) -> Goal | None:
    """Aim at the previous or a named release from what the host has kept; None: ask the registry.

    Raises SpecError when there is nothing to go back to, or when a prefix is ambiguous.
    """
    live, standby = snapshot.live, snapshot.standby
    named = next((c for c in snapshot.containers if release and c.release == release), None)
    if named is not None:
        return _container_goal(named, "with the configuration it ran with")
    if not sha:
        return _previous_goal(snapshot)
    mine = snapshot.started_by(run)
    for container in (live, standby, *snapshot.containers):
        if container is None or not container.sha.startswith(sha):
            continue
        if container in (live, standby):
            return _container_goal(container, "with the configuration it ran with")
        if container.release in mine and container.running:
            return _container_goal(container, "with the present configuration")
    return _image_goal(snapshot, sha, config)


def _previous_goal(snapshot: Snapshot) -> Goal:
    live, standby, past = snapshot.live, snapshot.standby, snapshot.turns
    if live and past and past[-1].action == "rollback" and past[-1].release == live.release:
        left = (
            f"; to return to {short_sha(standby.sha)} name it: sha={standby.sha}" if standby else ""
        )
        return _container_goal(
            live, f"already rolled back to {short_sha(live.sha)} at {past[-1].time}{left}"
        )
    if standby is None:
        raise SpecError(
            "There is no previous release on this host to roll back to. Name one with sha=...;"
            " status-api.yml lists what is retained. Nothing was changed."
        )
    return _container_goal(standby, "with the configuration it ran with")


def _image_goal(snapshot: Snapshot, sha: str, config: str) -> Goal | None:
    found = {name: image for name, image in snapshot.retained().items() if name.startswith(sha)}
    if len(found) > 1:
        raise SpecError(
            f"The SHA {sha} is ambiguous among the retained releases: {', '.join(sorted(found))}."
            " Give more digits; nothing was changed."
        )
    for full, image in found.items():
        digest = next((d.partition("@")[2] for d in image.digests), image.id)
        return Goal(full, digest, config, image.id, note="with the present configuration")
    return None


def make_plan(
    snapshot: Snapshot, goal: Goal, phase: Phase, *, retain: int, watch: float, run: str = ""
) -> Plan:
    """Return the steps from what is there to the goal, up to the end of the phase.

    `retain` is a number of releases, `watch` a number of seconds. What `run` has staged itself
    is not staged again.
    """
    steps = _repair_steps(snapshot)
    live = snapshot.live
    if goal.target is not None and goal.target == live and live.running:
        old = snapshot.standby
    else:
        old = live
        steps += _stage_steps(snapshot, goal, run)
        if phase != "staged":
            steps += _cutover_steps(goal, watch)
    if phase == "settled":
        steps += _settle_steps(snapshot, goal, old, retain, steps)
    return Plan(goal, tuple(steps))


def _repair_steps(snapshot: Snapshot) -> list[Step]:
    route, live = snapshot.route, snapshot.live
    steps: list[Step] = []
    if route.answered and route.file != route.runtime:
        on_file, serving = route.file or "nothing", route.runtime or "nothing"
        text = f"pointer file says {on_file}, HAProxy serves {serving}"
        steps.append(Step(Kind.REPAIR, text, names=("pointer",)))
    if live is not None and (not snapshot.turns or snapshot.turns[-1].release != live.release):
        text = f"journal does not say that {short_sha(live.sha)} is live"
        steps.append(Step(Kind.REPAIR, text, live, names=("journal",)))
    return steps


def _stage_steps(snapshot: Snapshot, goal: Goal, run: str) -> list[Step]:
    target, standby, short = goal.target, snapshot.standby, short_sha(goal.sha)
    if target is not None and target.running and target.release in snapshot.staged_by(run):
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


def _cutover_steps(goal: Goal, watch: float) -> list[Step]:
    short = short_sha(goal.sha)
    steps = [
        Step(Kind.CONFIRM, f"HAProxy's own check of {short} must be UP", goal.target),
        Step(Kind.CUT_OVER, f"the pointer leads to {short}", goal.target),
    ]
    if watch > 0:
        steps.append(Step(Kind.WATCH, f"{short} for {watch:g} s through the proxy", goal.target))
    return steps


def _settle_steps(
    snapshot: Snapshot, goal: Goal, old: Container | None, retain: int, planned: t.Sequence[Step]
) -> list[Step]:
    steps = _retire_steps(old) if old is not None and old.running else []
    keep = [c for c in (goal.target, old) if c is not None]
    gone = [step.container for step in planned if step.kind is Kind.CLEAN]
    steps += [_clean_step(c) for c in snapshot.containers if c not in keep and c not in gone]
    names = prunable(snapshot, goal.sha, retain, [c.sha for c in keep])
    if names:
        steps.append(
            Step(Kind.RETAIN, f"{retain} releases; remove {len(names)} older", names=names)
        )
    return steps


def prunable(snapshot: Snapshot, sha: str, retain: int, kept: t.Sequence[str]) -> tuple[str, ...]:
    """Return the SHAs whose images go: all but the newest `retain` releases and those in `kept`."""
    newest: list[str] = [sha]
    for turn in reversed(snapshot.turns):
        if turn.sha not in newest:
            newest.append(turn.sha)
    keep = {*newest[:retain], *kept}
    return tuple(sorted(name for name in snapshot.retained() if name not in keep))
