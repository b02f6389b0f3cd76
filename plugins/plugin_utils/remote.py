# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to a host's side of a release, and its answers. Controller side."""

from __future__ import annotations

import contextlib
import json
import typing as t
from collections.abc import Callable

from ansible_collections.greenlight.droplet.plugins.module_utils.redact import redact, secrets_of
from ansible_collections.greenlight.droplet.plugins.module_utils.session_client import (
    LAST_PHASES,
    NOBODY,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils import agent

Result = dict[str, t.Any]
Execute = Callable[[str, bytes], tuple[int, str, str]]
"""Runs a command on the host with that standard input: exit code, output, errors."""


class RemoteError(RuntimeError):
    """The host's side did not run; the text says what it said."""


class UnreachableError(RemoteError):
    """The host cannot be reached; the text is what the connection said."""


_PATIENCE: t.Final = 0.7
"""Seconds after which a host tells steps that were done, although the phase goes on."""

_LONGEST_PATIENCE: t.Final = 5.0
"""The same for large fleets, at most."""

_WATCHED: t.Final = ("live",)
"""Phases whose end is not known when the process that was in them is gone."""

_LOST: t.Final = (
    "Greenlight's process on the host was killed before it had seen the new release through,"
    " perhaps for want of memory"
)


class RemoteHost:
    """One of `hosts`. `say` hears of each step as soon as the host tells it."""

    def __init__(
        self,
        execute: Execute,
        python: str,
        action: str,
        params: Result,
        *,
        check_mode: bool,
        say: Callable[[Result], None],
        hosts: int = 1,
    ) -> None:
        self._execute = execute
        self._python = python
        self._action = action
        self._params = params
        self._check_mode = check_mode
        self._say = say
        # Each question costs both sides a process: of many hosts each is asked less often.
        self._patience = min(_LONGEST_PATIENCE, max(_PATIENCE, _PATIENCE * hosts / 4))
        self._socket = ""

    def plan(self, run: str, *, reserve: bool) -> Result:
        """Ask for the plan; a session stays on the host when there is something to do.

        In check mode the host says what the whole release would change, and nothing stays.
        """
        self._params = {**self._params, "run": run}
        state = "settled" if self._check_mode else "planned"
        return self._open({"state": state, "reserve": reserve})

    def whole(self, run: str) -> Result:
        """Carry out all phases at once, for a host that is a fleet of its own."""
        self._params = {**self._params, "run": run}
        change: Result = {"state": "settled", "reserve": False}
        params = {**self._params, **change}
        request = {"action": self._action, "params": params, "begin": True}
        self._socket = self._first(request)["socket"]
        return self._follow({"seen": 0}, change, repeatable=False)

    def phase(self, state: str, **changes: str) -> Result:
        """Carry out a phase and tell each step as it is done."""
        change: Result = {"state": state, "reserve": False, **changes}
        return self._follow({"begin": change, "seen": 0}, change, repeatable=state not in _WATCHED)

    def _follow(self, question: Result, change: Result, *, repeatable: bool) -> Result:
        """Hear of a phase's steps until it is over, and return its result.

        When the session has gone, a new one repeats the phase: each is safe to repeat, but one
        that finds the release live already would not watch it once more.
        """
        told: list[Result] = []
        lost = False
        while self._socket:
            answer = self._ask(question)
            if answer is None:
                self._socket = ""
                lost = True
                break
            told += self._tell(answer["steps"])
            if not answer["busy"]:
                if change["state"] in LAST_PHASES:
                    self._socket = ""
                return t.cast("Result", answer["result"])
            question = {"seen": len(told)}
        if lost and not repeatable:
            return {"failed": True, "changed": True, "lost": True, "msg": _LOST}
        result = self._open(change)
        # What the session that has gone had done is not done again; most of it is not in here.
        known = [(step["step"], step["text"]) for step in told]
        steps = result.get("steps", [])
        self._tell([step for step in steps if (step["step"], step["text"]) not in known])
        return result

    def inspect(self, events: int = 0) -> Result:
        """Read what serves now and what happened, as module release_info returns it."""
        params = {"app": self._params["app"], "events": events}
        return t.cast("Result", self._first({"action": "inspect", "params": params})["result"])

    def close(self) -> None:
        """End the session, unless its last phase has; where that fails it ends by itself later."""
        if self._socket:
            command = agent.ask_command(self._socket)
            self._socket = ""
            with contextlib.suppress(RemoteError):
                self._execute(command, json.dumps({"end": True}).encode())

    def _tell(self, steps: list[Result]) -> list[Result]:
        for step in steps:
            self._say(step)
        return steps

    def _open(self, changes: Result) -> Result:
        request = {
            "action": self._action,
            "params": {**self._params, **changes},
            "check_mode": self._check_mode,
            "stay": not self._check_mode,
        }
        answer = self._first(request)
        self._socket = answer["socket"]
        return t.cast("Result", answer["result"])

    def _first(self, request: Result) -> Result:
        data = json.dumps(request).encode()
        code, output, errors = self._execute(agent.open_command(self._python), data)
        if code == agent.MISSING:
            command = agent.install_command(self._python)
            self._require(*self._execute(command, agent.archive()))
            code, output, errors = self._execute(agent.open_command(self._python), data)
        return self._read(self._require(code, output, errors))

    def _ask(self, question: Result) -> Result | None:
        question = {**question, "patience": self._patience}
        command = agent.ask_command(self._socket)
        code, output, errors = self._execute(command, json.dumps(question).encode())
        if code == NOBODY:
            return None
        return self._read(self._require(code, output, errors, "/usr/bin/perl"))

    def _require(
        self, code: int, output: str, errors: str, program: str = "Python 3.10 or newer"
    ) -> str:
        if code != 0:
            lines = (errors.strip() or output.strip()).splitlines()[-5:]
            # An error that nobody expected has passed no redaction on the host.
            said = redact(" / ".join(lines), secrets_of(self._params))
            raise RemoteError(
                f"Greenlight's part on the host ended with code {code}: {said}."
                f" It needs root (become: true) and {program}."
            )
        return output

    def _read(self, output: str) -> Result:
        """Return the answer: the last line, since a shell's start may have said things before."""
        lines = output.strip().splitlines()
        try:
            raw = json.loads(lines[-1]) if lines else None
        except ValueError as exc:
            said = redact(lines[-1], secrets_of(self._params))
            raise RemoteError(f"The host's answer is not JSON: {said[:200]!r}") from exc
        if not isinstance(raw, dict):
            raise RemoteError("The host gave no answer.")
        return raw
