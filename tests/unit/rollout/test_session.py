# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that stays on a host between the phases: a real fork, a real socket."""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import signal
import socket
import stat
import subprocess
import sys
import syslog
import tempfile
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils import session, session_client
from ansible_collections.greenlight.droplet.plugins.module_utils.report import Done
from ansible_collections.greenlight.droplet.plugins.module_utils.session import Session
from tests.unit.rollout.clients import LIMIT, pass_on, run_client

PROCESSES: t.Final = multiprocessing.get_context("fork")
SECRET = "hunter2-hunter2"
Result = dict[str, t.Any]


def fake_call(
    _action: str,
    params: Result,
    _check_mode: bool,
    say: t.Callable[[Done], None] = print,
    *,
    look_after: bool = True,
) -> Result:
    """Stand for a transaction: `state` says what kind, `folder` is where it leaves its marks."""
    state, folder = params["state"], Path(params.get("folder", "/"))
    if state == "broken":
        raise ValueError(f"with {SECRET} in it")
    say(Done("start", f"began with {SECRET}", 0.1))
    if state == "slow":
        (folder / "begun").touch()
        wait_for((folder / "go").exists)
        (folder / "ended").touch()
    say(Done("gate", "3 of 3", 0.2))
    known = {"changed": True, "pid": os.getpid(), "state": state, "msg": SECRET}
    return {**known, "looked_after": look_after}


def wait_for(happened: t.Callable[[], bool], seconds: float = LIMIT) -> None:
    """Wait until something has happened; raises AssertionError when it does not."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def is_gone(path: Path) -> bool:
    """Tell whether a session has removed its socket."""
    return not path.exists()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of the sockets; the path of a socket has to be short."""
    with tempfile.TemporaryDirectory(prefix="session-") as name:
        monkeypatch.setattr(session, "FOLDER", f"{name}/run")
        monkeypatch.setattr(session, "call", fake_call)
        monkeypatch.setattr(session, "PATIENCE", 0.1)
        monkeypatch.setattr(session, "_LONGEST_ANSWER", 0.3)
        yield Path(name)
        for path in Path(f"{name}/run").glob("*.socket"):
            (Path(name) / "go").touch()
            pass_on(str(path), b'{"end": true}')
            wait_for(functools.partial(is_gone, path))


def open_one(folder: Path, idle_seconds: float = 10.0) -> str:
    """Open a session as a host's first question does, from a process that ends; return its path."""
    params = {"secrets": {"A": SECRET}, "folder": str(folder)}
    queue = PROCESSES.SimpleQueue()

    def first() -> None:
        queue.put(session.stay(Session("release", params), idle_seconds))

    process = PROCESSES.Process(target=first)
    process.start()
    # Without a limit of time, for with one it would wait until the session has ended as well.
    process.join()
    assert process.exitcode == 0
    return str(queue.get())


def ask(path: str, **question: t.Any) -> Result:
    answer = pass_on(path, json.dumps(question).encode())
    assert answer is not None, "nobody answers"
    return t.cast("Result", json.loads(answer))


def begin(path: str, state: str) -> Result:
    return ask(path, begin={"state": state}, seen=0)


def test_a_phase_is_begun_answered_without_secrets_and_the_session_told_to_end(
    folder: Path,
) -> None:
    path = open_one(folder)
    answer = begin(path, "quick")
    assert answer["busy"] is False
    assert [step["text"] for step in answer["steps"]] == ["began with ********", "3 of 3"]
    assert (answer["result"]["state"], answer["result"]["msg"]) == ("quick", "********")
    assert begin(path, "quick")["result"]["pid"] == answer["result"]["pid"]
    assert pass_on(path, b'{"end": true}') is None
    wait_for(lambda: not Path(path).exists())
    assert pass_on(path, b"{}") is None


def test_a_long_phase_tells_its_steps_and_then_that_it_goes_on(folder: Path) -> None:
    path = open_one(folder)
    answer = begin(path, "slow")
    assert (answer["busy"], answer["result"]) == (True, None)
    assert [step["step"] for step in answer["steps"]] == ["start"]
    began = time.monotonic()
    assert ask(path, seen=1) == {"busy": True, "steps": [], "result": None}
    assert 0.2 < time.monotonic() - began < 2.0
    (folder / "go").touch()
    wait_for((folder / "ended").exists)
    answer = ask(path, seen=1)
    assert answer["busy"] is False
    assert [step["step"] for step in answer["steps"]] == ["gate"]
    assert answer["result"]["changed"] is True


@pytest.mark.parametrize("state", ["settled", "reverted"])
def test_the_last_phase_ends_the_session(folder: Path, state: str) -> None:
    path = open_one(folder)
    live, last = begin(path, "live")["result"], begin(path, state)["result"]
    assert [live["state"], last["state"]] == ["live", state]
    # What came of it all is read once, at the end.
    assert [live["looked_after"], last["looked_after"]] == [False, True]
    wait_for(lambda: not Path(path).exists())


def test_what_is_asked_while_a_phase_goes_on_comes_after_it(folder: Path) -> None:
    path = open_one(folder)
    assert begin(path, "slow")["busy"]
    # The connection was lost here; the controller takes the fleet back.
    assert begin(path, "reverted")["busy"]
    assert not (folder / "ended").exists()
    (folder / "go").touch()
    wait_for((folder / "ended").exists)
    answer = ask(path, seen=0)
    assert answer["result"]["state"] == "reverted"
    assert len(answer["steps"]) == 2


def test_an_idle_session_ends_but_not_in_the_middle_of_a_phase(folder: Path) -> None:
    idle, busy = open_one(folder, 0.1), open_one(folder, 0.1)
    begin(busy, "slow")
    wait_for(lambda: not Path(idle).exists(), 2.5)
    time.sleep(0.5)
    assert Path(busy).exists(), "it was asked a moment after the other had begun to wait"
    (folder / "go").touch()
    wait_for(lambda: not Path(busy).exists(), 2.5)
    assert (folder / "ended").exists()


def test_a_session_told_to_end_finishes_what_it_does(folder: Path) -> None:
    path = open_one(folder)
    begin(path, "slow")
    assert pass_on(path, b'{"end": true}') is None
    wait_for(lambda: not Path(path).exists())
    (folder / "go").touch()
    wait_for((folder / "ended").exists)


def test_an_error_in_a_phase_is_told_with_its_place_and_without_secrets(folder: Path) -> None:
    path = open_one(folder)
    result = begin(path, "broken")["result"]
    assert (result["failed"], result["changed"]) == (True, True)
    assert "ValueError: with ******** in it" in result["msg"]
    assert "fake_call" in result["msg"]
    assert begin(path, "quick")["result"]["state"] == "quick"


@pytest.mark.parametrize("words", [b"", b'{"begin": {"sta', b"[]", b"7", b"\xff\xfe"])
def test_what_is_no_question_does_no_harm(folder: Path, words: bytes) -> None:
    path = open_one(folder)
    assert pass_on(path, words) is None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as gone:
        gone.connect(path)
        gone.sendall(b'{"begin": {"state": "quick"}, "seen": 0}')
    assert begin(path, "quick")["result"]["state"] == "quick"


def test_a_question_before_any_phase_has_an_answer_of_the_same_shape(folder: Path) -> None:
    answer = ask(open_one(folder), seen=0)
    assert (answer["busy"], answer["steps"], answer["result"]["failed"]) == (False, [], True)


def test_an_error_of_the_session_itself_reaches_the_system_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def log(_level: int, line: str) -> None:
        with (folder / "log").open("a") as stream:
            stream.write(f"{line}\n")

    monkeypatch.setattr(syslog, "syslog", log)
    path = open_one(folder)
    begin(path, "slow")
    assert pass_on(path, json.dumps({"seen": SECRET}).encode()) is None
    wait_for(lambda: not Path(path).exists())
    assert "ValueError: invalid literal for int()" in (folder / "log").read_text()
    assert SECRET not in (folder / "log").read_text()
    (folder / "go").touch()
    wait_for((folder / "ended").exists)


def test_only_root_enters_the_folder(folder: Path) -> None:
    (folder / "run").mkdir(mode=0o777)
    path = open_one(folder)
    assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o700
    assert stat.S_ISSOCK(Path(path).stat().st_mode)
    assert [p.name for p in (folder / "run").iterdir()] == [Path(path).name]


def test_the_socket_of_a_killed_session_goes_with_the_next_one(folder: Path) -> None:
    killed, alive = open_one(folder), open_one(folder)
    os.kill(begin(killed, "quick")["result"]["pid"], signal.SIGKILL)
    wait_for(lambda: pass_on(killed, b"{}") is None)
    assert Path(killed).exists()
    new = open_one(folder)
    assert not Path(killed).exists()
    for path in (alive, new):
        assert begin(path, "quick")["result"]["state"] == "quick"


def test_whoever_opened_a_session_is_not_held_up_by_it(folder: Path) -> None:
    program = (
        "from ansible_collections.greenlight.droplet.plugins.module_utils import session\n"
        f"session.FOLDER = '{folder}/run'\n"
        "print(session.stay(session.Session('release', {}), 10.0))\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert time.monotonic() - began < LIMIT
    assert Path(done.stdout.strip()).exists()
    assert done.stderr == ""


def test_the_client_says_when_nobody_is_there(folder: Path) -> None:
    assert run_client(str(folder / "none"), b"{}").returncode == session_client.NOBODY
    path = open_one(folder)
    question = json.dumps({"begin": {"state": "quick"}, "seen": 1}).encode()
    done = run_client(path, question)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"\n")
    assert json.loads(done.stdout)["result"]["state"] == "quick"
