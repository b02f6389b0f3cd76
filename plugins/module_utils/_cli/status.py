# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What serves on this host, for a person at the console: the first line says it."""

from __future__ import annotations

import json
import typing as t

from .._core.clock import Clock
from .._core.console import complain, say
from .._core.errors import GreenlightError
from .._haproxy.runtime_api import Proxy
from .._model.spec import short_sha
from .._release.info import inspect_releases
from .._state.descriptor import known_applications, read_application
from .._state.freeze import FreezeFile
from .._state.journal import Journal
from .._state.lock import HostLock

Facts = dict[str, t.Any]


def show(app: str, *, as_json: bool) -> int:
    """Print one application, or all; return the exit code. Raises GreenlightError."""
    found = {name: read(name) for name in ([app] if app else known_applications())}
    if as_json:
        say(json.dumps(found, indent=2, sort_keys=True))
    else:
        say("\n\n".join(text(facts) for facts in found.values()) or "no application")
    problems = [facts["problem"] for facts in found.values() if facts["problem"]]
    for problem in dict.fromkeys(problems):
        complain(f"greenlight: {problem}")
    return 1 if problems else 0


def read(app: str) -> Facts:
    """Return what module release_info returns, and why something is missing as `problem`.

    Without Docker the pointer and the state files still say what serves. Raises GreenlightError
    when not even they can be read.
    """
    try:
        facts = inspect_releases(app, 0)
    except GreenlightError as exc:
        return {**_read_without_docker(app), "problem": str(exc)}
    answered = facts["pointer"]["answered"]
    return {**facts, "problem": "" if answered else "HAProxy does not answer; nothing is served"}


def _read_without_docker(app: str) -> Facts:
    application = read_application(app)
    clock, folder = Clock(), application.folder
    history, route = Journal(folder, clock).read(), Proxy(application).read_route()
    lease, freeze = HostLock(folder, clock).read_lease(), FreezeFile(folder, clock).read()
    run = history.unfinished()
    last = history.turns[-1] if history.turns else None
    live: Facts = {}
    if last and route.slot:
        live = {"sha": last.sha, "slot": route.slot, "state": "unknown", "since": last.time}
    return {
        "app": app,
        "live": live,
        "standby": {},
        "leftovers": [],
        "retained": [],
        "pointer": {"file": route.file, "runtime": route.runtime, "answered": route.answered},
        "slots": {},
        "lease": lease.describe() if lease else "",
        "freeze": freeze.describe() if freeze else "",
        "unfinished": f"run {run.identifier}" if run else "",
        "notes": [],
    }


def text(facts: Facts) -> str:
    """Render one application; the first line is what serves now. Pure."""
    pointer, live = facts["pointer"], facts["live"]
    word = facts["slots"].get(live.get("slot"), "") if live else ""
    lines = [
        f"{facts['app']} serves {_serving(facts)}",
        f"  live        {_container(live, word)}",
        f"  standby     {_container(facts['standby'])}",
        f"  retained    {_retained(facts['retained'])}",
        f"  pointer     {_pointer(pointer)}",
        f"  unfinished  {facts['unfinished'] or 'none'}",
        f"  lease       {facts['lease'] or 'none'}",
        f"  freeze      {facts['freeze'] or 'none'}",
    ]
    lines += [f"  left over   {_container(found)}" for found in facts["leftovers"]]
    lines += [f"  note        {note}" for note in facts["notes"]]
    return "\n".join(lines)


def _serving(facts: Facts) -> str:
    live, pointer = facts["live"], facts["pointer"]
    if not pointer["answered"]:
        return "NOTHING: HAProxy does not answer on its runtime socket"
    if not live:
        return "NOTHING: no release is live"
    if live["state"] not in ("running", "unknown"):
        return f"NOTHING: the container of {short_sha(live['sha'])} is {live['state']}"
    if live["state"] == "unknown":
        return f"{live['sha']}, as the journal has it"
    if facts["slots"].get(live["slot"], "UP") != "UP":
        return f"{live['sha']}, but HAProxy's check says {facts['slots'][live['slot']]}"
    return str(live["sha"])


def _container(found: Facts, check: str = "") -> str:
    if not found:
        return "none"
    word = f", HAProxy's check: {check}" if check else ""
    since = f", became live {found['since']}" if found.get("since") else ""
    # Two releases of one SHA differ in these.
    release = f", release {found['release']}" if found.get("release") else ""
    config = f", configuration {found['config']}" if found.get("config") else ""
    place = f"{short_sha(found['sha'])} in slot {found['slot']}"
    return f"{place}, {found['state']}{word}{since}{release}{config}"


def _retained(retained: t.Sequence[Facts]) -> str:
    return ", ".join(f"{short_sha(one['sha'])} ({one['state']})" for one in retained) or "none"


def _pointer(pointer: Facts) -> str:
    file, runtime = pointer["file"] or "nothing", pointer["runtime"] or "nothing"
    if not pointer["answered"]:
        return f"file: {file}, HAProxy: no answer"
    agree = "" if file == runtime else "; they differ, the next run repairs that"
    return f"file: {file}, HAProxy: {runtime}{agree}"
