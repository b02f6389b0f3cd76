# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for people: step lines, and the failure that a tired person understands. Pure."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from dataclasses import dataclass, field

from .._core.errors import GreenlightError
from .._core.text import one_line, printable
from .._model.engine_model import Container
from .._model.spec import Order, short_sha
from .host_state import Snapshot
from .planner import Kind, Plan
from .target import Goal

LOG_LINES: t.Final = 20
"""How many of the container's last log lines an error shows."""

LINE_CHARACTERS: t.Final = 300
"""How much of a log line or of an answer an error shows."""

TEXT_CHARACTERS: t.Final = 2000
"""How much of any other text, which is mostly ours, an error or a step shows."""


@dataclass(frozen=True)
class Done:
    """A step that was carried out: its name, what came of it, how many seconds it took."""

    step: str
    text: str
    seconds: float

    def __post_init__(self) -> None:
        # Frozen, so that nobody changes it; a foreign text in it is made safe to show before.
        object.__setattr__(self, "text", one_line(self.text, TEXT_CHARACTERS))

    def to_dict(self) -> dict[str, t.Any]:
        """Return it as a module result carries it, seconds to the millisecond."""
        return {**dataclasses.asdict(self), "seconds": round(self.seconds, 3)}


def keep_quiet(_done: Done) -> None:
    """Say nothing: for callers that show the steps at the end."""


@dataclass
class Outcome:
    """What a run did: the plan, the state before and after, and the steps carried out.

    `after` is None when nobody wants to know it, or when it could not be read, as `notes` say then.
    `live` is what serves as far as the run itself knows.
    """

    plan: Plan
    before: Snapshot
    after: Snapshot | None
    done: list[Done] = field(default_factory=list)
    live: Container | None = None
    notes: list[str] = field(default_factory=list)
    is_complete: bool = True


def seconds_by_step(done: t.Sequence[Done]) -> dict[str, float]:
    """Return the seconds of each step, added up by its name, to the millisecond."""
    found: dict[str, float] = {}
    for item in done:
        found[item.step] = round(found.get(item.step, 0.0) + item.seconds, 3)
    return found


@dataclass(eq=False, kw_only=True, repr=False)
class Failure(GreenlightError):
    """A transaction that ended badly, with all that the error message tells.

    Whoever raises it has taken the secrets out of what the application said. Each text becomes one
    line here, without control characters, and is cut: no part can look like another one, and
    nobody would recognize the part of a secret that a cut leaves.
    """

    action: str
    sha: str
    step: str
    reason: str
    check: str
    last_answer: str
    outcome: str
    serving: str
    next_command: str
    log_lines: t.Sequence[str] = ()
    done: t.Sequence[Done] = ()
    changed: bool = False
    back_seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("reason", "check", "outcome", "serving", "next_command"):
            setattr(self, name, one_line(getattr(self, name), TEXT_CHARACTERS))
        self.last_answer = printable(self.last_answer)[:LINE_CHARACTERS]
        self.log_lines = [printable(line)[:LINE_CHARACTERS] for line in self.log_lines]
        self.done = list(self.done)

    def __str__(self) -> str:
        lines = [
            f"{self.action.capitalize()} of {short_sha(self.sha)} failed at step '{self.step}':"
            f" {self.reason}.",
        ]
        if self.check:
            lines.append(f"  check          {self.check}")
        if self.last_answer:
            lines.append(f"  last answer    {self.last_answer}")
        if self.log_lines:
            lines.append(f"  last {len(self.log_lines)} log lines of the container:")
            lines += [f"    | {line}" for line in self.log_lines]
        lines += [
            f"  outcome        {self.outcome}",
            f"  serving now    {self.serving}",
            f"  run next       {self.next_command}",
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, t.Any]:
        """Return the parts as a module result carries them."""
        names = ("step", "reason", "check", "last_answer", "log_lines", "outcome", "serving")
        facts = {name: getattr(self, name) for name in names}
        return {**facts, "next": self.next_command, "back_seconds": self.back_seconds}


def same_command(order: Order, *, breaks: bool = False) -> str:
    """Return the command that goes on with what was ordered.

    `breaks` lets it break the lease with which this host waits for whoever led the run.
    """
    name = "rollback" if order.action == "rollback" else "update"
    named = f" -e sha={order.sha}" if order.sha else ""
    if order.action == "rollback" and order.release:
        # Another release may have the same SHA.
        named = f" -e app_release={order.release}"
    if breaks:
        broken = json.dumps({"app_break_lease": "it could not be made final"})
        named += f" -e '{broken}'"
    return f"ansible-playbook playbooks/{name}-api.yml{named} (safe to repeat)"


def state_text(snapshot: Snapshot) -> str:
    """Render what a diff compares: live, standby, retained; one line each."""
    retained = set(snapshot.retained())
    return _state_lines(_describe(snapshot.live), _describe(snapshot.standby), retained)


def predicted_text(snapshot: Snapshot, plan: Plan) -> str:
    """Render the same for the state that the plan leads to."""
    goal, live, standby = plan.goal, snapshot.live, snapshot.standby
    kinds = {step.kind for step in plan.steps}
    names = {name for step in plan.steps if step.kind is Kind.RETAIN for name in step.names}
    retained = set(snapshot.retained()) - names
    retained |= {s.container.sha for s in plan.steps if s.kind is Kind.RETAIN and s.container}
    if Kind.START in kinds:
        retained.add(goal.sha)
    retired = [step.container for step in plan.steps if step.kind is Kind.RETIRE]
    if Kind.CUT_OVER in kinds:
        slot = goal.target.slot if goal.target else snapshot.idle_slot
        new = f"{goal.sha} configuration {goal.config or '-'} slot {slot} running"
        return _state_lines(new, _describe(live, stopped=live in retired), retained)
    return _state_lines(_describe(live), _describe(standby, stopped=standby in retired), retained)


def _state_lines(live: str, standby: str, retained: set[str]) -> str:
    names = ", ".join(sorted(short_sha(sha) for sha in retained)) or "none"
    return f"live: {live}\nstandby: {standby}\nretained: {names}\n"


def _describe(container: Container | None, stopped: bool = False) -> str:
    if container is None:
        return "none"
    state = "exited" if stopped else container.state
    return f"{container.sha} configuration {container.config or '-'} slot {container.slot} {state}"


def begin_facts(order: Order, goal: Goal, live: Container | None) -> dict[str, t.Any]:
    """Return who wants what, and all that is needed to take it back without the controller.

    `live` is what serves before the run. Times in seconds.
    """
    return {
        "action": order.action,
        "sha": goal.sha,
        "digest": goal.digest,
        "config": goal.config,
        "holder": order.caller.holder,
        "ci_run": order.caller.ci_run,
        "origin": {"release": live.release, "sha": live.sha, "slot": live.slot} if live else None,
        "first": order.first,
        "drain_seconds": order.drain_seconds,
        "stop_timeout": order.container.stop_timeout,
        "health": dataclasses.asdict(order.health),
        "watch": dataclasses.asdict(order.watch),
    }
