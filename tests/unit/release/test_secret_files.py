# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets as files: in no environment, there before the container starts, gone with it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._model.secret_files import (
    MOST_BYTES,
    environment_of,
    mounts_of,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    build_order,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from tests.unit.asked import container, parameters
from tests.unit.release.orders import ending_of, release, revert, rollback, sha_of
from tests.unit.release.states import assert_consistent, live_and_standby
from tests.unit.release.world import World

A, B, C = (sha_of(name) for name in "abc")
ASKED: dict[str, t.Any] = {"secret_files": True, "secrets": {"TOKEN": "marker-5711"}}


def test_the_environment_names_the_file_and_has_no_secret() -> None:
    options = container(env={"LEVEL": "info"}, secrets={"TOKEN": "marker"}, secret_files=True)
    assert environment_of(options) == {"LEVEL": "info", "TOKEN_FILE": "/run/secrets/TOKEN"}
    options = container(env={"LEVEL": "info"}, secrets={"TOKEN": "marker"})
    assert environment_of(options) == {"LEVEL": "info", "TOKEN": "marker"}


def test_the_folder_is_mounted_read_only_and_no_container_without_files_has_it() -> None:
    options = container(secrets={"TOKEN": "marker"}, secret_files=True)
    (mount,) = mounts_of("api", "20261127T080000Z-aaaaaaa", options)
    assert (mount["Target"], mount["Type"], mount["ReadOnly"]) == ("/run/secrets", "bind", True)
    assert mount["Source"] == "/run/greenlight/secrets/api/20261127T080000Z-aaaaaaa"
    assert mounts_of("api", "r", container(secrets={"TOKEN": "marker"})) == []


def test_the_way_in_which_secrets_are_given_is_a_configuration() -> None:
    key = b"k" * 32
    plain, files = (container(secrets={"A": "1"}, secret_files=way) for way in (False, True))
    assert plain.config_hash(3002, key) != files.config_hash(3002, key)
    other = container(secrets={"A": "2"}, secret_files=True)
    assert files.config_hash(3002, key) != other.config_hash(3002, key)


REFUSED: list[tuple[dict[str, t.Any], str]] = [
    ({"env": {"TOKEN_FILE": "x"}}, "TOKEN_FILE is in env or in secrets, and option secret_files"),
    ({"secrets": {"A": "1", "A_FILE": "2"}}, "A_FILE is in env or in secrets"),
    ({"secrets": {"A": "x" * (MOST_BYTES + 1)}}, "secrets.A has 1048577 bytes; a file of a secret"),
    ({"secrets": {"A": ""}}, "The secret A is empty"),
    ({"secrets": {"../A": "x"}}, "secrets has the key '../A', which cannot name"),
    ({"volumes": ["data:/run/secrets"]}, "volumes has 'data:/run/secrets', and /run/secrets is"),
    ({"volumes": ["data:/run//secrets/x/"]}, "/run/secrets is where option secret_files puts"),
    ({"tmpfs": ["/run/secrets/x"]}, "tmpfs has '/run/secrets/x', and /run/secrets is where"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_clashes_with_the_files_is_refused(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_order("release", parameters(**{**ASKED, **options}))
    assert message in str(caught.value)


def test_a_secret_may_be_longer_than_an_environment_takes() -> None:
    order = build_order("release", parameters(secret_files=True, secrets={"A": "x" * MOST_BYTES}))
    assert len(order.container.secrets["A"]) == MOST_BYTES
    build_order("release", parameters(tmpfs=["/run"], **ASKED))
    build_order("release", parameters(volumes=["data:/run/secrets-of-others"], **ASKED))


def test_the_files_are_there_before_the_start_and_the_users_own(world: World) -> None:
    release(world, A, **ASKED)
    order = [world.effects.index(n) for n in ("secrets folder", "create", "secrets", "start")]
    assert order == sorted(order)
    ((values, owner),) = world.kept.values()
    assert (values, owner) == ({"TOKEN": "marker-5711"}, (10001, 10001))


def test_standby_and_live_keep_theirs_and_no_other_does(world: World) -> None:
    for sha in (A, B, C):
        release(world, sha, **ASKED)
    releases = {c.release for c in world.containers.values()}
    assert len(releases) == 2
    assert set(world.kept) == set(world.memory) == releases
    rollback(world)
    assert live_and_standby(world) == (B, C)
    assert_consistent(world)


def test_a_release_that_fails_leaves_none_of_its_files(world: World) -> None:
    release(world, A, **ASKED)
    world.behaviour[B] = "sick"
    with pytest.raises(Failure):
        release(world, B, **ASKED)
    assert len(world.kept) == len(world.memory) == 1
    release(world, C, run="run-1", phase="live", **ASKED)
    revert(world, "run-1")
    assert len(world.kept) == len(world.memory) == 1


def test_after_a_reboot_what_was_live_serves_and_the_standby_can(world: World) -> None:
    release(world, A, **ASKED)
    release(world, B, **ASKED)
    world.reboot()
    assert world.serving() is not None
    rollback(world)
    assert live_and_standby(world) == (A, B)


def test_files_that_memory_has_lost_are_laid_out_before_a_standby_starts(world: World) -> None:
    release(world, A, **ASKED)
    release(world, B, **ASKED)
    world.memory.clear()
    rollback(world)
    assert live_and_standby(world) == (A, B)


def test_an_engine_that_gives_users_other_numbers_is_refused(world: World) -> None:
    release(world, A)
    world.remaps_users = True
    with pytest.raises(Failure, match=r"secret_files cannot be used.*userns-remap"):
        release(world, B, **ASKED)
    assert live_and_standby(world) == (A, "")
    release(world, B)


def test_a_host_whose_releases_have_no_files_is_not_touched(world: World) -> None:
    release(world, A, secrets={"TOKEN": "marker-5711"})
    assert not {"secrets folder", "secrets", "enable secrets"} & set(world.effects)


def test_a_kill_at_any_point_leaves_a_host_that_serves_and_that_forgets(world: World) -> None:
    release(world, A, **ASKED)
    for point in range(1, 60):
        world.kill_after = len(world.effects) + point
        if ending_of(lambda: release(world, B, run="run-1", **ASKED)) != "killed":
            break
        world.kill_after = None
        world.reboot()
        assert world.serving() is not None
        world.lease = None
        release(world, C, **ASKED)
        assert live_and_standby(world)[0] == C
        assert set(world.kept) == {c.release for c in world.containers.values()}
        release(world, A, **ASKED)
    else:
        pytest.fail("it was never over")
