# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An option that can never work is refused with its name, its value and what to do instead."""

from __future__ import annotations

import os
import re
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import Order
from ansible_collections.greenlight.droplet.plugins.module_utils._release import entrypoint
from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    build_order,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.environment import (
    yaml_notes,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.option_checks import (
    check_balancer,
    check_limits,
)
from tests.unit.asked import parameters
from tests.unit.release.fakes import APPLICATION
from tests.unit.release.host_state import make_host
from tests.unit.release.world import World

LONGEST = 131_071
"""Bytes of `NAME=value` that Linux takes; with one more it starts no program (seen with Docker)."""

NAN, INFINITE = float("nan"), float("inf")


def ordered(options: dict[str, t.Any]) -> Order:
    """The order with these options; one with a dot in its name is a part of another."""
    params = parameters()
    for label, value in options.items():
        *group, name = label.split(".")
        (params[group[0]] if group else params)[name] = value
    return build_order("release", params)


REFUSED: list[tuple[dict[str, t.Any], str]] = [
    ({"memory": "0m"}, "memory is 0m. Give a value from 6m to 1048576g."),
    ({"memory": "5m"}, "memory is 5m. Give a value from 6m"),
    ({"memory": "999999999g"}, "memory is 999999999g. Give a value from 6m to 1048576g."),
    ({"memory": f"{'9' * 5000}g"}, "is not a size such as '512m'"),
    ({"memory": "-1m"}, "memory '-1m' is not a size such as '512m' or '2g'."),
    ({"memory": "512mb"}, "memory '512mb' is not a size"),
    ({"tmpfs_size": "1b"}, "tmpfs_size is 1b. Give a value from 4k"),
    ({"log_max_size": "lots"}, "log_max_size 'lots' is not a size such as '512m' or '2g'."),
    ({"log_max_size": "0k"}, "log_max_size is 0k. Give a value from 1k"),
    ({"log_max_files": 0}, "log_max_files is 0. Give a value from 1 to 1000."),
    ({"cpus": -1.0}, "cpus is -1.0. Give a value from 0.01 to 8192, or 0 for none."),
    ({"cpus": 0.001}, "cpus is 0.001. Give"),
    ({"cpus": NAN}, "cpus is nan. Give"),
    ({"cpus": 5.0}, "cpus is 5.0; this host has 4 of them."),
    ({"cpu_shares": 1}, "cpu_shares is 1. Give a value from 2 to 262144, or 0 for none."),
    ({"cpu_shares": 262_145}, "cpu_shares is 262145. Give"),
    ({"pids_limit": 4_194_305}, "pids_limit is 4194305. Give a value from 16 to 4194304."),
    ({"stop_timeout": 0}, "stop_timeout is 0. Give"),
    ({"drain_seconds": NAN}, "drain_seconds is nan. Give a value from 0 to 86400."),
    ({"drain_seconds": INFINITE}, "drain_seconds is inf. Give"),
    ({"drain_seconds": -INFINITE}, "drain_seconds is -inf. Give"),
    ({"pull_seconds": NAN}, "pull_seconds is nan. Give"),
    ({"warm_seconds": INFINITE}, "warm_seconds is inf. Give"),
    ({"lock_wait": NAN}, "lock_wait is nan. Give"),
    ({"lease_seconds": INFINITE}, "lease_seconds is inf. Give"),
    ({"health.deadline": INFINITE}, "health.deadline is inf. Give"),
    ({"health.timeout": NAN}, "health.timeout is nan. Give"),
    ({"health.status": []}, "health.status is empty. Give a value from 200 to 599."),
    ({"health.status": [200, 100]}, "health.status is 100. Give a value from 200 to 599."),
    ({"health.status": [2000]}, "health.status is 2000. Give"),
    ({"health.path": "/a b"}, "health.path '/a b' must start with '/' and have neither spaces"),
    ({"health.path": "/up#now"}, "health.path '/up#now' must start with '/'"),
    ({"health.path": "/zürich"}, "write them percent-encoded"),
    ({"health.path": "/\r\nX: 1"}, "must start with '/' and have neither"),
    ({"health.host": "api.test\r\nX: 1"}, "has spaces or letters beyond ASCII. Give a host name."),
    ({"health.headers": {"X Y": "1"}}, "health.headers has 'X Y', which no health check can send"),
    ({"health.headers": {"": "1"}}, "health.headers has '', which"),
    ({"health.headers": {"X_Y": "1"}}, "a name is made of letters, digits and '-'"),
    ({"health.headers": {"connection": "close"}}, "health.headers has 'connection', which"),
    ({"health.headers": {"Host": "b"}}, "health.headers has Host, which is set by health.host."),
    ({"health.headers": {"X-A": "1", "x-a": "2"}}, "health.headers has 'X-A' twice."),
    ({"health.headers": {"X-A": "1\r\nB: 2"}}, "health.headers.X-A is '1\\r\\nB: 2'; give text"),
    ({"health.headers": {"X-A": ""}}, "health.headers.X-A is ''; give text of printable ASCII"),
    ({"health.headers": {"X-A": None}}, "health.headers.X-A is None; give text"),
    ({"health.headers": {"X-A": ["1"]}}, "health.headers.X-A is ['1']; give text"),
    (
        {"health.successes": 100, "health.interval": 1.0},
        "health.successes is 100 and health.interval is 1.0: that takes 99 s at least, and"
        " health.deadline is 60.0.",
    ),
    ({"watch.interval": NAN}, "watch.interval is nan. Give"),
    ({"watch.max_error_percent": 101.0}, "watch.max_error_percent is 101.0. Give a value from 0"),
    ({"canary.percent": 100}, "canary.percent is 100. Give a value from 1 to 99, or 0 for none."),
    ({"canary.seconds": INFINITE}, "canary.seconds is inf. Give"),
    ({"volumes": ["nonsense"]}, "volumes has 'nonsense', which Docker does not take. Write a vol"),
    ({"volumes": ["data:srv"]}, "volumes has 'data:srv', which"),
    ({"volumes": ["./data:/srv"]}, "volumes has './data:/srv', which"),
    ({"volumes": ["a:/srv"]}, "volumes has 'a:/srv', which"),
    ({"volumes": ["/data:ro"]}, "volumes has '/data:ro', which"),
    ({"volumes": ["/data:/srv:bad"]}, "volumes has '/data:/srv:bad', which"),
    ({"volumes": ["/data:/srv:ro,rw"]}, "volumes has '/data:/srv:ro,rw', which"),
    ({"volumes": ["/data:/srv:nocopy"]}, "volumes has '/data:/srv:nocopy', which"),
    ({"volumes": ["data:/srv:rshared"]}, "volumes has 'data:/srv:rshared', which"),
    ({"digest": "sha256:xyz"}, "digest 'sha256:xyz' is not the digest of an image"),
    ({"digest": "latest"}, "Leave it empty to ask the registry."),
    (
        {"canary.percent": 10, "canary.seconds": 0.0},
        "canary.percent is 10 and canary.seconds is 0: the canary would get no request.",
    ),
    ({"volumes": ["/data:/"]}, "volumes has '/data:/', which covers the whole container."),
    ({"volumes": ["/data:/srv", "/else:/srv/"]}, "'/else:/srv/': /srv is mounted already"),
    ({"volumes": ["/data:/tmp"]}, "'/data:/tmp': /tmp is mounted already, by another volume or by"),
    ({"tmpfs": ["tmp"]}, "tmpfs has 'tmp', which is no folder."),
    ({"tmpfs": ["/tmp:size=1m"]}, "its size comes from option tmpfs_size"),
    ({"tmpfs": ["//"]}, "tmpfs has '//', which covers the whole container."),
    ({"cap_add": ["FLY"]}, "cap_add has 'FLY', which is no capability of Linux."),
    ({"user": "a b"}, "user 'a b' is not a user, or a user and a group."),
    ({"user": "1:2:3"}, "user '1:2:3' is not a user"),
    ({"user": "10001:"}, "user '10001:' is not a user"),
    ({"user": "2147483648"}, "Give names or numbers up to 2147483647"),
    ({"ulimits": {"bogus": 1}}, "ulimits.bogus is 1; a limit is a number, -1 for none, and one of"),
    ({"ulimits": {"nofile": -1}}, "ulimits.nofile is -1. Give a value from 0 to 2147483584."),
    ({"tag": "v 1"}, "tag 'v 1' cannot name an image: give at most 128 letters"),
    ({"tag": "v" * 129}, "cannot name an image"),
    ({"env": {"A": "x" * (LONGEST - 1)}}, "env.A has 131072 bytes in all; Linux takes at most"),
    ({"env": {"A": "ü" * 65_536}}, "env.A has 131074 bytes in all"),
    ({"env": {"A": "\udc00" * 50_000}}, "env.A has 150002 bytes in all"),
    ({"env": {"A": "x\0y"}}, "env.A has a NUL character in it"),
    ({"env": {"A": None}}, "env.A must be one value; it is null. Write text, '' for none."),
    ({"env": {"A-B": "x"}}, "env has the key 'A-B', which cannot name an environment variable"),
    ({"command": ["serve", "x" * (LONGEST + 1)]}, "command[1] has 131072 bytes in all"),
    ({"command": ["a\0b"]}, "command[0] has a NUL character"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_can_never_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], message: str
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    with pytest.raises(SpecError, match=re.escape(message)):
        ordered(options)


def test_a_secret_that_is_refused_is_not_shown() -> None:
    for value in ("marker-5711\0", "marker-5711" * 20_000):
        with pytest.raises(SpecError, match=r"secrets\.TOKEN has") as caught:
            ordered({"secrets": {"TOKEN": value}})
        assert "marker" not in str(caught.value)


TAKEN: list[dict[str, t.Any]] = [
    {"memory": "6m"},
    {"memory": "1048576g"},
    {"cpus": 0.0},
    {"cpus": 0.01},
    {"cpus": 4.0},
    {"cpu_shares": 0},
    {"cpu_shares": 262_144},
    {"pids_limit": 4_194_304},
    {"drain_seconds": 0.0},
    {"watch.seconds": 0.0},
    {"canary.percent": 0},
    {"health.status": [204, 301]},
    {"health.path": "/up?full=1&x=%20"},
    {"health.successes": 60, "health.interval": 1.0},
    {"volumes": ["/data:/srv:ro,rslave", "data:/opt:nocopy,ro"]},
    {"digest": f"sha256:{'a' * 64}"},
    {"canary.percent": 0, "canary.seconds": 0.0},
    {"volumes": ["/anonymous", "data:/srv", "/etc/api:/etc/api:ro,z", "up_1.x:/u:rw,nocopy"]},
    {"tmpfs": []},
    {"cap_add": ["NET_BIND_SERVICE", "CAP_CHOWN", "kill", "ALL"]},
    {"user": "10001:10001"},
    {"user": "www-data"},
    {"user": "2147483647"},
    {"ulimits": {"nofile": 2_147_483_584, "core": -1, "nproc": "64"}},
    {"tag": "sha-3f9c2ab"},
    {"env": {"A": "x" * (LONGEST - 2)}},
    {"command": ["x" * LONGEST, ""]},
]


@pytest.mark.parametrize("options", TAKEN)
def test_what_docker_takes_is_taken(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any]
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert ordered(options).action == "release"


def test_a_note_says_what_yaml_made_of_the_environment() -> None:
    env = {"TEXT": "0123", "MODE": 83, "TIME": 1342, "COUNTRY": False, "VERSION": 1.1}
    (note,) = yaml_notes(parameters(env=env))
    assert "env.MODE: 83, env.TIME: 1342, env.COUNTRY: false, env.VERSION: 1.1" in note
    assert "put it in quotes" in note
    assert "TEXT" not in note


def test_the_note_never_shows_a_secret() -> None:
    (note,) = yaml_notes(parameters(secrets={"PIN": 5711, "SAFE": True}))
    assert "secrets.PIN: a number, secrets.SAFE: a boolean" in note
    assert "5711" not in note


def test_a_name_that_yaml_made_a_boolean_is_noted() -> None:
    (note,) = yaml_notes(parameters(env={"False": "Norway"}))
    assert "the name False in env" in note


def test_text_needs_no_note() -> None:
    assert yaml_notes(parameters(env={"A": "NO"}, secrets={"B": "0123"})) == []


def test_the_note_is_in_the_result(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint, "read_application", lambda _app: APPLICATION)
    monkeypatch.setattr(entrypoint, "open_host", lambda _app: make_host(world))
    params = {**parameters(env={"MODE": 83}), "digest": f"sha256:{'a' * 64}", "state": "planned"}
    params["image"] = "registry.test/api"
    (note,) = entrypoint.call("release", params, check_mode=False)["notes"]
    assert "env.MODE: 83" in note


LARGE = {f"V{number}": "x" * 130_000 for number in range(17)}


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({"env": LARGE}, 2_097_152),
        ({"env": {}, "secrets": LARGE}, 2_097_152),
        ({"command": ["x" * 130_000] * 17}, 2_097_152),
        ({"env": {**LARGE, **{f"W{n}": "x" * 130_000 for n in range(40)}}, "stack": -1}, 6_291_456),
        ({"env": {"A": "x" * 100_000, "B": "x" * 40_000}, "stack": 65_536}, LONGEST),
    ],
)
def test_more_than_a_program_is_started_with_is_refused(
    options: dict[str, t.Any], most: int
) -> None:
    stack = options.pop("stack", None)
    limits = {} if stack is None else {"ulimits": {"stack": stack}}
    with pytest.raises(SpecError, match=rf"command have [0-9]+ bytes.*at most {most}\.") as caught:
        ordered({**options, **limits})
    assert "xxx" not in str(caught.value)


def test_a_larger_stack_takes_a_larger_environment() -> None:
    assert ordered({"env": LARGE, "ulimits": {"stack": 33_554_432}}).container.env == LARGE


BAD_URLS = [
    *("api.example.com", "ftp://api.example.com", "http://", "http://:80", "https://a:99999"),
    *(
        "http://a:b",
        "http://a/?x=1",
        "http://a/#x",
        "http://a b",
        "http://zürich.ch",
        "http://[::1",
    ),
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_balancer_that_cannot_be_asked_is_refused(url: str) -> None:
    with pytest.raises(SpecError, match=re.escape(f"balancer_url {url!r} is not a URL such as")):
        check_balancer(url)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:3001", "https://[::1]:8443/", "http://a/b"])
def test_a_balancer_that_can_be_asked_is_taken(url: str) -> None:
    check_balancer(url)


def test_what_leads_a_run_checks_the_options_that_it_knows() -> None:
    groups: dict[str, t.Any] = {"health": {}, "watch": {}, "canary": {}}
    for name, value in (("drain_seconds", NAN), ("balancer_delay", INFINITE)):
        with pytest.raises(SpecError, match=rf"{name} is (nan|inf)\. Give"):
            check_limits({**groups, name: value})
    with pytest.raises(SpecError, match=r"balancer_attempts is 0\. Give a value from 1 to 10000\."):
        check_limits({**groups, "balancer_attempts": 0})
    check_limits({**groups, "balancer_attempts": 1, "drain_seconds": 0.0})
