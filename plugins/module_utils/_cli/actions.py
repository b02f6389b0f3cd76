# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people and units ask the host to do: the same transactions as those of the modules.

Nobody gives the inventory's options here, so they take their defaults. What the host knows better
is taken from it: how the application's health is checked, and that no image is to be removed.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import typing as t

from .._core import files
from .._core.console import say
from .._core.errors import GreenlightError, SpecError
from .._haproxy.check import read_check
from .._haproxy.runtime_api import CONFIGURATION
from .._model.spec import SLOTS, Application, check_sha
from .._release import entrypoint, report
from .._release.argument_spec import transaction_arguments
from .._release.context import observe, open_host
from .._release.revert import revert_at_console
from .._release.target import rollback_goal
from .._state.descriptor import read_application

RETAIN_ALL: t.Final = 1000
"""The host does not know how many releases the inventory keeps, so it removes none."""


def show(done: report.Done) -> None:
    """Print a step that was carried out. A lost terminal must not end the transaction."""
    with contextlib.suppress(OSError):
        say(f"  {done.step:<14} {done.seconds:6.1f} s  {done.text}")
        sys.stdout.flush()


def rollback(
    app: str, sha: str, break_lease: str, *, release: str = "", with_defaults: bool
) -> str:
    """Go back as module release does, in all phases; return what was done, for people.

    Without a SHA and a release it is the previous one that is gone back to.

    Raises GreenlightError with the reason in its first line.
    """
    if not with_defaults:
        _check_settings(app, sha, release)
    run = f"console-{os.urandom(6).hex()}"
    params = {**_params(read_application(app), run), "sha": sha, "release": release}
    params |= {"break_lease": break_lease}
    result = entrypoint.call("rollback", params, False, show)
    if result.get("failed"):
        raise GreenlightError(result["msg"])
    notes = "".join(f"\nnote: {note}" for note in result["notes"])
    return f"{result['message']}\nserving now: {serving(result['live'])}{notes}"


def _check_settings(app: str, sha: str, release: str) -> None:
    """Raise SpecError when a container would have to be made, of which the host lacks the settings.

    Its environment and secrets are in the inventory alone; without them it may do harm.
    """
    snapshot = observe(open_host(app))
    goal = rollback_goal(snapshot, check_sha(sha) if sha else "", release, "", "")
    if goal is not None and goal.target is None:
        raise SpecError(
            f"Of {goal.sha} only the image is left here; its environment and secrets are in the"
            f" inventory: ansible-playbook playbooks/rollback-api.yml -e sha={goal.sha}. An image"
            " that needs none is started by --with-defaults. Nothing was changed."
        )


def serving(live: dict[str, t.Any]) -> str:
    """Say what a module result tells of the live container, in one line."""
    return f"{live['sha']} in slot {live['slot']}" if live else "no release"


def revert(app: str, run: str) -> str:
    """Take back what the named, else the unfinished, run has done; return what was done."""
    outcome = revert_at_console(open_host(app), run, _holder())
    if outcome is None:
        return "no run is under way on this host that could be taken back; nothing was changed"
    for done in outcome.done:
        show(done)
    return "the run is taken back" + "".join(f"\nnote: {note}" for note in outcome.notes)


def _holder() -> str:
    who = os.environ.get("SUDO_USER") or "root"
    return f"{who}@{socket.gethostname()} (console)"


def _params(application: Application, run: str) -> dict[str, t.Any]:
    params = _defaults(transaction_arguments())
    told = read_check(files.read_damaged_text(CONFIGURATION), application.slots[SLOTS[0]].backend)
    for name, default in params["health"].items():
        if type(told.get(name)) is type(default):
            params["health"][name] = told[name]
    extra = {"sha": "", "release": "", "run": run, "holder": _holder()}
    return {**params, "app": application.app, "retain": RETAIN_ALL, **extra}


def _defaults(spec: dict[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    return {
        name: _defaults(option["options"]) if "options" in option else option["default"]
        for name, option in spec.items()
    }
