# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where hosts meet: real processes and one file."""

from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing
import multiprocessing.context
import os
import signal
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.plugin_utils import board as board_module
from ansible_collections.greenlight.droplet.plugins.plugin_utils.board import AbandonedError, Board

LIMIT = 10.0
"""Seconds after which a process that does not end counts as one that waits for ever."""

PROCESSES: t.Final = multiprocessing.get_context("fork")
"""As Ansible makes its own: by fork."""

Answers = dict[str, t.Any]
Work = Callable[[Board, str], object]


class Meeting:
    """Processes, one a host, that share a board; what each returned comes through a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: dict[str, multiprocessing.context.ForkProcess] = {}

    def send(self, host: str, work: Work) -> None:
        """Let a host do its work in a process of its own."""
        process = PROCESSES.Process(target=self._run, args=(host, work), daemon=True)
        process.start()
        self._processes[host] = process

    def _run(self, host: str, work: Work) -> None:
        board = Board(self._folder / "board", os.getppid())
        try:
            with board.taking_part(host):
                answer = work(board, host)
        except AbandonedError as exc:
            answer = f"abandoned: {exc}"
        (self._folder / f"{host}.json").write_text(json.dumps(answer))

    def answers(self) -> Answers:
        """Wait for all processes and return what each made of it."""
        for process in self._processes.values():
            process.join(LIMIT)
        stuck = [host for host, process in self._processes.items() if process.is_alive()]
        for host in stuck:
            self._processes[host].kill()
        assert not stuck, f"{stuck} wait for ever"
        files = {host: self._folder / f"{host}.json" for host in self._processes}
        return {h: json.loads(file.read_text()) for h, file in files.items() if file.exists()}


def meet(board: Board, host: str) -> object:
    board.post("staged", host, failed=host == "b", msg=f"from {host}")
    return board.wait("staged", ["a", "b", "c"])


def test_all_see_what_all_have_posted(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path)
    for host in "abc":
        meeting.send(host, meet)
    everything = {h: {"failed": h == "b", "msg": f"from {h}"} for h in "abc"}
    assert meeting.answers() == dict.fromkeys("abc", everything)
    assert (tmp_path / "board").stat().st_mode & 0o777 == 0o600


def test_twenty_processes_agree_on_one_value(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path)
    hosts = [f"host-{number}" for number in range(20)]
    for host in hosts:
        meeting.send(host, lambda board, host: board.agree("run", host, f"named by {host}"))
    answers = meeting.answers()
    assert len(answers) == 20
    assert len(set(answers.values())) == 1
    assert answers["host-0"] in {f"named by {host}" for host in hosts}


def stumble(_board: Board, _host: str) -> object:
    raise AbandonedError("an error on this host alone")


def test_a_host_that_leaves_without_a_word_counts_as_failed_at_once(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path)
    began = time.monotonic()
    for host in "ab":
        meeting.send(host, lambda board, _host: board.wait("staged", ["a", "c"], any_failed))
    meeting.send("c", stumble)
    answers = meeting.answers()
    assert time.monotonic() - began < 1.0
    for host in "ab":
        assert answers[host]["c"]["failed"] is True
        assert "left the release" in answers[host]["c"]["msg"]


def any_failed(posts: dict[str, board_module.Post]) -> bool:
    return any(post.get("failed") for post in posts.values())


def test_what_a_host_said_before_it_left_counts(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path)
    meeting.send("a", lambda board, host: board.post("staged", host, msg="done"))
    meeting.answers()
    meeting.send("b", lambda board, _host: board.wait("staged", ["a"]))
    assert meeting.answers()["b"] == {"a": {"msg": "done"}}


def test_a_host_that_never_comes_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_module, "_ARRIVAL", 0.3)
    meeting = Meeting(tmp_path)
    meeting.send("a", lambda board, _host: board.wait("planned", ["b"]))
    assert "did not begin" in meeting.answers()["a"]["b"]["msg"]


def test_a_host_that_has_come_may_take_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_module, "_ARRIVAL", 0.2)

    def slow(board: Board, host: str) -> object:
        time.sleep(0.6)
        board.post("planned", host, msg="at last")
        return "posted"

    meeting = Meeting(tmp_path)
    meeting.send("b", slow)
    meeting.send("a", lambda board, _host: board.wait("planned", ["b"]))
    assert meeting.answers()["a"] == {"b": {"msg": "at last"}}


def test_all_give_up_when_the_playbook_has_ended(tmp_path: Path) -> None:
    orphan, answer = tmp_path / "pid", tmp_path / "a.json"

    def wait(board: Board, _host: str) -> object:
        orphan.write_text(str(os.getpid()))
        return board.wait("staged", ["b"])

    def playbook() -> None:
        Meeting(tmp_path).send("a", wait)
        wait_for(lambda: orphan.exists() and orphan.read_text() != "")
        # Killed, so that it can neither end its children nor tell them.
        os.kill(os.getpid(), signal.SIGKILL)

    parent = PROCESSES.Process(target=playbook)
    parent.start()
    parent.join(LIMIT)
    try:
        wait_for(lambda: answer.exists() and answer.read_text() != "", 1.0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(orphan.read_text()), signal.SIGKILL)
    text = "abandoned: The process that ran the playbook has ended."
    assert json.loads(answer.read_text()) == text


def wait_for(happened: Callable[[], bool], seconds: float = LIMIT) -> None:
    """Wait until something has happened; raises AssertionError when it does not."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def test_half_a_line_is_not_read_and_the_first_word_counts(tmp_path: Path) -> None:
    path = tmp_path / "board"
    writer, reader = Board(path, os.getppid()), Board(path, os.getppid())
    assert reader.posts("staged", ["a"]) == {}
    writer.post("staged", "a", value=1)
    line = json.dumps({"kind": "staged", "host": "b", "data": {"value": "ü"}}, ensure_ascii=False)
    half = line.encode()[:-6]
    with path.open("ab") as stream:
        stream.write(half)
    assert reader.posts("staged", ["a", "b"]) == {"a": {"value": 1}}
    with path.open("ab") as stream:
        stream.write(line.encode()[len(half) :] + b"\n")
    writer.post("staged", "a", value=2)
    assert reader.posts("staged", ["b", "a"]) == {"b": {"value": "ü"}, "a": {"value": 1}}


def test_enough_ends_the_wait_early(tmp_path: Path) -> None:
    board = Board(tmp_path / "board", os.getppid())
    board.post("live", "a", failed=True)
    assert board.wait("live", ["a", "b"], enough=any_failed) == {"a": {"failed": True}}


def test_a_full_disk_is_an_error_and_no_half_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(tmp_path / "board", os.getppid())
    monkeypatch.setattr(os, "write", lambda _descriptor, content: len(content) - 1)
    with pytest.raises(OSError, match="no room") as caught:
        board.post("live", "a")
    assert caught.value.errno == errno.ENOSPC
