# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module calls without Ansible: every call has a result, also one whose module dies."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.integration.support.ansible import Call
from tests.integration.support.direct import parameters, result_of
from tests.integration.support.remote import calls

RETURNED = 99


def test_a_module_is_told_what_ansible_tells_it() -> None:
    sent = parameters(Call("release", {"sha": "abc"}, check=True))
    assert (sent["sha"], sent["_ansible_check_mode"], sent["_ansible_diff"]) == ("abc", True, True)


@pytest.mark.parametrize(
    ("warnings", "texts"),
    [
        (["plain"], ["plain"]),
        ([{"event": {"msg": "of 2.19", "__ansible_type": "Event"}}], ["of 2.19"]),
    ],
)
def test_warnings_are_texts(warnings: list[object], texts: list[str]) -> None:
    assert result_of(json.dumps({"warnings": warnings}))["warnings"] == texts
    assert "warnings" not in result_of('{"changed": true}').raw


@pytest.mark.parametrize(
    ("printed", "code", "expected"),
    [
        ('a warning\n{"changed": true}\n', 0, {"changed": True}),
        ('{"failed": true, "msg": "no"}\n', 1, {"failed": True, "msg": "no"}),
        ("Traceback\n", 1, {"failed": True, "msg": "ended with 1 and no result"}),
        ("", RETURNED, {"failed": True, "msg": "ended with 0 and no result"}),
        ("", -9, {"failed": True, "msg": "ended with -9 and no result"}),
    ],
)
def test_the_last_line_of_a_module_is_its_result(
    printed: str, code: int, expected: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def module(_name: str, _parameters: dict[str, object]) -> None:
        os.write(1, printed.encode())
        if code < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if code != RETURNED:
            os._exit(code)

    monkeypatch.setattr(calls, "run", module)
    result = calls.run_forked("release", {})
    assert expected.items() <= result.items()


def test_a_program_that_fails_is_a_failure() -> None:
    good, bad = calls.run_command(["echo", "one"]), calls.run_command(["false"])
    assert (good["stdout"], good["failed"], good["rc"]) == ("one", False, 0)
    assert (bad["failed"], bad["rc"]) == (True, 1)
