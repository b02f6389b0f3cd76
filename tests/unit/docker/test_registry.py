# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry, over real HTTP on 127.0.0.1."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import RegistryError
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.registry import (
    Registry,
    match_tags,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import Source
from tests.unit import asked
from tests.unit.release.orders import sha_of
from tests.unit.servers import Reply, http_server

SHA = sha_of("a")
TWIN = SHA[:12] + "f" * 28
DIGEST = f"sha256:{'1' * 64}"


def registry_reply(tags: t.Sequence[str], index: bool = False) -> t.Callable[..., Reply]:
    """A registry of one repository that wants user `deploy` with password `right`."""

    def reply(path: str, headers: dict[str, str]) -> Reply:
        if headers.get("authorization") != "Basic ZGVwbG95OnJpZ2h0":
            return 401, {"WWW-Authenticate": 'Basic realm="x"'}, "{}"
        if path.startswith("/v2/team/api/tags/list"):
            return 200, {}, json.dumps({"tags": list(tags)})
        document: dict[str, t.Any] = {"config": {"digest": "sha256:cfg"}}
        if path.endswith("/blobs/sha256:cfg"):
            labels = {"org.opencontainers.image.revision": SHA}
            return 200, {}, json.dumps({"config": {"Labels": labels}})
        name = path.rsplit("/", 1)[1]
        if name in tags and index:
            entry = {"digest": "sha256:amd", "platform": {"architecture": "amd64"}}
            document = {"manifests": [entry]}
        elif name not in (*tags, "sha256:amd"):
            return 404, {}, "{}"
        return 200, {"Docker-Content-Digest": DIGEST}, json.dumps(document)

    return reply


def source(port: int, tag: str = SHA, given: str = "right") -> Source:
    """The repository of the tiny registry."""
    return asked.source(
        f"127.0.0.1:{port}/team/api", tag=tag, username="deploy", password=given, plain_http=True
    )


def amd64() -> str:
    """Return the architecture of most hosts."""
    return "amd64"


def nothing_known(_digest: str) -> str:
    """Return nothing, as a host does that has not got the image."""
    return ""


def test_the_label_of_an_image_that_is_here_is_not_fetched() -> None:
    asked: list[str] = []

    def known(digest: str) -> str:
        asked.append(digest)
        return "known"

    with http_server(registry_reply([SHA], index=True)) as (port, seen):
        image = Registry(source(port)).find(SHA, lambda: pytest.fail("asked"), known)
    assert (image.digest, image.revision) == (DIGEST, "known")
    assert asked == [DIGEST]
    # Once without a password, once with it.
    assert [path for path, _headers in seen] == [f"/v2/team/api/manifests/{SHA}"] * 2


@pytest.mark.parametrize("index", [False, True])
def test_image_is_found_with_digest_and_revision(index: bool) -> None:
    with http_server(registry_reply([SHA], index)) as (port, _seen):
        image = Registry(source(port)).find(SHA, amd64, nothing_known)
    assert (image.tag, image.digest, image.revision) == (SHA, DIGEST, SHA)


def test_other_architecture_is_said() -> None:
    with (
        http_server(registry_reply([SHA], index=True)) as (port, _seen),
        pytest.raises(RegistryError, match="architecture arm64"),
    ):
        Registry(source(port)).find(SHA, lambda: "arm64", nothing_known)


def test_prefix_is_completed_and_ambiguity_refused() -> None:
    with http_server(registry_reply([SHA, "latest"])) as (port, _seen):
        assert Registry(source(port, SHA[:8])).find(SHA[:8], amd64, nothing_known).tag == SHA
    with (
        http_server(registry_reply([SHA, TWIN])) as (port, _seen),
        pytest.raises(RegistryError, match=f"ambiguous.*{SHA}"),
    ):
        Registry(source(port, SHA[:8])).find(SHA[:8], amd64, nothing_known)


def test_absent_tag_and_wrong_password_are_said() -> None:
    with http_server(registry_reply(["latest"])) as (port, _seen):
        with pytest.raises(RegistryError, match="is not in the registry"):
            Registry(source(port)).find(SHA, amd64, nothing_known)
        with pytest.raises(RegistryError, match=r"refused user 'deploy' \(HTTP 401\)") as caught:
            Registry(source(port, given="wrong-5711")).find(SHA, amd64, nothing_known)
    assert "wrong-5711" not in str(caught.value)


DEEP = '{"manifests": ' + "[" * 100_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (DEEP, "no JSON, HTTP 200"),
        ('{"manifests": [5]}', "an answer of no known form: AttributeError"),
        ('{"manifests": {"a": 1}}', "an answer of no known form: AttributeError"),
        ("{}", "an answer of no known form: KeyError: 'config'"),
        ('{"config": []}', "an answer of no known form: TypeError"),
        ('{"config": {"digest": 5}}', "no JSON, HTTP 200"),
        ("\x1b[2J", "no JSON, HTTP 200"),
        (" " * 2**23 + "{}", "no JSON, longer than 8388608 bytes, HTTP 200"),
    ],
)
def test_a_registry_that_talks_of_something_else_is_said(body: str, reason: str) -> None:
    def reply(path: str, _headers: dict[str, str]) -> Reply:
        return 200, {"Docker-Content-Digest": DIGEST}, "[" if "/blobs/" in path else body

    with (
        http_server(reply) as (port, _seen),
        pytest.raises(RegistryError) as caught,
    ):
        Registry(source(port)).find(SHA, amd64, nothing_known)
    assert str(caught.value).isprintable()
    assert reason in str(caught.value)


@pytest.mark.parametrize("location", ["http://x:99999999/", "http://[::1/", "", "/a b\x1b"])
def test_a_redirect_to_nowhere_is_said(location: str) -> None:
    def reply(_path: str, _headers: dict[str, str]) -> Reply:
        return 307, {"Location": location}, ""

    with http_server(reply) as (port, _seen), pytest.raises(RegistryError) as caught:
        Registry(source(port)).find(SHA, amd64, nothing_known)
    assert str(caught.value).isprintable()


def test_unreachable_registry_is_said() -> None:
    with http_server(registry_reply([])) as (port, _seen):
        pass
    with pytest.raises(RegistryError, match="cannot be reached from this host"):
        Registry(source(port)).find(SHA, amd64, nothing_known)


def test_bearer_token_is_fetched_and_not_shown_to_another_host() -> None:
    with http_server(lambda _path, _headers: (200, {}, '{"config": {}}')) as (storage, stored):

        def reply(path: str, headers: dict[str, str]) -> Reply:
            if path.startswith("/token"):
                assert headers["authorization"].startswith("Basic ")
                return 200, {}, '{"token": "t-1"}'
            if headers.get("authorization") != "Bearer t-1":
                realm = f"http://{headers['host']}/token"
                return 401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="r"'}, "{}"
            if "/blobs/" in path:
                return 307, {"Location": f"http://127.0.0.1:{storage}/blob"}, ""
            document = json.dumps({"config": {"digest": "sha256:cfg"}})
            return 200, {"Docker-Content-Digest": DIGEST}, document

        with http_server(reply) as (port, seen):
            assert Registry(source(port)).find(SHA, amd64, nothing_known).digest == DIGEST
    assert any(path.startswith("/token?service=r&scope=repository") for path, _headers in seen)
    assert "authorization" not in stored[0][1]


def test_prefix_inside_a_tag() -> None:
    tags = ["sha-3f9c2ab", "sha-3f9c2ab9", "sha-aaaaaaa", "3f9c2ab"]
    assert match_tags(tags, "sha-3f9c2ab", "3f9c2ab") == ["sha-3f9c2ab", "sha-3f9c2ab9"]
