# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an application says of its secrets is hidden, also where an error cuts it off."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.redact import HIDDEN
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import (
    LINE_CHARACTERS,
    Failure,
)
from tests.unit.release.fakes import FakeEngine
from tests.unit.release.orders import parameters, release, sha_of
from tests.unit.release.world import World

SHA = sha_of("telling")
HEALTH = parameters()["health"]
TOKEN = "t0ken  of two words"
PASSWORD = "registry-passw0rd"
# Either ends behind the place where an error's line ends, and its beginning stands before it.
AT_THE_CUT = "x" * (LINE_CHARACTERS - 8)


def failure(world: World, monkeypatch: pytest.MonkeyPatch, *, log: str, body: str) -> Failure:
    """Release an application that writes `log`, answers `body`, and is never healthy."""

    def lines(_engine: FakeEngine, _identifier: str, count: int) -> list[str]:
        return [log] * count

    def get(*_place: t.Any, **_options: t.Any) -> http.Answer:
        return http.Answer(503, {}, body, 0.001)

    monkeypatch.setattr(FakeEngine, "log_lines", lines)
    monkeypatch.setattr(http, "get", get)
    with pytest.raises(Failure) as caught:
        release(
            world,
            SHA,
            secrets={"TOKEN": TOKEN},
            registry_username="ci",
            registry_password=PASSWORD,
        )
    return caught.value


@pytest.mark.parametrize("secret", [TOKEN, PASSWORD])
def test_the_beginning_of_a_secret_is_not_left_by_a_cut(
    world: World, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    text = f"{AT_THE_CUT}{secret}"
    found = failure(world, monkeypatch, log=text, body=text)
    told = "\n".join([str(found), json.dumps(found.to_dict()), *world.journal])
    assert secret[:4] not in told
    assert f"{AT_THE_CUT}********" in "".join(found.log_lines)


def test_a_secret_is_hidden_before_its_blanks_are_made_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = failure(world, monkeypatch, log="", body=f"token {TOKEN}\n refused ")
    assert found.last_answer == f"HTTP 503 in 1 ms: token {HIDDEN} refused"


def test_a_secret_in_a_reason_is_hidden_in_the_journal_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "log_lines", lambda *_place: [])
    body = json.dumps({"token": TOKEN})
    monkeypatch.setattr(http, "get", lambda *_place, **_options: http.Answer(200, {}, body, 0.001))
    with pytest.raises(Failure) as caught:
        release(world, SHA, secrets={"TOKEN": TOKEN}, health={**HEALTH, "expect": "token"})
    assert f'gave "{HIDDEN}", wanted true' in caught.value.reason
    assert any(HIDDEN in line for line in world.journal)
    assert TOKEN not in "\n".join([str(caught.value), *world.journal])


def test_a_long_answer_is_one_line_and_cut(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = failure(world, monkeypatch, log="y" * 400, body="z\n" * 400)
    assert len(found.last_answer) == LINE_CHARACTERS
    assert found.last_answer.startswith("HTTP 503 in 1 ms: z z z")
    assert f"    | {'y' * LINE_CHARACTERS}\n" in str(found)


def test_an_empty_answer_is_said_to_be_empty(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = failure(world, monkeypatch, log="", body=" \n")
    assert found.last_answer == "HTTP 503 in 1 ms: (empty body)"
