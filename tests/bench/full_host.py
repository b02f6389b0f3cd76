# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases and status on a host that is full: of others' images and containers, of a long past."""

from __future__ import annotations

from collections.abc import Callable

from dev import settings
from dev.sample_versions import VERSIONS
from tests.bench import crowded, long_journal
from tests.bench.droplet import BenchDroplet
from tests.bench.model import OURS, Part, Series
from tests.bench.timed_tasks import Task, TimedTasks
from tests.integration.support.bench import QUICK

Say = Callable[[str], None]

ENTRIES = 10_000
IMAGES, CONTAINERS = 500, 200
VERSION = "A"
"""The version of the sample API that is released; the registry has to have it."""

STATUS: Task = {"name": "Status", "greenlight.droplet.release_info": {"app": "api"}}


class Releases:
    """Releases of one version on a droplet; each differs from the one before in its environment."""

    def __init__(self, droplet: BenchDroplet) -> None:
        """Keep the droplet; nothing is released yet."""
        self._tasks = TimedTasks(droplet.inventory, droplet.name)
        self._number = 0

    def _task(self) -> Task:
        options = {
            **QUICK,
            "image": f"{settings.REGISTRY_HOST}:5000/api",
            "registry_password": settings.REGISTRY_PASSWORD.read_text(encoding="utf-8").strip(),
            "sha": VERSIONS[VERSION].sha,
            "env": {"RUN": str(self._number)},
        }
        return {"name": "Release", "greenlight.droplet.release": options}

    def release(self) -> float:
        """Release anew; return the seconds of the task."""
        self._number += 1
        timed = self._tasks.run([self._task()])[0]
        assert timed.result["changed"], timed.result
        return timed.seconds

    def quiet(self) -> dict[str, float]:
        """Return the seconds of a release of what is live, and of a status."""
        nothing, status = self._tasks.run([self._task(), STATUS])
        assert not nothing.result["changed"], nothing.result
        assert status.result["live"]["sha"] == VERSIONS[VERSION].sha, status.result["live"]
        return {"no-op release": nothing.seconds, "status": status.seconds}


class _Values:
    """Values by measure, in the order in which they came."""

    def __init__(self) -> None:
        self.by_measure: dict[str, list[float]] = {}

    def add(self, where: str, found: dict[str, float], say: Say) -> None:
        """Keep the seconds of several measures of one kind of host."""
        for name, seconds in found.items():
            self.by_measure.setdefault(f"{name}, {where}", []).append(round(seconds, 4))
        say(f"{where}: " + ", ".join(f"{name} {value:.2f} s" for name, value in found.items()))

    def series(self) -> list[Series]:
        """Return one series for each measure."""
        return [Series(name, OURS, "s", values) for name, values in self.by_measure.items()]


def measure_crowd(part: Part, droplet: BenchDroplet, count: int, say: Say) -> None:
    """Release on a host before and after hundreds of others' images and containers are on it."""
    releases, values = Releases(droplet), _Values()
    releases.release()

    def measure(where: str) -> None:
        for _round in range(count):
            found = releases.quiet()
            values.add(where, {**found, "release": releases.release()}, say)

    before = crowded.count_of(droplet)
    measure("host of its own")
    with crowded.crowd(droplet, IMAGES, CONTAINERS):
        measure(f"host with {IMAGES} images and {CONTAINERS} containers")
    part.series += values.series()
    part.method.append(
        f"Crowded host: seconds of the task of each module with {IMAGES} images and"
        f" {CONTAINERS} created containers of others, against the same droplet before (which had"
        f" {before[0]} images and {before[1]} containers, ours). One state after the other: they"
        " are too dear to alternate. A release changes the environment alone: nothing is pulled."
    )


def measure_journal(part: Part, droplet: BenchDroplet, count: int, say: Say) -> None:
    """Ask for what is live, and for the status, with a short journal and a long one by turns."""
    releases, values = Releases(droplet), _Values()
    releases.release()
    few, _size = long_journal.count_of(droplet)
    journals = long_journal.Journals(droplet, ENTRIES)
    with journals.kept():
        for number in range(count):
            both = [("short journal", journals.short)]
            both.append((f"journal of {ENTRIES} entries", journals.long))
            for where, text in both[:: 1 if number % 2 == 0 else -1]:
                journals.put(text)
                values.add(where, releases.quiet(), say)
        journals.put(journals.long)
        entries, size = long_journal.count_of(droplet)
        rotating = releases.release()
        after, size_after = long_journal.count_of(droplet)
    part.series += values.series()
    say(f"a release rotated {entries} entries to {after} in {rotating:.2f} s")
    part.method.append(
        "Journal: seconds of the task of each module with the journal as it was"
        f" ({few} entries) and with one made longer by copies of its runs, by turns."
    )
    part.notes.append(
        f"A journal of {entries:,} entries ({size / 2**20:.1f} MiB) does not last: the next release"
        f" rotated it to {after:,} entries ({size_after / 2**20:.2f} MiB), with which it took"
        f" {rotating:.2f} s in all. What was measured is the state before that."
    )
