# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's questions to a host: what is run there, with what on its standard input."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils.session_client import NOBODY
from ansible_collections.greenlight.droplet.plugins.plugin_utils import agent
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import (
    RemoteError,
    RemoteHost,
    UnreachableError,
)

PYTHON = "/usr/bin/python3"
SECRET = "hunter2-hunter2"
SOCKET = "/run/greenlight/1.socket"
Result = dict[str, t.Any]
Reply = tuple[int, str, str] | Exception


def reply(value: t.Any, noise: str = "") -> Reply:
    return 0, f"{noise}{json.dumps(value)}\n", ""


def opened(result: Result, socket: str = SOCKET) -> Reply:
    return reply({"result": result, "socket": socket})


def step(name: str) -> Result:
    return {"step": name, "text": f"text of {name}", "seconds": 0.1}


def told(*names: str, busy: bool = False, **result: t.Any) -> Reply:
    steps = [step(name) for name in names]
    return reply({"busy": busy, "steps": steps, "result": None if busy else result})


class FakeHost:
    """Answers with the replies in order and remembers what was run."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.asked: list[tuple[str, bytes]] = []
        self.said: list[str] = []

    def execute(self, command: str, data: bytes) -> tuple[int, str, str]:
        """Stand for a command over Ansible's connection."""
        self.asked.append((command, data))
        answer = self._replies.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def remote(self, *, check_mode: bool = False, hosts: int = 1) -> RemoteHost:
        """Return the controller's view of this host."""
        params = {"app": "api", "secrets": {"A": SECRET}, "registry_password": SECRET}
        return RemoteHost(
            self.execute,
            PYTHON,
            "release",
            params,
            check_mode=check_mode,
            say=lambda done: self.said.append(done["step"]),
            hosts=hosts,
        )

    def questions(self) -> list[Result]:
        """Return what came as JSON, in order."""
        return [json.loads(data) for _command, data in self.asked if data.startswith(b"{")]

    def commands(self) -> list[str]:
        """Return which kind each command was."""
        kinds = {
            agent.open_command(PYTHON): "open",
            agent.install_command(PYTHON): "install",
            agent.ask_command(SOCKET): "ask",
        }
        return [kinds[command] for command, _data in self.asked]


def test_a_plan_is_one_question_and_leaves_a_session() -> None:
    host = FakeHost(opened({"sha": "a"}))
    assert host.remote().plan("run-1", reserve=True) == {"sha": "a"}
    [question] = host.questions()
    assert host.commands() == ["open"]
    assert (question["action"], question["stay"], question["check_mode"]) == (
        "release",
        True,
        False,
    )
    params = question["params"]
    assert (params["state"], params["reserve"], params["run"]) == ("planned", True, "run-1")


def test_check_mode_asks_what_all_phases_would_do_and_leaves_nothing() -> None:
    host = FakeHost(opened({}, socket=""))
    host.remote(check_mode=True).plan("run-1", reserve=True)
    [question] = host.questions()
    assert (question["check_mode"], question["stay"]) == (True, False)
    assert question["params"]["state"] == "settled"


def test_a_host_without_this_version_gets_it_once_and_is_asked_again() -> None:
    host = FakeHost((agent.MISSING, "", ""), (0, "", ""), opened({"sha": "a"}))
    assert host.remote().plan("run-1", reserve=False) == {"sha": "a"}
    assert host.commands() == ["open", "install", "open"]
    assert host.asked[1][1] == agent.archive()
    assert host.asked[0] == host.asked[2]


@pytest.mark.parametrize(
    "replies",
    [
        [(agent.MISSING, "", ""), (1, "", "disk full")],
        [(agent.MISSING, "", ""), (0, "", ""), (agent.MISSING, "", "")],
    ],
)
def test_an_installation_that_does_not_help_is_not_repeated(replies: list[Reply]) -> None:
    host = FakeHost(*replies)
    with pytest.raises(RemoteError, match="ended with code"):
        host.remote().plan("run-1", reserve=False)
    assert len(host.asked) == len(replies)


def planned(*replies: Reply) -> tuple[FakeHost, RemoteHost]:
    host = FakeHost(opened({}), *replies)
    remote = host.remote()
    remote.plan("run-1", reserve=False)
    return host, remote


def test_a_long_phase_is_asked_for_again_and_again_and_told_once() -> None:
    host, remote = planned(
        told("pull", busy=True), told(busy=True), told("start", "gate", busy=True), told(sha="a")
    )
    assert remote.phase("staged", sha="a") == {"sha": "a"}
    assert host.said == ["pull", "start", "gate"]
    change = {"state": "staged", "reserve": False, "sha": "a"}
    questions = [
        {"begin": change, "seen": 0, "patience": 0.7},
        {"seen": 1, "patience": 0.7},
        {"seen": 1, "patience": 0.7},
        {"seen": 3, "patience": 0.7},
    ]
    assert host.questions()[1:] == questions
    assert host.commands() == ["open", "ask", "ask", "ask", "ask"]


def test_of_many_hosts_each_is_asked_less_often() -> None:
    for hosts, seconds in ((1, 0.7), (4, 0.7), (16, 2.8), (32, 5.0)):
        host = FakeHost(opened({"needed": True}), told("gate"))
        remote = host.remote(hosts=hosts)
        remote.plan("run-1", reserve=False)
        remote.phase("staged")
        assert json.loads(host.asked[-1][1])["patience"] == pytest.approx(seconds)


def test_a_session_lost_in_the_middle_is_opened_anew_in_that_phase() -> None:
    host, remote = planned(
        told("pull", "start", busy=True),
        (87, "", ""),
        # The container is there: a new plan has other steps, and may repeat one.
        opened({"steps": [step("start"), step("gate")], "sha": "a"}, socket=SOCKET),
        told(sha="a"),
    )
    assert remote.phase("staged", sha="a")["sha"] == "a"
    assert host.said == ["pull", "start", "gate"]
    again = host.questions()[3]["params"]
    assert (again["state"], again["sha"], again["run"]) == ("staged", "a", "run-1")
    remote.phase("live")
    assert host.commands() == ["open", "ask", "ask", "open", "ask"]


def test_without_a_session_a_phase_opens_one_and_tells_its_steps() -> None:
    host = FakeHost(opened({"steps": [step("go back")]}, socket=""), opened({"failed": True}, ""))
    remote = host.remote()
    remote.phase("reverted")
    assert remote.phase("reverted") == {"failed": True}
    assert host.said == ["go back"]
    assert host.commands() == ["open", "open"]


@pytest.mark.parametrize("state", ["settled", "reverted"])
def test_the_last_phase_ends_the_session_by_itself(state: str) -> None:
    host, remote = planned(told(sha="a"))
    remote.phase(state)
    remote.close()
    assert host.commands() == ["open", "ask"]


def test_a_session_that_is_still_there_is_told_to_end_once() -> None:
    host, remote = planned(told(sha="a"), (0, "", ""))
    remote.phase("live")
    remote.close()
    remote.close()
    assert host.questions()[-1] == {"end": True}
    assert host.commands() == ["open", "ask", "ask"]


@pytest.mark.parametrize("error", [UnreachableError("gone"), RemoteError("sudo said no")])
def test_an_end_that_cannot_be_told_hides_no_result(error: Exception) -> None:
    _host, remote = planned(error)
    remote.close()


def test_what_a_shell_says_before_the_answer_is_passed_over() -> None:
    host = FakeHost(reply({"result": {"sha": "a"}, "socket": ""}, noise="Welcome!\n{not this}\n\n"))
    assert host.remote().plan("run-1", reserve=False) == {"sha": "a"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((0, "", ""), "no answer"),
        ((0, "[1]\n", ""), "no answer"),
        ((0, "Segmentation fault\n", ""), "not JSON: 'Segmentation fault'"),
        ((0, f"{'x' * 195}{SECRET}", ""), r"not JSON: 'x+\*\*\*\*\*'$"),
        ((1, "", "\n".join(f"line {n}" for n in range(9))), "line 4 / .* / line 8"),
        ((1, "only output", ""), "code 1: only output"),
        ((127, "", "python3: not found"), "code 127: python3: not found.*become: true"),
        ((1, "", f"ValueError: {SECRET}"), r"ValueError: \*+\."),
    ],
)
def test_what_is_no_answer_is_an_error_with_what_the_host_said(answer: Reply, words: str) -> None:
    with pytest.raises(RemoteError, match=words) as caught:
        FakeHost(answer).remote().plan("run-1", reserve=False)
    assert "line 3" not in str(caught.value)
    assert SECRET[:5] not in str(caught.value)


def test_a_failed_client_is_an_error_and_not_a_lost_session() -> None:
    _host, remote = planned((1, "", "out of memory"))
    with pytest.raises(RemoteError, match="out of memory"):
        remote.phase("live")


def test_what_serves_is_read_without_any_secret() -> None:
    host = FakeHost(reply({"result": {"live": {}}, "socket": ""}))
    assert host.remote().inspect(7) == {"live": {}}
    assert host.questions() == [{"action": "inspect", "params": {"app": "api", "events": 7}}]


def test_secrets_travel_on_standard_input_alone() -> None:
    host, remote = planned((87, "", ""), opened({}), told(sha="a"), (0, "", ""))
    remote.phase("staged")
    remote.phase("live")
    remote.close()
    assert all(SECRET not in command for command, _data in host.asked)
    with_secrets = [SECRET.encode() in data for _command, data in host.asked]
    assert with_secrets == [True, False, True, False, False]


def test_all_phases_at_once_are_begun_with_the_first_question() -> None:
    host = FakeHost(
        opened(t.cast("Result", None)), told("gate", busy=True), told("retire", sha="a")
    )
    assert host.remote().whole("run-1") == {"sha": "a"}
    first = json.loads(host.asked[0][1])
    assert (first["begin"], first["params"]["state"], first["params"]["run"]) == (
        True,
        "settled",
        "run-1",
    )
    assert host.said == ["gate", "retire"]


def test_a_watch_that_was_cut_off_is_not_taken_for_passed() -> None:
    gone: Reply = (NOBODY, "", "")
    host = FakeHost(opened({"needed": True}), gone)
    remote = host.remote()
    remote.plan("run-1", reserve=False)
    live = remote.phase("live")
    alone = FakeHost(opened(t.cast("Result", None)), gone).remote().whole("run-1")
    for result in (live, alone):
        assert result["failed"]
        assert result["lost"]
        assert "was killed before it had seen the new release through" in result["msg"]
