# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened: an append-only, fsynced file of JSON lines, the audit log of an application.

The events that move a run along are in history.py. Besides them the journal holds, for people:
`phase` (durations of one call), `lease-broken`, `process-ended` (of a run that kept the lock),
`freeze-ignored` and `retired` (a warm standby whose time was over). The first line of a file names
the format.
"""

from __future__ import annotations

import json
import typing as t

from .._core import files, identity
from .._core.boundary import parse_json
from .._core.clock import Clock, utc_stamp
from .._core.errors import FileError
from .._model.container_options import shown_hash
from .history import RECOVERED, Entry, History, State, fold

FORMAT: t.Final = 1
"""The format that this version writes. A file of a higher one is refused, not guessed at."""

ROTATE_BYTES: t.Final = 1_048_576
"""Size in bytes from which the journal is rotated when a run begins."""

KEPT_TURNS: t.Final = 100
"""How many of the last live releases a rotation leaves in the journal."""

KEPT_FILES: t.Final = 5
"""How many rotated journals stay on the host, the newest."""


def parse(text: str) -> tuple[list[Entry], int]:
    """Read the journal's text; return its entries and how many lines could not be read.

    A last line without a line feed is a write that a crash has torn; it counts as damaged only
    when it can no longer be read.
    """
    entries: list[Entry] = []
    damaged = 0
    for line in text.splitlines():
        raw = _read_line(line)
        if raw is None:
            damaged += 1 if line.strip("\x00 ") else 0
        else:
            entries.append(
                Entry(str(raw["event"]), str(raw.get("run", "")), str(raw.get("time", "")), raw)
            )
    return entries, damaged


def _read_line(line: str) -> dict[str, t.Any] | None:
    try:
        raw = parse_json(line)
    except ValueError:
        return None
    if not isinstance(raw, dict) or not _has_right_types(raw):
        return None
    if raw.get("config"):
        # An earlier commit wrote it without a key: it must not be told, and not be written anew.
        raw["config"] = shown_hash(raw["config"])
    return raw


def _has_right_types(raw: dict[str, t.Any]) -> bool:
    """Tell whether the values that are worked with later have the types that we write."""
    groups = {name: raw.get(name) or {} for name in ("seconds", "origin", "health", "watch")}
    if not all(isinstance(group, dict) for group in groups.values()):
        return False
    health = groups["health"]
    status = health.get("status") or []
    if not isinstance(status, list):
        return False
    texts = [*map(raw.get, _TEXTS), *groups["origin"].values(), *map(health.get, _HEALTH_TEXTS)]
    numbers = [raw[name] for name in _NUMBERS if name in raw]
    numbers += [health[name] for name in _HEALTH_NUMBERS if name in health]
    numbers += [*groups["seconds"].values(), *groups["watch"].values(), *status]
    return (
        isinstance(raw.get("event"), str)
        and isinstance(raw.get("first", False), bool)
        and all(text is None or isinstance(text, str) for text in texts)
        and all(map(_is_number, numbers))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_NUMBERS: t.Final = ("drain_seconds", "stop_timeout", "restarts")
_HEALTH_NUMBERS: t.Final = ("interval", "timeout", "successes", "deadline")
_HEALTH_TEXTS: t.Final = ("path", "host", "expect")

_TEXTS: t.Final = (
    "run",
    "time",
    "action",
    "release",
    "sha",
    "digest",
    "config",
    "slot",
    "holder",
    "ci_run",
    "reason",
)


def newest_format(entries: t.Iterable[Entry]) -> int:
    """Return the highest format that any line of the file names."""
    found = [entry.data.get("format", FORMAT) for entry in entries if entry.event == "journal"]
    return max((number for number in found if isinstance(number, int)), default=FORMAT)


def tail(entries: t.Sequence[Entry], kept_turns: int) -> list[Entry]:
    """Return what a rotation keeps: from the begin of the run of the `kept_turns`-th last turn."""
    turns = [i for i, entry in enumerate(entries) if entry.event in (State.LIVE.value, RECOVERED)]
    if len(turns) <= kept_turns:
        return [entry for entry in entries if entry.event != "journal"]
    first = turns[-kept_turns]
    begins = [
        i
        for i in range(first)
        if entries[i].event == State.BEGUN.value and entries[i].run == entries[first].run
    ]
    return [e for e in entries[begins[-1] if begins else first :] if e.event != "journal"]


def _is_stamp(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name[len(prefix) :][:1].isdigit()


ROOM_BYTES: t.Final = 16384
"""Bytes that a run keeps on the disk: the pointer's file and the last word fit in, also when
something else has filled the disk meanwhile."""


class Journal:
    """The journal file of one application on this host."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self.folder = folder
        self.path = f"{folder}/journal.jsonl"
        self._room = f"{folder}/room"
        self._clock = clock

    def read(self) -> History:
        """Return the history; an empty one when there is no journal yet. Raises FileError."""
        entries, damaged = parse(files.read_damaged_text(self.path))
        found = newest_format(entries)
        if found > FORMAT:
            raise FileError(
                f"The journal {self.path} has format {found}; this version of greenlight.droplet"
                f" knows {FORMAT}. Install the newer version of the collection on the machine that"
                " runs Ansible. Nothing was changed."
            )
        return fold(entries, damaged)

    def write(self, event: str, run: str, **data: t.Any) -> None:
        """Append one event with the time of now and fsync it. Values must never be secret.

        A run that begins keeps room on the disk for the word that it is final or taken back.
        Raises FileError.
        """
        if event == State.BEGUN.value:
            files.write_atomic(self._room, "0" * ROOM_BYTES, 0o600)
        elif event in (State.COMMITTED.value, State.REVERTED.value, State.SETTLED.value):
            self.use_room()
        lines = [self._render(event, run, data)]
        if files.size(self.path) == 0:
            lines.insert(0, self._render("journal", "", {"format": FORMAT}))
        files.append_lines(self.path, lines)

    def use_room(self) -> None:
        """Give back the room that was kept: now it is needed. Raises FileError."""
        files.remove(self._room)

    def _render(self, event: str, run: str, data: dict[str, t.Any]) -> str:
        record = {"time": utc_stamp(self._clock.wall()), "run": run, "event": event, **data}
        return json.dumps(record, sort_keys=True)

    def free_bytes(self) -> int:
        """Return how many bytes can still be written where the journal is. Raises FileError."""
        return files.free_bytes(self.folder)

    def identity(self) -> str:
        """Return a name of the folder that no other one has, here or on other hosts."""
        return identity.identity(self.folder)

    def mend(self) -> str:
        """Keep the damaged file aside and write the lines that can be read anew.

        Returns the path of the damaged file.
        """
        aside = f"{self.folder}/journal-damaged-{self._stamp()}.jsonl"
        files.link(self.path, aside)
        entries, _damaged = parse(files.read_damaged_text(self.path))
        self._rewrite(entries)
        self._thin_out("journal-damaged-")
        return aside

    def rotate(self) -> None:
        """Start a new file once this one is large; the last turns go along, the old file stays."""
        if files.size(self.path) < ROTATE_BYTES:
            return
        entries, _damaged = parse(files.read_damaged_text(self.path))
        files.link(self.path, f"{self.folder}/journal-{self._stamp()}.jsonl")
        self._rewrite(tail(entries, KEPT_TURNS))
        self._thin_out("journal-")

    def _thin_out(self, prefix: str) -> None:
        """Remove all but the newest files of a kind; their names sort by time."""
        names = [n for n in files.list_stems(self.folder, ".jsonl") if _is_stamp(n, prefix)]
        for name in names[:-KEPT_FILES]:
            files.remove(f"{self.folder}/{name}.jsonl")

    def _rewrite(self, entries: t.Sequence[Entry]) -> None:
        lines = [self._render("journal", "", {"format": FORMAT})]
        lines += [json.dumps(e.data, sort_keys=True) for e in entries if e.event != "journal"]
        files.write_atomic(self.path, "".join(f"{line}\n" for line in lines), 0o600)

    def _stamp(self) -> str:
        return utc_stamp(self._clock.wall()).replace("-", "").replace(":", "")
