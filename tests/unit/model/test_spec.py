# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad values are refused with an error that names the value; good ones become an Order."""

from __future__ import annotations

import os
import re
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._model.container_options import (
    ContainerOptions,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    check_sha,
    design_application,
    other_slot,
    parse_application,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    build_order,
)
from tests.unit.asked import container
from tests.unit.release.orders import parameters, sha_of

BAD_OPTIONS: list[tuple[dict[str, t.Any], str]] = [
    ({"sha": ""}, "No commit is named"),
    ({"sha": "xyz1234"}, "'xyz1234' is not a git SHA"),
    ({"sha": "abc123"}, "7 to 40 hexadecimal digits"),
    ({"sha": "a" * 41}, "7 to 40 hexadecimal digits"),
    ({"image": "Registry.test/API"}, "is not a repository such as"),
    ({"image": "registry.test/api:latest"}, "no tag and no digest"),
    ({"registry_username": "deploy"}, "go together: one of them is empty"),
    ({"registry_password": "x"}, "go together: one of them is empty"),
    ({"env": {"1BAD": "x"}}, "env has the key '1BAD'"),
    ({"env": {"LIST": ["x"]}}, "env.LIST must be one value; it is list"),
    ({"secrets": {"TOKEN": ""}}, "The secret TOKEN is empty"),
    ({"secrets": {"TOKEN": "  "}}, "The secret TOKEN is empty"),
    ({"secrets": {"A": "1"}, "env": {"A": "1"}}, "A is in env and in secrets"),
    ({"memory": "lots"}, "memory 'lots' is not a size"),
    ({"tmpfs_size": "64"}, "tmpfs_size '64' is not a size"),
    ({"user": "0:0"}, "user '0:0' is root, which a container does not need"),
    ({"user": "root"}, "set app_allow_root: true"),
    ({"ulimits": {"nofile": "many"}}, "ulimits.nofile is 'many'"),
    ({"ulimits": {"no-file": 1}}, "ulimits.no-file is 1"),
    ({"cpu_shares": -1}, "cpu_shares is -1"),
    ({"retain": 1}, "retain is 1. Give a value from 2 to 1000."),
    ({"drain_seconds": -1}, "drain_seconds is -1"),
    ({"health": {**parameters()["health"], "path": "health"}}, "must start with '/'"),
    ({"health": {**parameters()["health"], "successes": 0}}, "health.successes is 0"),
    ({"watch": {**parameters()["watch"], "seconds": -1}}, "watch.seconds is -1"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_bad_option_is_refused(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        build_order("release", {**parameters(sha=sha_of("a")), **options})


def test_secrets_are_not_in_the_text_of_an_order() -> None:
    marker = "marker-5711"
    order = build_order(
        "release",
        parameters(
            sha=sha_of("a"),
            secrets={"TOKEN": marker},
            registry_username="deploy",
            registry_password=marker,
        ),
    )
    assert marker not in repr(order)
    assert order.container.secrets == {"TOKEN": marker}


def test_booleans_become_what_other_tools_write() -> None:
    order = build_order("release", parameters(sha=sha_of("a"), env={"ON": True, "N": 3}))
    assert order.container.env == {"ON": "true", "N": "3"}


def test_the_tag_is_the_sha_unless_given() -> None:
    sha = sha_of("a")
    assert build_order("release", parameters(sha=sha)).source.tag == sha
    assert build_order("release", parameters(sha=sha, tag="v1")).source.tag == "v1"


def test_sha_is_lowered_and_stripped() -> None:
    assert check_sha(" ABCDEF1\n") == "abcdef1"


KEY = b"k" * 32


def test_the_configuration_hash_of_the_same_options_stays_what_it_was() -> None:
    """Another one would release every host anew on its next update, for nothing."""
    options = container(
        env={"A": "1", "B": "2"},
        secrets={"K": "v"},
        command=("serve", "-p"),
        user="10001:10001",
        memory="256m",
        ulimits={"nofile": 4096},
        tmpfs=("/tmp", "/run"),
    )
    assert container(tmpfs=()).config_hash(3002, KEY).fits("f19d5b5b0a1b")
    assert options.config_hash(8080, KEY).fits("0b46091abab2")
    assert container(tmpfs=()).config_hash(3002, KEY).keyed == "c407a7a0fbe3e6d88a03b90a53ab28cc"
    assert options.config_hash(8080, KEY).keyed == "af80e2051603d48916793717d713b470"


@pytest.mark.parametrize(
    "changed",
    [
        container(env={"A": "2"}),
        container(env={}, secrets={"A": "1"}),
        container(env={"A": "1"}, memory="1g"),
        container(env={"A": "1"}, command=("serve",)),
    ],
)
def test_every_option_changes_the_configuration_hash(changed: ContainerOptions) -> None:
    base = container(env={"A": "1"})
    asked = base.config_hash(3002, KEY)
    assert asked == container(env={"A": "1"}).config_hash(3002, KEY)
    for other in (changed.config_hash(3002, KEY), base.config_hash(3003, KEY)):
        assert asked.keyed != other.keyed
        assert not asked.fits(other.keyed)
        assert not asked.fits(other.unkeyed)
    assert re.fullmatch(r"[0-9a-f]{32}", asked.keyed)


def test_a_short_secret_is_not_found_from_the_hash_by_trying_all() -> None:
    pin = container(secrets={"PIN": "4711"}).config_hash(3002, os.urandom(32))
    tried = [
        container(secrets={"PIN": f"{n:04}"}).config_hash(3002, b"") for n in range(4700, 4720)
    ]
    assert pin.unkeyed in {guess.unkeyed for guess in tried}, "the search itself finds what it can"
    for guess in tried:
        assert pin.keyed[:12] not in (guess.keyed[:12], guess.unkeyed)
    assert pin.unkeyed not in repr(pin)


BAD_APPLICATIONS: list[tuple[tuple[str, int, int, str], str]] = [
    (("Api", 3002, 3002, "172.31.10.0/24"), "'Api' cannot be used"),
    (("a" * 22, 3002, 3002, "172.31.10.0/24"), "at most 21"),
    (("api", 0, 3002, "172.31.10.0/24"), "port is 0"),
    (("api", 3002, 65536, "172.31.10.0/24"), "container_port is 65536"),
    (("api", 3002, 3002, "172.31.10.1/24"), "is not a network such as"),
    (("api", 3002, 3002, "172.31.10.0/30"), "cannot hold the two slots"),
    (("api", 3002, 3002, "8.8.8.0/24"), "cannot hold the two slots"),
]


@pytest.mark.parametrize(("values", "message"), BAD_APPLICATIONS)
def test_bad_application_is_refused(values: tuple[str, int, int, str], message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        design_application(*values)


def test_descriptor_survives_writing_and_reading() -> None:
    application = design_application("api", 3002, 8080, "172.31.10.0/24")
    assert parse_application(application.to_json(), "x.json") == application
    assert application.slots["blue"].address == "172.31.10.2"
    assert application.slots["green"].address == "172.31.10.3"
    assert application.gateway == "172.31.10.1"
    assert application.folder == "/var/lib/greenlight/api"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"app": "api"}', "not json"])
def test_damaged_descriptor_names_file_and_remedy(text: str) -> None:
    with pytest.raises(SpecError, match=r"x\.json is damaged.*Run setup-api\.yml again"):
        parse_application(text, "x.json")


def test_the_other_slot() -> None:
    assert [other_slot(slot) for slot in ("blue", "green", None)] == ["green", "blue", "blue"]
