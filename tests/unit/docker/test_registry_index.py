# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken from an index, of whatever entries it is made, and from large documents."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import RegistryError
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.registry import (
    Registry,
    RemoteImage,
)
from tests.unit import asked
from tests.unit.docker.oci import NAME, OTHER, SHA, Repository
from tests.unit.servers import http_server

ATTESTATION = {
    "platform": {"architecture": "unknown", "os": "unknown"},
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
}
INDEX = "application/vnd.oci.image.index.v1+json"


def find(repository: Repository, architecture: str = "amd64") -> RemoteImage:
    """Ask a registry that has the repository for its image."""
    with http_server(repository.reply) as (port, _seen):
        source = asked.source(f"127.0.0.1:{port}/{NAME}", tag=SHA, plain_http=True)
        return Registry(source).find(SHA, lambda: architecture, lambda _digest: "")


def on(platform: str) -> dict[str, str]:
    """Return a platform such as linux/arm/v7 as an index has it."""
    return dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))


CHOICES: dict[str, tuple[str, list[str]]] = {
    "other operating systems first": ("amd64", ["windows/amd64", "freebsd/amd64", "+linux/amd64"]),
    "upper case": ("amd64", ["+Linux/AMD64"]),
    "another name": ("amd64", ["linux/arm64", "+linux/x86_64"]),
    "a newer processor's": ("amd64", ["linux/amd64/v3", "+linux/amd64"]),
    "32 bits": ("amd64", ["linux/arm64", "+linux/386"]),
    "64 bits before 32": ("amd64", ["linux/386", "+linux/amd64"]),
    "arm64 by its variant": ("arm64", ["linux/amd64", "+linux/arm64/v8"]),
    "arm64 before arm": ("arm64", ["linux/arm/v7", "+linux/arm64"]),
    "arm for arm64": ("arm64", ["linux/amd64", "linux/arm/v6", "+linux/arm/v7"]),
    "the best of arm": ("arm", ["linux/arm/v5", "linux/arm/v6", "+linux/arm/v7", "linux/arm64"]),
    "arm by its number": ("arm", ["linux/arm/5", "+linux/arm/7"]),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_entry_is_taken_that_docker_takes(case: str) -> None:
    architecture, names = CHOICES[case]
    repository = Repository()
    entries = [
        {
            "digest": repository.image(SHA if name.startswith("+") else OTHER, on(name.strip("+"))),
            "platform": on(name.strip("+")),
        }
        for name in names
    ]
    repository.tags[SHA] = repository.index(ATTESTATION | {"digest": "sha256:0"}, *entries)
    found = find(repository, architecture)
    assert (found.revision, found.digest) == (SHA, repository.tags[SHA])


@pytest.mark.parametrize("platform", [{}, {"platform": None}, {"platform": {}}])
def test_an_entry_without_platform_is_looked_into(platform: dict[str, t.Any]) -> None:
    repository = Repository()
    others = [on("linux/arm64"), on("windows/amd64")]
    entries = [{"digest": repository.image(OTHER, other)} | platform for other in others]
    entries.append({"digest": repository.image(SHA)} | platform)
    repository.tags[SHA] = repository.index(*entries)
    assert find(repository).revision == SHA


def test_an_index_in_an_index_is_opened() -> None:
    repository = Repository()
    arm = {"digest": repository.image(OTHER, on("linux/arm64")), "platform": on("linux/arm64")}
    ours = {"digest": repository.image(SHA), "platform": on("linux/amd64")}
    inner = {"mediaType": INDEX, "digest": repository.index(arm, ours)}
    strange = {"mediaType": INDEX, "digest": repository.index(arm), "platform": None}
    repository.tags[SHA] = repository.index(strange, {"digest": repository.index(inner)})
    assert find(repository).revision == SHA


def test_a_nest_without_end_is_left() -> None:
    repository = Repository()
    repository.tags[SHA] = "sha256:self"
    repository.documents["sha256:self"] = '{"manifests": [{"digest": "sha256:self"}]}'
    with pytest.raises(RegistryError, match="no image for this host's architecture amd64"):
        find(repository)


def test_what_an_index_has_is_said() -> None:
    repository = Repository()
    entries = [{"digest": "sha256:1", "platform": on(name)} for name in ("linux/arm/v7", "plan9/x")]
    repository.tags[SHA] = repository.index(*entries, ATTESTATION | {"digest": "sha256:0"})
    with pytest.raises(RegistryError, match=r"architecture amd64, but for: linux/arm/v7, plan9/x"):
        find(repository)


def test_a_platform_that_was_not_copied_is_passed_over() -> None:
    repository = Repository()
    entries = [
        {"digest": "sha256:absent", "platform": on("linux/amd64")},
        {"digest": repository.image(SHA), "platform": on("linux/amd64")},
    ]
    repository.tags[SHA] = repository.index(*entries)
    assert find(repository).revision == SHA


@pytest.mark.parametrize("index", [False, True])
def test_a_digest_that_is_not_named_is_computed(index: bool) -> None:
    repository = Repository()
    repository.names_digest = False
    image = repository.image(SHA)
    entry = {"digest": image, "platform": on("linux/amd64"), "comment": "\u00e4"}
    repository.tags[SHA] = repository.index(entry) if index else image
    assert find(repository).digest == repository.tags[SHA]


def test_a_large_configuration_is_read() -> None:
    repository = Repository()
    repository.tags[SHA] = repository.image(SHA, history=3 * 2**20)
    assert find(repository).revision == SHA


def test_a_large_index_is_read() -> None:
    repository = Repository()
    entry = {"digest": repository.image(SHA), "platform": on("linux/amd64")}
    padding = {"digest": "sha256:0", "platform": on("plan9/x"), "annotations": {"a": "b" * 2**21}}
    repository.tags[SHA] = repository.index(padding, entry)
    assert find(repository).revision == SHA
