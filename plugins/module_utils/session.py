# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process of ours per host and run, which stays loaded between the phases of a fleet release.

A fleet release asks every host four times: plan, stage, cut over, settle. Starting Python and
loading Docker's SDK each time would cost more than the work itself, so the first question leaves a
process behind that answers the others on a Unix socket. It holds no state that counts: what is true
is Docker's, the map file's and the journal's as ever, each phase is safe to repeat, and when the
process is gone the controller simply opens a new one.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import socket
import sys
import syslog
import time
import traceback
import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils import files
from ansible_collections.greenlight.droplet.plugins.module_utils.command import Action, call
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.droplet.plugins.module_utils.inspection import inspect_releases
from ansible_collections.greenlight.droplet.plugins.module_utils.redact import redact, secrets_of
from ansible_collections.greenlight.droplet.plugins.module_utils.report import Done
from ansible_collections.greenlight.droplet.plugins.module_utils.session_client import LAST_PHASES

FOLDER: t.Final = "/run/greenlight"
"""Where the sockets are; only root may enter it, and it is empty after a boot."""

_SUFFIX: t.Final = ".socket"

PATIENCE: t.Final = 0.7
"""Seconds after which steps that were done are told, although the phase goes on."""

_LONGEST_ANSWER: t.Final = 10.0
"""Seconds after which an answer is given although nothing happened, so that no connection idles."""

Params = dict[str, t.Any]


class Session:
    """The calls of one run on this host, one at a time, each in a thread of its own."""

    def __init__(self, action: Action, params: Params) -> None:
        self._action = action
        self._params = params
        self._secrets = secrets_of(params)
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self._running: concurrent.futures.Future[dict[str, t.Any]] | None = None
        self._steps: list[Done] = []
        self._is_last = False

    @property
    def state(self) -> str:
        """The phase that the session is opened with."""
        return str(self._params["state"])

    @property
    def is_over(self) -> bool:
        """Whether the last phase of the run has ended, so that nothing more will be asked."""
        return self._is_last and not self.is_busy

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return self._running is not None and not self._running.done()

    def begin(self, changes: Params) -> None:
        """Begin a call with these parameters changed, as soon as the one under way has ended.

        One may be under way although a new one is asked for: the connection was lost meanwhile.
        """
        self._steps = []
        self._is_last = changes["state"] in LAST_PHASES
        params = {**self._params, **changes}
        self._running = self._pool.submit(
            call, self._action, params, False, self._steps.append, look_after=self._is_last
        )

    def look(self, seen: int, patience: float = PATIENCE) -> dict[str, t.Any]:
        """Wait for the end of the call, or for news, and tell what came after `seen` steps.

        What has been done is told after `patience` seconds at the earliest.
        """
        if self._running is None:
            said = {
                "failed": True,
                "changed": False,
                "msg": "Nothing was asked of this session yet.",
            }
            return {"busy": False, "steps": [], "result": said}
        began = time.monotonic()
        while self.is_busy:
            concurrent.futures.wait([self._running], timeout=0.1)
            waited = time.monotonic() - began
            if waited > (patience if len(self._steps) > seen else _LONGEST_ANSWER):
                break
        busy = self.is_busy
        steps = [step.to_dict() for step in self._steps[seen:]]
        result = None if busy else self._result(self._running)
        return t.cast(
            "dict[str, t.Any]",
            redact({"busy": busy, "steps": steps, "result": result}, self._secrets),
        )

    def first(self, check_mode: bool) -> dict[str, t.Any]:
        """Carry out the call that the session is opened with, and return its result."""
        result = call(self._action, self._params, check_mode)
        return t.cast("dict[str, t.Any]", redact(result, self._secrets))

    def finish(self) -> None:
        """Wait for the call under way: a transaction is not cut off in the middle."""
        self._pool.shutdown(wait=True)

    def hide(self, text: str) -> str:
        """Return a text without the run's secrets."""
        return str(redact(text, self._secrets))

    def _result(self, call_: concurrent.futures.Future[dict[str, t.Any]]) -> dict[str, t.Any]:
        error = call_.exception()
        if error is None:
            return call_.result()
        lines = "".join(traceback.format_exception(error))
        return {"failed": True, "changed": True, "msg": f"An error that is ours to fix: {lines}"}


def serve(listener: socket.socket, session: Session, idle_seconds: float) -> None:
    """Answer one connection after the other until told to end, or idle for that many seconds."""
    listener.settimeout(1.0)
    last = time.monotonic()
    while session.is_busy or time.monotonic() - last < idle_seconds:
        try:
            connection, _address = listener.accept()
        except TimeoutError:
            continue
        with connection:
            request = read_request(connection)
            if request is None:
                continue
            if request.get("end"):
                return
            if request.get("begin") is not None:
                session.begin(request["begin"])
            answer = session.look(
                int(request.get("seen", 0)), float(request.get("patience", PATIENCE))
            )
            send_answer(connection, answer)
            if session.is_over and not answer.get("busy"):
                return
        last = time.monotonic()


def read_request(connection: socket.socket) -> dict[str, t.Any] | None:
    """Read one request, a JSON object up to the end of the stream; None when it is none."""
    connection.settimeout(10.0)
    try:
        with connection.makefile("rb") as stream:
            raw = json.loads(stream.read())
    except (OSError, ValueError):
        return None
    return raw if isinstance(raw, dict) else None


def send_answer(connection: socket.socket, answer: dict[str, t.Any]) -> None:
    """Send an answer; whoever asked may be gone by now, and will ask again."""
    try:
        connection.sendall(json.dumps(answer).encode())
    except OSError:
        return


def listen() -> tuple[socket.socket, str]:
    """Return a listening Unix socket that only root can reach, and its path."""
    files.make_folder(FOLDER, 0o700)
    remove_dead()
    path = f"{FOLDER}/{os.urandom(16).hex()}{_SUFFIX}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Under its name it listens already, so that nobody takes it for a dead one.
    listener.bind(f"{path}.new")
    listener.listen(4)
    os.rename(f"{path}.new", path)
    return listener, path


def remove_dead() -> None:
    """Remove the sockets of sessions that were killed: nobody listens there any more."""
    for stem in files.list_stems(FOLDER, _SUFFIX):
        path = f"{FOLDER}/{stem}{_SUFFIX}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                files.remove(path)
            except OSError:
                # It has just ended by itself, or it is too busy to be dead.
                continue


def stay(session: Session, idle_seconds: float, *, begin: bool = False) -> str:
    """Leave a process behind that answers for the session; return the path of its socket.

    With `begin` it carries out the call that the session is opened with.
    """
    listener, path = listen()
    if os.fork():
        listener.close()
        return path
    try:
        os.setsid()
        os.chdir("/")
        # Whoever started us waits until nobody can write to the streams any more.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        if begin:
            session.begin({"state": session.state})
        serve(listener, session, idle_seconds)
    finally:
        _leave(session, path)


def _leave(session: Session, path: str) -> t.NoReturn:
    """End the process that stayed, and nothing but it; an error goes to the system's log."""
    error = sys.exc_info()[1]
    try:
        if error is not None:
            text = session.hide("".join(traceback.format_exception(error)))
            for line in text.splitlines():
                syslog.syslog(syslog.LOG_ERR, f"greenlight session: {line}")
        with contextlib.suppress(GreenlightError):
            files.remove(path)
        session.finish()
    finally:
        os._exit(0 if error is None else 1)


def open_session(request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Answer the first question of a run; a process stays behind when there is more to do.

    With `begin` in the question nothing is answered yet: the process that stays begins the call.
    """
    params: Params = request["params"]
    session = Session(request["action"], params)
    if request.get("begin"):
        return {"result": None, "socket": stay(session, float(params["lease_seconds"]), begin=True)}
    result = session.first(bool(request.get("check_mode")))
    path = ""
    if request.get("stay") and not result.get("failed") and result.get("needed"):
        path = stay(session, float(params["lease_seconds"]))
    return {"result": result, "socket": path}


def inspect(request: dict[str, t.Any]) -> dict[str, t.Any]:
    """Answer what is live, standby and retained; an application that is not here as `failed`."""
    params: Params = request["params"]
    try:
        return {"result": inspect_releases(params["app"], params["events"]), "socket": ""}
    except GreenlightError as exc:
        return {"result": {"failed": True, "msg": str(exc)}, "socket": ""}


def main() -> None:
    """Read one question as JSON from standard input and write the answer to standard output."""
    request = json.load(sys.stdin)
    answer = inspect(request) if request["action"] == "inspect" else open_session(request)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
