# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WWW-Authenticate in all its spellings."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._docker.challenge import (
    parse_challenges,
    token_url,
)

BEARER = {"realm": "https://auth.test/token", "service": "r"}


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        ('bEARER Realm="https://auth.test/token",SERVICE="r"', [("bearer", BEARER)]),
        ("Bearer realm=https://auth.test/token,service=r", [("bearer", BEARER)]),
        ("Bearer realm = https://auth.test/token , service = r", [("bearer", BEARER)]),
        (
            'Bearer realm="a",scope="repository:a/b:pull,push"',
            [("bearer", {"realm": "a", "scope": "repository:a/b:pull,push"})],
        ),
        ('Bearer realm="a\\"b",service=""', [("bearer", {"realm": 'a"b', "service": ""})]),
        ("Negotiate, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        (
            'Basic realm="x", Bearer realm="https://auth.test/token",service="r"',
            [("basic", {"realm": "x"}), ("bearer", BEARER)],
        ),
    ],
)
def test_challenges_are_read(header: str, challenges: list[tuple[str, dict[str, str]]]) -> None:
    assert [(c.scheme, c.parameters) for c in parse_challenges(header)] == challenges


ASKED = "https://registry.test:5000/v2/a/b/manifests/t"


@pytest.mark.parametrize(
    ("parameters", "url"),
    [
        (BEARER, "https://auth.test/token?service=r&scope=s"),
        ({"realm": "/token"}, "https://registry.test:5000/token?scope=s"),
        ({"realm": "//auth.test/token"}, "https://auth.test/token?scope=s"),
        ({"realm": "https://auth.test/t?a=1&b="}, "https://auth.test/t?a=1&b=&scope=s"),
        ({"realm": "https://auth.test/t#x"}, "https://auth.test/t?scope=s"),
        ({"realm": "https://auth.test"}, "https://auth.test?scope=s"),
        ({"realm": "/t", "scope": "one two"}, "https://registry.test:5000/t?scope=one&scope=two"),
    ],
)
def test_the_place_of_tokens_is_found(parameters: dict[str, str], url: str) -> None:
    assert token_url(ASKED, parameters, "s") == url
