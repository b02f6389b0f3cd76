# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker is told about a container, and which containers are refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import CheckError
from ansible_collections.greenlight.droplet.plugins.module_utils._model.container_options import (
    check_user,
    host_options,
    is_root,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.engine_model import (
    Image,
    image_of,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from tests.unit.asked import container
from tests.unit.release.fakes import answer_from
from tests.unit.release.orders import release, sha_of
from tests.unit.release.world import World

ENTRY = {"Id": "sha256:1", "Labels": {"a": "b"}, "Size": 5}
INSPECTED = {"Id": "sha256:1", "Config": {"Labels": {"a": "b"}, "User": "10001"}, "Size": 5}


@pytest.mark.parametrize(
    ("raw", "user", "tags"),
    [
        ({**INSPECTED, "RepoTags": ["greenlight/api:x"]}, "10001", ("greenlight/api:x",)),
        ({**ENTRY, "RepoTags": ["greenlight/api:x"]}, "", ("greenlight/api:x",)),
        ({**ENTRY, "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}, "", ()),
        ({**ENTRY, "RepoTags": None}, "", ()),
    ],
)
def test_an_image_is_read_from_its_inspection_and_from_a_list(
    raw: dict[str, t.Any], user: str, tags: tuple[str, ...]
) -> None:
    assert image_of(raw) == Image("sha256:1", tags, (), {"a": "b"}, 5, user)


def test_an_image_without_labels_has_none() -> None:
    assert image_of({"Id": "sha256:1", "Labels": None}).labels == {}


USERS: list[tuple[str, bool]] = [
    ("", True),
    ("root", True),
    ("root:app", True),
    ("0", True),
    ("00:10001", True),
    (":10001", True),
    ("10001", False),
    ("10001:0", False),
    ("app", False),
    ("rooty", False),
]


@pytest.mark.parametrize(("user", "root"), USERS)
def test_root_is_known_by_name_and_number(user: str, root: bool) -> None:
    assert is_root(user) is root


OPTIONS: list[tuple[str, dict[str, t.Any], bool]] = [
    ("", {}, True),
    ("0", {}, True),
    ("0", {"allow_root": True}, False),
    ("", {"user": "10001"}, False),
    ("10001", {"user": "root"}, True),
    ("10001", {}, False),
]


@pytest.mark.parametrize(("image_user", "options", "refused"), OPTIONS)
def test_root_is_refused_unless_allowed(
    image_user: str, options: dict[str, t.Any], refused: bool
) -> None:
    if not refused:
        check_user("registry.test/api@sha256:1", image_user, container(**options))
        return
    with pytest.raises(CheckError, match="api@sha256:1 runs as root") as caught:
        check_user("registry.test/api@sha256:1", image_user, container(**options))
    assert "app_allow_root: true" in str(caught.value)


def test_image_that_runs_as_root_never_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(user="")
    monkeypatch.setattr(http, "get", answer_from(world))
    with pytest.raises(Failure, match="runs as root: it names no user") as caught:
        release(world, sha_of("a"))
    assert caught.value.step == "pull"
    assert not world.containers
    release(world, sha_of("a"), allow_root=True)
    assert world.serving() is not None


def test_defaults_leave_a_container_little() -> None:
    told = host_options("greenlight-api", container(tmpfs=("/run/app",)))
    assert told["cap_drop"] == ["ALL"]
    assert told["cap_add"] is None
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert told["read_only"] is True
    assert told["tmpfs"] == {"/run/app": "rw,noexec,nosuid,nodev,size=64m"}
    assert told["mem_limit"] == told["memswap_limit"] == "512m"
    assert told["pids_limit"] == 512
    assert told["cpu_shares"] == 512
    assert told["nano_cpus"] is None
    assert told["ulimits"] == []
    assert not {"privileged", "port_bindings", "devices", "pid_mode", "ipc_mode"} & set(told)


CHOSEN: list[tuple[dict[str, t.Any], str, t.Any]] = [
    ({"cpus": 1.5}, "nano_cpus", 1_500_000_000),
    ({"cpu_shares": 0}, "cpu_shares", None),
    ({"ulimits": {"nofile": 99}}, "ulimits", [{"Name": "nofile", "Soft": 99, "Hard": 99}]),
    (
        {"apparmor_profile": "greenlight-app"},
        "security_opt",
        ["no-new-privileges:true", "apparmor=greenlight-app"],
    ),
    ({"tmpfs": ("/x",), "tmpfs_size": "1g"}, "tmpfs", {"/x": "rw,noexec,nosuid,nodev,size=1g"}),
]


@pytest.mark.parametrize(("options", "key", "value"), CHOSEN)
def test_choice_reaches_docker(options: dict[str, t.Any], key: str, value: object) -> None:
    assert host_options("greenlight-api", container(**options))[key] == value


@pytest.mark.parametrize("options", [options for options, _key, _value in CHOSEN])
def test_choice_is_another_configuration(options: dict[str, t.Any]) -> None:
    key = b"k" * 32
    assert container(**options).config_hash(3002, key) != container().config_hash(3002, key)
