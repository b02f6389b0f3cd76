# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret leaves a host, and no secret breaks an answer."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.redact import (
    HIDDEN,
    redact,
    secrets_of,
)

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, []),
        ({"secrets": None, "registry_password": None}, []),
        ({"secrets": {"A": "", "B": "  ", "C": "\n"}, "registry_password": ""}, []),
        ({"secrets": {"A": "pass", "B": "password"}}, ["password", "pass"]),
        ({"secrets": {"A": "ab"}, "registry_password": "abcd"}, ["abcd", "ab"]),
        ({"secrets": {"A": 12345, "B": True, "C": None}}, ["12345", "True", "true"]),
        (
            {"secrets": {"A": "short\nlong enough"}},
            ["short\\nlong enough", "short\nlong enough", "long enough"],
        ),
        ({"secrets": {"A": 'pä"s'}}, ['p\\u00e4\\"s', 'pä\\"s', 'pä"s']),
    ],
)
def test_secrets_are_found_with_the_longest_first(
    params: dict[str, t.Any], found: list[str]
) -> None:
    assert secrets_of(params) == found


def test_every_text_at_any_depth_loses_its_secrets() -> None:
    secrets = secrets_of({"secrets": {"A": "pass", "B": "password"}})
    value = {
        "msg": "the password, not the pass",
        "failure": {"log_lines": ["a", "xpassy"], "back_seconds": None},
        "list": [["password"], 3, True, {"deep": "pass"}],
    }
    assert redact(value, secrets) == {
        "msg": f"the {HIDDEN}, not the {HIDDEN}",
        "failure": {"log_lines": ["a", f"x{HIDDEN}y"], "back_seconds": None},
        "list": [[HIDDEN], 3, True, {"deep": HIDDEN}],
    }
    assert value["msg"] == "the password, not the pass"


@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_secret_in_a_line_of_json_stays_hidden(is_ascii: bool) -> None:
    secret = 'quote " backslash \\ umlaut ä'
    line = json.dumps({"error": f"no login with {secret}!"}, ensure_ascii=is_ascii)
    shown = redact(line, secrets_of({"secrets": {"A": secret}}))
    assert json.loads(shown) == {"error": f"no login with {HIDDEN}!"}


def test_a_key_printed_line_by_line_stays_hidden() -> None:
    shown = redact(["log: MIIEvQIBADANBg", "kqhkiG9w0BAQ"], secrets_of({"secrets": {"KEY": KEY}}))
    assert shown == [f"log: {HIDDEN}", HIDDEN]


@pytest.mark.parametrize("secret", ["1", "a", "live", "sha", "green", "msg", "true", "running"])
def test_no_secret_breaks_what_the_release_goes_on_with(secret: str) -> None:
    answer = {
        "busy": False,
        "steps": [{"step": "gate", "text": "1 of 1", "seconds": 1.0}],
        "result": {
            "sha": "a1" * 20,
            "digest": "sha256:" + "1" * 64,
            "release": "r-1",
            "live": {"slot": "green", "state": "running", "sha": "a1" * 20, "name": "api-green-1"},
        },
    }
    shown = redact(answer, secrets_of({"secrets": {"A": secret}}))
    assert shown["result"] == answer["result"]
    assert shown["steps"][0]["step"] == "gate"
    if secret == "1":
        assert shown["steps"][0]["text"] == f"{HIDDEN} of {HIDDEN}"


def test_without_secrets_nothing_is_replaced() -> None:
    assert redact({"msg": "all of it"}, []) == {"msg": "all of it"}
