# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened: an append-only, fsynced file of JSON lines, and what follows from it.

The events that the rest of the code relies on:

- `begin`: a run opened a transaction; `from` names the release that was live then
- `staged`: a container passed the gate in the idle slot
- `live`: the pointer leads to that release
- `reverted`: the run's release went away again; its `live` event no longer counts
- `settled`: the run is complete
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.greenlight.droplet.plugins.module_utils import files
from ansible_collections.greenlight.droplet.plugins.module_utils.wait import Clock, utc_stamp


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


def parse(text: str) -> list[Entry]:
    """Read the journal's text; a line that is no JSON object (a torn write) is passed over."""
    entries: list[Entry] = []
    for line in text.splitlines():
        try:
            raw = json.loads(line)
        except ValueError:
            continue
        if isinstance(raw, dict) and "event" in raw:
            entries.append(
                Entry(str(raw["event"]), str(raw.get("run", "")), str(raw.get("time", "")), raw)
            )
    return entries


def turns(entries: t.Sequence[Entry], before_run: str = "") -> list[Turn]:
    """Return the releases that were live, oldest first, less those that were taken back.

    With `before_run`, what that run itself did is left out.
    """
    found: list[tuple[str, Turn]] = []
    for entry in entries:
        if entry.event == "live":
            data = entry.data
            turn = Turn(
                str(data.get("release", "")),
                str(data.get("sha", "")),
                str(data.get("action", "release")),
                entry.time,
            )
            found.append((entry.run, turn))
        elif entry.event == "reverted":
            found = [(run, turn) for run, turn in found if run != entry.run]
    return [turn for run, turn in found if not before_run or run != before_run]


def begin_of(entries: t.Sequence[Entry], run: str) -> Entry | None:
    """Return the `begin` event of the run, or None when the run never opened a transaction."""
    return next((e for e in entries if e.event == "begin" and e.run == run), None)


def was_reverted(entries: t.Sequence[Entry], run: str) -> bool:
    """Tell whether the run was taken back after its last begin."""
    last = [e.event for e in entries if e.run == run and e.event in ("begin", "reverted")]
    return bool(last) and last[-1] == "reverted"


def overtaken_by(entries: t.Sequence[Entry], run: str) -> str:
    """Return another run that has begun since this one did; empty when there is none."""
    own = begin_of(entries, run)
    later = entries[entries.index(own) + 1 :] if own is not None else ()
    return next((e.run for e in later if e.event == "begin" and e.run != run), "")


class Journal:
    """The journal file of one application on this host."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self.path = f"{folder}/journal.jsonl"
        self._clock = clock

    def read(self) -> list[Entry]:
        """Return all entries, oldest first; none when there is no journal yet."""
        return parse(files.read_text(self.path) or "")

    def write(self, event: str, run: str, **data: t.Any) -> None:
        """Append one event with the time of now and fsync it. Values must never be secret."""
        record = {"time": utc_stamp(self._clock.wall()), "run": run, "event": event, **data}
        files.append_line(self.path, json.dumps(record, sort_keys=True))
