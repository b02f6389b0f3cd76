# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret leaves a host, and no secret breaks an answer."""

from __future__ import annotations

import base64
import functools
import json
import re
import time
import typing as t
from urllib.parse import quote, quote_plus, urlencode

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.redact import (
    HIDDEN,
    redact,
    secrets_of,
    spellings,
    tell,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import (
    one_line,
    printable,
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
            ["short\nlong enough", "short long enough", "long enough"],
        ),
        ({"secrets": {"A": 'pä"s'}}, ['pÃ¤"s', 'pä"s']),
        ({"secrets": {"A": "a\t\tbcd"}}, ["a\t\tbcd", "a  bcd", "a bcd"]),
    ],
)
def test_secrets_are_found_with_the_longest_first(
    params: dict[str, t.Any], found: list[str]
) -> None:
    assert secrets_of(params) == found


SECRET = "p<a>&'ss/w\u2028ör d+%41\"\\\\x🚀\tz"


def go(text: str) -> str:
    """Spell a text as Go's encoding/json does."""
    told = json.dumps(text, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        told = told.replace(char, f"\\u{ord(char):04x}")
    return told


def php(text: str) -> str:
    """Spell a text as PHP's json_encode does."""
    return json.dumps(text).replace("/", "\\/")


def dotnet(text: str) -> str:
    """Spell a text as System.Text.Json does: hexadecimal digits in capitals, more is escaped."""
    told = json.dumps(text)
    told = re.sub(r"\\u[0-9a-f]{4}", lambda found: "\\u" + found[0][2:].upper(), told)
    return told.replace("+", "\\u002B").replace("'", "\\u0027").replace('\\"', "\\u0022")


def lower(text: str) -> str:
    """Spell a text in percent-encoding with small hexadecimal digits."""
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quote(text))


SPELLERS: list[t.Callable[[str], str]] = [
    str,
    json.dumps,
    go,
    php,
    dotnet,
    repr,
    ascii,
    quote,
    quote_plus,
    lower,
    functools.partial(quote, safe=""),
    functools.partial(quote, safe="!'()*~"),
    lambda text: urlencode({"password": text}),
    lambda text: json.dumps({"log": json.dumps({"msg": text})}),
    lambda text: go(php(go(text))),
    lambda text: go(f"https://u:{quote(text)}@db/x?a=1&b=2"),
    lambda text: quote(json.dumps({"a": text})),
    lambda text: quote(quote(quote(text))),
    printable,
    lambda text: json.dumps(printable(text)),
    lambda text: one_line(text, 999),
]


@pytest.mark.parametrize(
    "secret", [SECRET, "postgres://u:p&w<1>@db/x", "pässw", "Ünïc", "🚀🚀🚀🚀"]
)
@pytest.mark.parametrize("spell", SPELLERS)
def test_a_secret_is_hidden_in_every_spelling(spell: t.Callable[[str], str], secret: str) -> None:
    told = spell(secret)
    for text in (told, f"before {told} after"):
        shown = redact(text, spellings([secret]))
        assert HIDDEN in shown
        assert secret not in shown
        # Nothing is left of it but what the spelling puts around a text.
        assert len(shown) - len(HIDDEN) <= len(text) - len(secret)
        for part in ("ss/w", "postgres", "🚀", "\\ud83d", "F0%9F", "f0%9f", "%3Ca%3E"):
            assert part not in shown or part in text.replace(told, "")
    assert redact(f"before {told} after", spellings([secret])).startswith("before ")
    assert redact(f"before {told} after", spellings([secret])).endswith(" after")


def test_base64_is_beyond_what_is_hidden() -> None:
    told = base64.b64encode(SECRET.encode()).decode()
    assert redact(told, spellings([SECRET])) == told


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("ababab abab", ["abab"], f"{HIDDEN} {HIDDEN}"),
        ("abcdef", ["abcd", "cdef"], HIDDEN),
        ("abcdefgh", ["abcdefgh", "cdef"], HIDDEN),
        ("passpass", ["pass"], f"{HIDDEN}{HIDDEN}"),
        ("x=pass&y", ["pass"], f"x={HIDDEN}&y"),
        ("100%41bc", ["Abcd"], "100%41bc"),
    ],
)
def test_what_overlaps_is_hidden_as_one(text: str, secrets: list[str], shown: str) -> None:
    assert redact(text, secrets) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the release is healthy", "the release is healthy"),
        ("e", HIDDEN),
        ("password=e, user e", f"password={HIDDEN}, user {HIDDEN}"),
        ('{"key": "e"}', f'{{"key": "{HIDDEN}"}}'),
        ("u:e@host e. End", f"u:{HIDDEN}@host {HIDDEN}. End"),
        ("api-e e-mail /v1/e/ e.test x.e e_1 7e", "api-e e-mail /v1/e/ e.test x.e e_1 7e"),
        ("the word api in api-blue and api.test", f"the word {HIDDEN} in api-blue and api.test"),
        ("apis", "apis"),
    ],
)
def test_a_short_secret_is_hidden_where_it_stands_alone(text: str, shown: str) -> None:
    assert redact(text, spellings(["e", "api"])) == shown


def test_a_longer_one_is_hidden_inside_words_too() -> None:
    assert redact("mypass1", spellings(["pass"])) == f"my{HIDDEN}1"


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("x" * 8 + "s3cret!" * 2, 10, "x" * 8 + "**"),
        ("s3\n\tcr", 99, "s3 cr"),
        ("a\n\x1b[2Jb s3cret!", 99, f"a \\x1b[2Jb {HIDDEN}"),
        ("s3cret!" * 100_000, 20, f"{HIDDEN}{HIDDEN}****"),
        (" " * 100 + "s3cret!", 10, ""),
        ("y" * 75 + "s3cret! and more", 10, "y" * 10),
        ("\n" * 75 + "s3cret!", 10, HIDDEN),
        ("\n" * 78 + "s3cret!", 10, HIDDEN),
    ],
)
def test_secrets_go_first_then_control_characters_then_it_is_cut(
    text: str, limit: int, shown: str
) -> None:
    assert tell(text, spellings(["s3cret!"]), limit) == shown


def test_blanks_may_stay_in_the_lines_of_a_log() -> None:
    assert tell("    File s3cret!\t\x1bx", spellings(["s3cret!"]), 99, blanks=True) == (
        f"    File {HIDDEN} \\x1bx"
    )


def test_a_long_text_takes_no_time_to_be_told() -> None:
    begin = time.monotonic()
    for text in ("a" * 2**20, "+%41\\u0041" * 100_000, '\\"' * 2**19):
        tell(text, spellings(["a" * 12, "b" * 2000]), 300)
    assert time.monotonic() - begin < 1.0


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
