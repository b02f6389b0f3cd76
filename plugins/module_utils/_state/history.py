# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state machine of a run, and what the journal's events amount to. Pure.

A run is one release or rollback of one host. Each event that it writes moves it along FOLLOWING;
`History` is the journal folded through that table, and everything that the rest of the code wants
to know about the past (which releases were live, what a run has done, who has not finished) is
read from there.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from enum import Enum

from .._model.engine_model import Mishaps


class State(str, Enum):
    """Where a run stands. Each state but ABSENT is reached by the event of the same word.

    From COMMITTED on a run only goes forward: other hosts may have put the old release away.
    """

    ABSENT = ""
    BEGUN = "begin"
    STARTED = "start"
    STAGED = "staged"
    LIVE = "live"
    PROVED = "proved"
    COMMITTED = "committed"
    SETTLED = "settled"
    REVERTED = "reverted"


FOLLOWING: t.Final[dict[State, frozenset[State]]] = {
    State.ABSENT: frozenset(),
    State.BEGUN: frozenset(set(State) - {State.ABSENT, State.LIVE}),
    State.STARTED: frozenset({State.STARTED, State.STAGED, State.REVERTED}),
    State.STAGED: frozenset(set(State) - {State.ABSENT, State.PROVED}),
    State.LIVE: frozenset(set(State) - {State.ABSENT}),
    State.PROVED: frozenset(
        {State.LIVE, State.PROVED, State.COMMITTED, State.SETTLED, State.REVERTED}
    ),
    State.COMMITTED: frozenset({State.COMMITTED, State.SETTLED}),
    State.SETTLED: frozenset(),
    State.REVERTED: frozenset(),
}
"""What may follow on what. BEGUN follows on everything: a run may begin again at any time."""

OVER: t.Final = frozenset({State.ABSENT, State.SETTLED, State.REVERTED})
"""States in which a run has nothing more to do."""

RECOVERED: t.Final = "recovered"
"""An event of a later run: the pointer was found on a release whose own run died before it could
write that it was live."""

PHASE: t.Final = "phase"
"""The end of one call of a run; its `phase` is the one that was reached."""


@dataclass(frozen=True)
class Entry:
    """One line of the journal."""

    event: str
    run: str
    time: str
    data: dict[str, t.Any]


@dataclass(frozen=True)
class Turn:
    """A release that was live: its identifier and SHA, and the action and time that made it so."""

    release: str
    sha: str
    action: str
    time: str


@dataclass(eq=False)
class Run:
    """What one run has done since its last `begin`.

    `watched` is True once the watch after its cutover has ended well. `past` tells of the releases
    that it has staged what had befallen their containers before.
    """

    identifier: str
    begin: dict[str, t.Any] = field(default_factory=dict)
    state: State = State.ABSENT
    end: dict[str, t.Any] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    staged: set[str] = field(default_factory=set)
    past: dict[str, Mishaps] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    watched: bool = False

    @property
    def is_over(self) -> bool:
        """True when the run has nothing more to do."""
        return self.state in OVER

    @property
    def origin(self) -> str:
        """The release that was live when the run began; empty for none."""
        return str((self.begin.get("origin") or {}).get("release", ""))


class History:
    """The journal, folded: the turns, the runs in the order of their last begin, irregular lines.

    `damaged` counts lines that could not be read.
    """

    def __init__(self, entries: tuple[Entry, ...] = (), damaged: int = 0) -> None:
        self.entries = entries
        self.damaged = damaged
        self.turns: list[Turn] = []
        self.runs: dict[str, Run] = {}
        self.irregular: list[str] = []
        self._actions: dict[str, str] = {}

    def run(self, identifier: str) -> Run:
        """Return the run; one that never was is ABSENT."""
        return self.runs.get(identifier) or Run(identifier)

    def overtaken_by(self, identifier: str) -> str:
        """Return another run that has begun since this one did; empty when there is none."""
        names = list(self.runs)
        later = names[names.index(identifier) + 1 :] if identifier in self.runs else []
        return later[0] if later else ""

    def unfinished(self) -> Run | None:
        """Return the run that began last when it was left half way, else None."""
        last = next(reversed(self.runs.values()), None)
        return last if last is not None and not last.is_over else None

    def action_of(self, release: str) -> str:
        """Return the action that last worked on a release: release or rollback."""
        return self._actions.get(release, "release")

    def add(self, entry: Entry) -> None:
        """Fold one more event in. One that FOLLOWING does not allow is kept in `irregular`."""
        run = self.runs.get(entry.run) or Run(entry.run)
        if entry.event and entry.event in {state.value for state in State}:
            state = State(entry.event)
            if state is not State.BEGUN and state not in FOLLOWING[run.state]:
                found = run.state.name.lower()
                self.irregular.append(f"{entry.event} of run {entry.run} in state {found}")
            run = self._apply(run, entry, state)
        elif entry.event == RECOVERED:
            action = self.action_of(str(entry.data.get("release", "")))
            self.turns.append(_turn(entry, action))
        elif entry.event == PHASE and run.state is State.LIVE:
            run.watched = True
        for step, seconds in (entry.data.get("seconds") or {}).items():
            run.seconds[step] = round(run.seconds.get(step, 0.0) + float(seconds), 3)

    def _apply(self, run: Run, entry: Entry, state: State) -> Run:
        release = str(entry.data.get("release", ""))
        if state is State.BEGUN:
            run = Run(entry.run, begin=entry.data)
            # A run that begins again is the newest again.
            self.runs.pop(entry.run, None)
        self.runs[entry.run] = run
        run.state = state
        if state is State.STARTED:
            run.started.add(release)
        elif state is State.STAGED:
            run.staged.add(release)
            if "restarts" in entry.data:
                memory = bool(entry.data.get("out_of_memory"))
                run.past[release] = Mishaps(int(entry.data["restarts"]), memory)
            self._actions[release] = str(entry.data.get("action", "release"))
        elif state is State.LIVE:
            run.turns.append(_turn(entry, "release"))
            self.turns.append(run.turns[-1])
        elif state is State.REVERTED:
            # By identity: a turn of the same run before its last begin stays.
            self.turns = [t for t in self.turns if not any(t is own for own in run.turns)]
        if state in (State.SETTLED, State.REVERTED):
            run.end = entry.data
            # What a run that is over has started is nobody's work in progress any more.
            run.started.clear()
            run.staged.clear()
        return run


def _turn(entry: Entry, action: str) -> Turn:
    data = entry.data
    return Turn(
        str(data.get("release", "")),
        str(data.get("sha", "")),
        str(data.get("action", action)),
        entry.time,
    )


def fold(entries: t.Iterable[Entry], damaged: int = 0) -> History:
    """Fold events, oldest first, into a History."""
    history = History(tuple(entries), damaged)
    for entry in history.entries:
        history.add(entry)
    return history
