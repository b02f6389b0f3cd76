# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first question of a run, and when a process stays behind."""

from __future__ import annotations

import io
import json
import sys
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils import session
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import NotSetUpError
from ansible_collections.greenlight.droplet.plugins.module_utils.session import Session

Result = dict[str, t.Any]


@pytest.mark.parametrize(
    ("extra", "stay", "check_mode", "stays"),
    [
        ({}, True, False, True),
        ({"needed": False}, True, False, False),
        ({"bad": True}, True, False, False),
        ({}, False, True, False),
    ],
)
def test_a_session_stays_only_where_more_will_be_asked(
    monkeypatch: pytest.MonkeyPatch,
    extra: Result,
    stay: bool,
    check_mode: bool,
    stays: bool,
) -> None:
    left: list[float] = []

    def remember(_session: Session, idle_seconds: float) -> str:
        left.append(idle_seconds)
        return "a path"

    def plan(_action: str, params: Result, _check_mode: bool) -> Result:
        return {"needed": params.get("needed", True), "failed": params.get("bad", False)}

    monkeypatch.setattr(session, "stay", remember)
    monkeypatch.setattr(session, "call", plan)
    params = {"state": "planned", "lease_seconds": 900, **extra}
    request = {"action": "release", "params": params, "stay": stay, "check_mode": check_mode}
    answer = session.open_session(request)
    assert (answer["socket"], left) == (("a path", [900.0]) if stays else ("", []))
    assert answer["result"]["needed"] is extra.get("needed", True)


@pytest.mark.parametrize("is_there", [True, False])
def test_what_serves_is_answered_and_an_unknown_application_as_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_there: bool
) -> None:
    def inspect(app: str, events: int) -> Result:
        if not is_there:
            raise NotSetUpError("api.json is missing")
        return {"app": app, "events": events}

    monkeypatch.setattr(session, "inspect_releases", inspect)
    question = {"action": "inspect", "params": {"app": "api", "events": 3}}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(question)))
    session.main()
    answer = json.loads(capsys.readouterr().out)
    assert answer["socket"] == ""
    wanted = (
        {"app": "api", "events": 3} if is_there else {"failed": True, "msg": "api.json is missing"}
    )
    assert answer["result"] == wanted
