# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal of many entries: the runs of a real one, many times over, each time as other runs."""

from __future__ import annotations

import calendar
import json
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.droplet import BenchDroplet

PATH = "/var/lib/greenlight/api/journal.jsonl"
STAMP = "%Y-%m-%dT%H:%M:%SZ"
HOUR_SECONDS = 3600


def _older(entry: dict[str, Any], copy: int) -> dict[str, Any]:
    """Return an entry of `copy` hours before, of a run and of releases of its own."""
    from_epoch = calendar.timegm(time.strptime(str(entry["time"]), STAMP)) - copy * HOUR_SECONDS
    older = {**entry, "time": time.strftime(STAMP, time.gmtime(from_epoch))}
    if entry["run"]:
        older["run"] = f"{entry['run']}-{copy}"
    if entry.get("release"):
        older["release"] = f"{entry['release']}-{copy}"
    if (entry.get("origin") or {}).get("release"):
        origin = entry["origin"]
        older["origin"] = {**origin, "release": f"{origin['release']}-{copy}"}
    return older


def lengthen(text: str, count: int) -> str:
    """Return a journal of at least `count` entries that ends with the text, as it stands.

    The entries before are copies of those of `text`, whole runs, older the further up they stand.
    Raises ValueError when the text has no entry.
    """
    head, *lines = text.splitlines()
    entries = [json.loads(line) for line in lines]
    if not entries:
        raise ValueError("a journal without an entry cannot be lengthened")
    copies = -(-max(count - len(entries), 0) // len(entries))
    older = [_older(entry, copy) for copy in range(copies, 0, -1) for entry in entries]
    # Keys in order, as the journal writes them.
    added = [json.dumps(entry, sort_keys=True) for entry in older]
    return "".join(f"{line}\n" for line in (head, *added, *lines))


def count_of(droplet: BenchDroplet) -> tuple[int, int]:
    """Return how many entries and bytes the droplet's journal has; its first line is none."""
    lines, size = droplet.run(f"wc -lc < {PATH}").split()
    return int(lines) - 1, int(size)


class Journals:
    """The journal of a droplet as it was, and a long one that ends with it."""

    def __init__(self, droplet: BenchDroplet, count: int) -> None:
        """Read the journal and make the long one of it. Raises CommandError, ValueError."""
        self._droplet = droplet
        self.short = f"{droplet.run(f'cat {PATH}')}\n"
        self.long = lengthen(self.short, count)

    def put(self, text: str) -> None:
        """Put a journal in place, with the mode and owner of the one that is there."""
        new = shlex.quote(f"{PATH}.bench")
        self._droplet.run(f"cat > {new} && cat {new} > {PATH} && rm {new}", script=text)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Put back, after the block, the journal as it was and no file that came beside it."""
        folder, _slash, name = PATH.rpartition("/")
        rotated = f"{folder}/{name.removesuffix('.jsonl')}-*.jsonl"
        try:
            yield
        finally:
            self._droplet.run(f"rm -f {rotated}")
            self.put(self.short)
