# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults at a precise moment: a load, a run that is under way, and what must hold afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.integration.support.ansible import Call, Result
from tests.integration.support.bench import APP, Bench, sha
from tests.load.driver import LoadRun
from tests.load.options import LoadOptions

FOLDER = f"/var/lib/greenlight/{APP}"
WAIT_SECONDS = 25.0
LOCKED = f"test -s {FOLDER}/lock"
STAGED = f'grep -q \'"event": "staged"\' <(tail -n 1 {FOLDER}/journal.jsonl)'
WATCHING = f'grep -q \'"event": "live"\' <(tail -n 1 {FOLDER}/journal.jsonl)'


def started(name: str) -> str:
    """The condition that a container of a version of the sample API runs."""
    return f"docker ps --format '{{{{.Names}}}}' | grep -q {sha(name)[:7]}"


def wait_for(bench: Bench, condition: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until a condition of bash holds on the droplet."""
    rounds = int(seconds * 10)
    script = f"for i in $(seq {rounds}); do {condition} && exit 0; sleep 0.1; done; exit 1"
    bench.sh(f"bash <<'END_OF_SCRIPT'\n{script}\nEND_OF_SCRIPT")


def during(bench: Bench, call: Call, condition: str, fault: str) -> Result:
    """Make a call, do a fault as soon as a condition holds, and return what the call returned."""
    playing = bench.begin(call)
    try:
        wait_for(bench, condition)
        bench.sh(fault)
    finally:
        (result,) = playing.end()
    return result


@dataclass
class Counts:
    """What came of a load, filled in at its end."""

    ok: int = 0
    failed: int = 0
    reasons: dict[str, int] | None = None
    versions: dict[str, int] | None = None

    def clean(self) -> None:
        """See that requests were made and none failed."""
        assert self.ok > 50, self
        assert self.failed == 0, self.reasons


@contextmanager
def load(url: str, **changes: Any) -> Iterator[Counts]:
    """A moderate load while the block runs; its counts are there afterwards."""
    counts = Counts()
    options = LoadOptions(url, 120.0, keepalive_rate=30.0, connection_rate=20.0, stream_rate=0.0)
    with LoadRun(replace(options, **changes)) as run:
        time.sleep(0.5)
        yield counts
        time.sleep(0.5)
        result = run.stop()
    counts.ok, counts.failed = int(result["ok"]), int(result["failed"])
    counts.reasons, counts.versions = dict(result["reasons"]), dict(result["versions"])


def info(bench: Bench) -> Result:
    """What release_info says."""
    return bench.one(Call("release_info", {})).ok()


def assert_whole(bench: Bench, name: str) -> Result:
    """See that a version serves, that release_info says so, and that nothing is left over."""
    found = info(bench)
    assert bench.serving() == sha(name)
    assert found["live"]["sha"] == sha(name)
    assert found["live"]["state"] == "running"
    slot = found["live"]["slot"]
    assert (found["pointer"]["file"], found["pointer"]["runtime"]) == (slot, slot)
    assert found["canary"] == {"slot": "", "percent": 0}
    assert (found["lease"], found["leftovers"], found["unfinished"]) == ("", [], "")
    assert len(bench.containers()) <= 2
    files = bench.sh(f"ls -A {FOLDER}").split()
    assert not [entry for entry in files if entry.startswith(".")], files
    return found


def converges(bench: Bench, name: str = "C") -> None:
    """See that the next run succeeds without help."""
    assert bench.one(bench.release(name)).ok()["live"]["sha"] == sha(name)
    assert_whole(bench, name)


def events(bench: Bench, name: str) -> list[dict[str, Any]]:
    """The journal's events of a name."""
    return [entry for entry in bench.journal() if entry["event"] == name]


def map_of(bench: Bench) -> str:
    """The last line of the map file."""
    return bench.sh(f"tail -n 1 {FOLDER}/live.map").strip()


def document(text: str) -> dict[str, Any]:
    """A JSON object."""
    return dict(json.loads(text))
