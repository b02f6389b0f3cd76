# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's own check says what the health check says, and is read back from its configuration.

That HAProxy takes the words as they are meant is seen on a droplet: hardening/test_health_check.py.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.filter import filters
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy import check
from ansible_collections.greenlight.droplet.plugins.module_utils._model.health_check import (
    HealthCheck,
)
from tests.unit import asked

ODD = asked.health(
    path="/v1/it's?deep=1&x=%20\"",
    host="api.test",
    headers={"X-Forwarded-Proto": "https", "X-Odd": "a 'b' %d $HOME \\ #"},
    status=(200, 204),
    expect="status == 'healthy'",
    timeout=0.25,
)

OF_BEFORE = """
backend api-blue
    option httpchk
    http-check send meth GET uri /ready hdr Host shop.example.com
    http-check expect status 200,204
    server slot 172.31.10.2:3002 check

backend api-green
    http-check send meth GET uri /other hdr Host other.example.com
"""


def configuration(health: HealthCheck) -> str:
    """HAProxy's configuration, as far as it matters here."""
    lines = "".join(f"    {line}\n" for line in check.check_lines(health))
    return f"frontend api\n    bind :3002\n\nbackend api-blue\n{lines}    server slot x check\n"


def test_haproxy_asks_as_the_gate_does() -> None:
    _definition, kind, timeout, send, expect = check.check_lines(ODD)
    assert kind == "option httpchk"
    assert timeout == "timeout check 250ms"
    assert send == (
        "http-check send meth GET uri '/v1/it'\\''s?deep=1&x=%20\"' ver HTTP/1.1"
        " hdr Host 'api.test' hdr User-Agent 'greenlight-health-check'"
        " hdr Accept 'application/json' hdr X-Forwarded-Proto 'https'"
        " hdr X-Odd 'a '\\''b'\\'' %%d $HOME \\ #'"
    )
    assert expect == "http-check expect status 200,204,100,102,103"


def test_a_header_of_ours_gives_way_to_the_users() -> None:
    health = asked.health(headers={"user-agent": "probe/1", "accept": "text/plain"})
    assert health.request_headers == {
        "Host": "localhost",
        "user-agent": "probe/1",
        "accept": "text/plain",
    }


@pytest.mark.parametrize("health", [asked.health(), ODD])
def test_the_definition_is_read_back_whole(health: HealthCheck) -> None:
    told = check.read_check(configuration(health), "api-blue")
    assert HealthCheck.of_facts(told) == health
    assert check.differences(told, health) == []
    assert check.read_check(configuration(health), "api-green") == {}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"path": "/other"}, ["health.path"]),
        ({"host": "b"}, ["health.host"]),
        ({"status": (200,)}, ["health.status"]),
        ({"headers": {}, "timeout": 9.0}, ["health.headers", "health.timeout"]),
        ({"expect": "", "interval": 1.0, "deadline": 5.0, "successes": 9}, []),
    ],
)
def test_what_differs_from_a_release_is_named(change: dict[str, t.Any], names: list[str]) -> None:
    told = check.read_check(configuration(ODD), "api-blue")
    assert check.differences(told, dataclasses.replace(ODD, **change)) == names


def test_a_configuration_of_an_earlier_version_says_less() -> None:
    blue = {"path": "/ready", "host": "shop.example.com", "status": [200, 204]}
    assert check.read_check(OF_BEFORE, "api-blue") == blue
    assert check.read_check(OF_BEFORE, "api-green") == {
        "path": "/other",
        "host": "other.example.com",
    }
    assert check.read_check(OF_BEFORE, "shop-blue") == {}
    assert check.read_check("", "api-blue") == {}
    same = asked.health(path="/ready", host="shop.example.com", status=(200, 204), timeout=9.0)
    assert check.differences(blue, same) == []
    assert check.differences({}, same) == []


@pytest.mark.parametrize("damage", ["{", "[]", "[" * 100_000, "5"])
def test_a_damaged_definition_counts_as_none(damage: str) -> None:
    text = configuration(asked.health())
    at = text.index("{")
    broken = text[:at] + damage + text[text.index("\n", at) :]
    assert check.read_check(broken, "api-blue").keys() <= {"path", "host", "status"}


def test_a_run_of_an_earlier_version_says_nothing_of_headers() -> None:
    facts = json.loads(json.dumps(dataclasses.asdict(asked.health())))
    del facts["headers"]
    assert HealthCheck.of_facts({**facts, "of_later": 1}) == asked.health()


GIVEN = filters.FilterModule().filters()


def test_set_up_gets_the_defaults_and_the_words() -> None:
    words = GIVEN["haproxy_check"]({"path": "/up?deep=1", "status": ["204"]})
    assert words["path"] == "'/up'"
    assert "http-check expect status 204,100,102,103" in words["lines"]
    # As Ansible takes it from an inventory in INI form.
    assert GIVEN["health_check"]("path=/up")["path"] == "/up"
    assert GIVEN["health_check"]({}) == dataclasses.asdict(asked.health())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": "up"}, "app_health.path 'up' must start with '/'"),
        ({"pfad": "/up"}, "app_health: "),
        ({"status": []}, "app_health.status is empty"),
        ({"timeout": 0}, "app_health.timeout is 0.0. Give a value from 0.1 to 3600"),
        ({"headers": {"X_Y": "1"}}, "app_health.headers has 'X_Y', which no health check can send"),
    ],
)
def test_set_up_refuses_what_a_release_refuses(given: dict[str, t.Any], said: str) -> None:
    for name in ("health_check", "haproxy_check"):
        with pytest.raises(AnsibleFilterError, match=said.replace(".", r"\.")):
            GIVEN[name](given)
