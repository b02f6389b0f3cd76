# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input ends in a clear error before anything changes, in check mode too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from dev import settings
from tests.integration.support.ansible import Ansible, Call, Result
from tests.integration.support.bench import IMAGE, Bench, look_at, sha
from tests.integration.support.machine import Machine

TWINS = sha("twin-1")[:12]
ABSENT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Bad:
    """A release with bad input: the version or SHA, its options, and what the error says."""

    said: tuple[str, ...]
    name: str = "B"
    options: dict[str, Any] = field(default_factory=dict)


BAD = {
    "SHA with other letters": Bad(("'xyz12345' is not a git SHA", "7 to 40 hex"), "xyz12345"),
    "SHA too short": Bad(("'abc123' is not a git SHA",), "abc123"),
    "SHA too long": Bad(("is not a git SHA",), "a" * 41),
    "ambiguous prefix": Bad(
        (f"The SHA {TWINS} is ambiguous", sha("twin-1"), sha("twin-2"), "Give more digits"), TWINS
    ),
    "absent SHA": Bad((f"{IMAGE}:{ABSENT} is not in the registry", "Nothing was changed"), ABSENT),
    "absent prefix": Bad((f"{IMAGE}:0123456 is not in the registry",), "0123456"),
    "absent repository": Bad(
        ("is not in the registry",), options={"image": f"{settings.REGISTRY_HOST}:5000/no/such"}
    ),
    "wrong password": Bad(
        ("refused user 'greenlight' (HTTP 401)", "registry_password", "nothing was changed"),
        options={"registry_password": "wrong"},
    ),
    "no password": Bad(
        ("registry_username and registry_password go together",), options={"registry_password": ""}
    ),
    "no credentials": Bad(
        ("refused no user (HTTP 401)",),
        options={"registry_username": "", "registry_password": ""},
    ),
    "registry with TLS": Bad(
        ("cannot be reached from this host", "certificate"),
        options={"registry_plain_http": False},
    ),
    "wrong label": Bad(
        ("says that it was built from", f"not from {sha('wrong-label')}", "nothing was changed"),
        "wrong-label",
    ),
    "missing label": Bad(("built from no revision at all", "label org.openc"), "missing-label"),
    "unknown application": Bad(
        ("This host has no application 'shop'; it has api",), options={"app": "shop"}
    ),
    "application name": Bad(("'../api' cannot be used",), options={"app": "../api"}),
    "no image": Bad(("No image is named to pull", "app_image"), options={"image": ""}),
    "image with a tag": Bad(("no tag and no digest",), options={"image": f"{IMAGE}:latest"}),
    "empty secret": Bad(
        ("The secret API_KEY is empty", "nothing was changed"), options={"secrets": {"API_KEY": ""}}
    ),
    "blank secret": Bad(("The secret API_KEY is empty",), options={"secrets": {"API_KEY": "  "}}),
    "secret that is a list": Bad(
        ("secrets.API_KEY must be one value; it is list",), options={"secrets": {"API_KEY": [1]}}
    ),
    "name of a variable": Bad(
        ("'2ND', which cannot name an environment variable",),
        options={"env": {"2ND": "x"}},
    ),
    "in both": Bad(("A is in env and in secrets",), options={"env": {"A": 1}, "secrets": {"A": 2}}),
    "health path": Bad(("'health' must start with '/'",), options={"health": {"path": "health"}}),
    "expectation": Bad(
        ("'status ==' is not a JMESPath expression",), options={"health": {"expect": "status =="}}
    ),
    "memory": Bad(("memory '1 GB' is not a size",), options={"memory": "1 GB"}),
    "retain": Bad(("retain is 1.", "from 2 to 1000"), options={"retain": 1}),
    "successes": Bad(("health.successes is 0",), options={"health": {"successes": 0}}),
    "watch": Bad(("watch.seconds is -1",), options={"watch": {"seconds": -1}}),
}

Pair = tuple[Result, Result]


@pytest.fixture(scope="module")
def refused(whole_bench: Bench) -> dict[str, Pair]:
    """The result of each bad release with A live, in check mode and for real."""
    bench, look = whole_bench, look_at("api")
    bench.clean()
    bench.one(bench.release("A")).ok()
    calls = [bench.release(bad.name, **bad.options) for bad in BAD.values()]
    dry = [Call(call.module, call.args, check=True) for call in calls]
    before, *results, after = bench.play(look, *dry, *calls, look)
    assert before.ok()["stdout"] == after.ok()["stdout"], "a refused call changed the host"
    return dict(zip(BAD, zip(results[: len(BAD)], results[len(BAD) :], strict=True), strict=True))


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_before_anything_changes(refused: dict[str, Pair], name: str) -> None:
    for result in refused[name]:
        for fragment in BAD[name].said:
            assert fragment in result.msg
        assert not result.changed


@pytest.fixture
def hidden(bench: Bench) -> Iterator[Bench]:
    """The droplet with its descriptor out of the way."""
    bench.sh("mv /etc/greenlight/api.json /root/api.json")
    yield bench
    bench.sh("mv /root/api.json /etc/greenlight/api.json")


def test_a_host_without_descriptor_is_not_set_up(hidden: Bench) -> None:
    said = ("not set up for releases: /etc/greenlight/api.json is missing", "Run setup-api.yml")
    hidden.refused(hidden.release("A"), *said)
    hidden.refused(hidden.rollback(), *said)
    hidden.refused(Call("release_info", {}), *said)


def test_a_damaged_descriptor_is_named(hidden: Bench) -> None:
    hidden.sh('echo \'{"app": "api"}\' > /etc/greenlight/api.json')
    hidden.refused(hidden.release("A"), "/etc/greenlight/api.json is damaged", "Run setup-api.yml")


def test_docker_that_does_not_answer_is_named_and_the_live_release_serves(bench: Bench) -> None:
    bench.one(bench.release("A")).ok()
    bench.sh("systemctl stop docker.socket docker.service")
    try:
        for call in (bench.release("B"), bench.rollback(), Call("release_info", {})):
            said = bench.one(call).msg
            assert "The Docker engine does not answer on this host" in said
            assert "systemctl status docker" in said
        assert bench.serving() == sha("A")
    finally:
        bench.sh("systemctl start docker.socket docker.service")
    assert bench.serving() == sha("A")


def test_haproxy_that_is_stopped_is_named_and_nothing_changes(bench: Bench) -> None:
    bench.one(bench.release("A")).ok()
    bench.sh("systemctl stop haproxy")
    try:
        for check in (True, False):
            bench.refused(
                bench.release("B", check=check),
                "HAProxy does not answer on /run/haproxy/admin.sock",
                "systemctl status haproxy",
            )
        found = bench.one(Call("release_info", {})).ok()
        assert found["pointer"] == {"file": "blue", "runtime": None, "answered": False}
    finally:
        bench.sh("systemctl start haproxy")
    assert bench.serving() == sha("A")


class Bare:
    """Calls against the droplet that was never set up."""

    def __init__(self, ansible: Ansible, machine: Machine, bench: Bench) -> None:
        self.ansible, self.machine, self.bench = ansible, machine, bench

    def play(self, *calls: Call) -> list[Result]:
        """Make calls; nothing may appear on the droplet."""
        results = self.ansible.play(calls, self.machine.name).results
        assert self.machine.sh("ls -d /etc/greenlight /var/lib/greenlight || true").count("No such")
        return results


@pytest.fixture
def bare_calls(ansible: Ansible, bare: Machine, whole_bench: Bench) -> Bare:
    """Calls against the bare droplet."""
    return Bare(ansible, bare, whole_bench)


def test_a_bare_host_is_told_to_be_set_up(bare_calls: Bare) -> None:
    bench = bare_calls.bench
    calls = [bench.release("A"), bench.release("A", check=True), bench.rollback()]
    for result in bare_calls.play(*calls, Call("release_info", {})):
        assert "This host is not set up for releases" in result.msg
        assert "Run setup-api.yml on it first. Nothing was changed." in result.msg


def test_set_up_of_an_application_on_a_bare_host_works_in_check_mode_alone(
    bare_calls: Bare,
) -> None:
    args = {"app": "api", "port": 3002}
    dry, real = bare_calls.play(Call("application", args, check=True), Call("application", args))
    assert dry.ok().changed
    assert dry["changes"][0] == "network"
    assert "no Docker SDK for Python" in real.msg


def test_a_host_without_docker_says_so(bare: Machine, ansible: Ansible, bench: Bench) -> None:
    descriptor = json.dumps(json.loads(bench.sh("cat /etc/greenlight/api.json")))
    bare.sh(f"mkdir /etc/greenlight && echo '{descriptor}' > /etc/greenlight/api.json")
    try:
        calls = [Call("release_info", {}), bench.release("A"), bench.release("A", check=True)]
        info, *releases = ansible.play(calls, bare.name).results
        assert "This host has no Docker SDK for Python (python3-docker)" in info.msg
        assert "Run setup-api.yml first" in info.msg
        # Without the command, which set-up installs, no call gets as far as to Docker.
        for result in releases:
            assert "This host is not set up for releases" in result.msg
    finally:
        bare.sh("rm -rf /etc/greenlight")
