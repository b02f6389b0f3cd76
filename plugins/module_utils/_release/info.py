# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is live, standby and retained, put together for people and for facts."""

from __future__ import annotations

import typing as t

from .._core.text import printable_value
from .._model.engine_model import Container
from .._model.spec import SLOTS
from .._state.history import History, Run
from .context import observe, open_host
from .entrypoint import describe, notes
from .host_state import Snapshot


def inspect_releases(app: str, events: int) -> dict[str, t.Any]:
    """Return everything that module release_info returns, with the last `events` events.

    Raises NotSetUpError, SpecError, EngineError and ProxyError.
    """
    host = open_host(app)
    snapshot = observe(host)
    lease, freeze, history = host.lock.read_lease(), host.freeze.read(), snapshot.history
    route = snapshot.route
    found = {
        "app": app,
        "live": with_since(snapshot, snapshot.live),
        "standby": with_since(snapshot, snapshot.standby),
        "leftovers": [with_since(snapshot, c) for c in snapshot.leftovers],
        "retained": retained_releases(snapshot),
        "pointer": {"file": route.file, "runtime": route.runtime, "answered": route.answered},
        "slots": {slot: host.proxy.status(slot).status for slot in SLOTS} if route.answered else {},
        "canary": {"slot": route.canary or "", "percent": route.percent},
        "lease": lease.describe() if lease else "",
        "freeze": freeze.describe() if freeze else "",
        "unfinished": describe_unfinished(history),
        "damaged_lines": history.damaged,
        "notes": notes(host),
        "runs": [describe_run(run) for run in history.runs.values()][-events:] if events else [],
        "events": [entry.data for entry in history.entries[-events:]] if events > 0 else [],
    }
    return t.cast("dict[str, t.Any]", printable_value(found))


def describe_run(run: Run) -> dict[str, t.Any]:
    """Say who did what and when, from which release, how it ended and how long its steps took."""
    begin, end = run.begin, run.end
    names = ("time", "action", "sha", "digest", "config", "holder", "ci_run")
    return {
        **{name: begin.get(name, "") for name in names},
        "run": run.identifier,
        "from_sha": (begin.get("origin") or {}).get("sha", ""),
        "outcome": run.state.name.lower(),
        "reason": end.get("reason", ""),
        "ended": end.get("time", ""),
        "seconds": run.seconds,
    }


def describe_unfinished(history: History) -> str:
    """Say which run was left half way, in one line; empty when none was."""
    run = history.unfinished()
    if run is None:
        return ""
    begin = run.begin
    return (
        f"{begin.get('action', 'run')} of {str(begin.get('sha', ''))[:7]} by"
        f" {begin.get('holder', 'unknown')} at {begin.get('time', 'unknown')} was left in state"
        f" {run.state.name.lower()}"
    )


def with_since(snapshot: Snapshot, container: Container | None) -> dict[str, t.Any]:
    """Describe a container and add when its release became live for the last time."""
    if container is None:
        return {}
    times = [turn.time for turn in snapshot.turns if turn.release == container.release]
    return {**describe(container), "since": times[-1] if times else ""}


def retained_releases(snapshot: Snapshot) -> list[dict[str, t.Any]]:
    """List the releases whose images are on the host, newest first. Pure."""
    since = {turn.sha: turn.time for turn in snapshot.turns}
    newest = list(dict.fromkeys(turn.sha for turn in reversed(snapshot.turns)))
    images = snapshot.retained()
    order = [sha for sha in newest if sha in images]
    order += sorted(sha for sha in images if sha not in newest)
    live, standby = snapshot.live, snapshot.standby
    states = {c.sha: name for c, name in ((standby, "standby"), (live, "live")) if c is not None}
    return [
        {
            "sha": sha,
            "digest": next((d.partition("@")[2] for d in images[sha].digests), ""),
            "since": since.get(sha, ""),
            "state": states.get(sha, "retained" if sha in since else "unused"),
            "megabytes": round(images[sha].size / 1_000_000, 1),
        }
        for sha in order
    ]
