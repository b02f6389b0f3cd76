# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our actions make of Ansible's values and of its connection's errors."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.playbook.play_context import PlayContext

from ansible_collections.greenlight.droplet.plugins.plugin_utils.connected import (
    ConnectedAction,
    plain,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import (
    RemoteError,
    UnreachableError,
)


class Encrypted:
    """Stands for a value of a vault, which is decrypted on use."""

    def __str__(self) -> str:
        return "decrypted"


class Answering(ConnectedAction):
    """An action without a playbook, whose connection does what the test says."""

    def __init__(self, answer: t.Any) -> None:
        self._answer = answer
        self._play_context = PlayContext()

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> t.Any:
        """Run a command as an action of ours does."""
        return self._on_host("true", b"data")

    def _low_level_execute_command(self, command: str, in_data: bytes, executable: str) -> t.Any:
        assert (command, in_data, executable) == ("true", b"data", "/bin/sh")
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_values_become_pythons_own() -> None:
    value = {
        1: Encrypted(),
        "list": (True, 1, 1.5, None, [Encrypted()]),
        "day": datetime.date(2026, 11, 21),
        "moment": datetime.datetime(2026, 11, 21, 12, 30, tzinfo=datetime.UTC),
    }
    assert json.loads(json.dumps(plain(value))) == {
        "1": "decrypted",
        "list": [True, 1, 1.5, None, ["decrypted"]],
        "day": "2026-11-21",
        "moment": "2026-11-21T12:30:00+00:00",
    }


def test_a_command_returns_code_output_and_errors() -> None:
    done = {"rc": 3, "stdout": "out", "stderr": "err", "stdout_lines": ["out"]}
    assert Answering(done).run() == (3, "out", "err")


def test_a_lost_connection_makes_a_host_unreachable() -> None:
    with pytest.raises(UnreachableError, match="timed out"):
        Answering(AnsibleConnectionFailure("timed out")).run()


def test_whatever_else_the_connection_refuses_fails_this_host() -> None:
    with pytest.raises(RemoteError, match="Incorrect sudo password") as caught:
        Answering(AnsibleError("Incorrect sudo password")).run()
    assert not isinstance(caught.value, UnreachableError)


class Templar:
    """Makes values as Ansible does, as far as these tests go."""

    def template(self, value: t.Any) -> t.Any:
        """Make `{{ x }}` of a text what it stands for; `{{ omit }}` leaves a key out."""
        if isinstance(value, dict):
            return {k: self.template(v) for k, v in value.items() if v != "{{ omit }}"}
        if value == "{{ nope }}":
            raise AnsibleError("'nope' is undefined")
        return "made" if value == "{{ some }}" else value


class Task:
    """A task's arguments."""

    def __init__(self, **args: t.Any) -> None:
        self.args = args


class Arguing(Answering):
    """An action with arguments."""

    def __init__(self, **args: t.Any) -> None:
        super().__init__(None)
        self._task = Task(**args)
        self._templar = Templar()


SPEC: dict[str, dict[str, t.Any]] = {
    "variables_prefix": {"type": "str", "default": ""},
    "app": {"type": "str", "default": "api"},
    "memory": {"type": "str", "default": "512m"},
    "retain": {"type": "int", "default": 5},
}


@pytest.mark.parametrize(
    ("args", "variables", "found"),
    [
        ({}, {"app_memory": "1g"}, ("api", "512m", 5)),
        ({"variables_prefix": "app_"}, {"app_memory": "1g"}, ("api", "1g", 5)),
        ({"variables_prefix": "app_"}, {"memory": "1g", "app_retain": "7"}, ("api", "512m", 7)),
        ({"variables_prefix": "app_"}, {"app_memory": "{{ some }}"}, ("api", "made", 5)),
        ({"variables_prefix": "app_"}, {"app_memory": "{{ omit }}"}, ("api", "512m", 5)),
        (
            {"variables_prefix": "app_", "app": "web", "memory": "2g"},
            {"app_app": "{{ nope }}", "app_memory": "1g"},
            ("web", "2g", 5),
        ),
    ],
)
def test_options_that_the_task_does_not_give_come_from_variables(
    args: dict[str, t.Any], variables: dict[str, t.Any], found: tuple[str, str, int]
) -> None:
    made = Arguing(**args).arguments(SPEC, variables)
    assert (made["app"], made["memory"], made["retain"]) == found


def test_a_value_that_cannot_be_made_names_its_variable() -> None:
    action = Arguing(variables_prefix="app_")
    with pytest.raises(AnsibleActionFail, match="variable app_memory cannot be made") as caught:
        action.arguments(SPEC, {"app_memory": "{{ nope }}", "app_retain": 3})
    assert "'nope' is undefined" in str(caught.value.__cause__)
