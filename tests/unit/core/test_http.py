# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks and the registry, over real HTTP on 127.0.0.1."""

from __future__ import annotations

import dataclasses
import json
import sys
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    RegistryError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.registry import (
    Registry,
    match_tags,
    split_image,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._health import probe as module
from ansible_collections.greenlight.droplet.plugins.module_utils._health.balancer import verify
from ansible_collections.greenlight.droplet.plugins.module_utils._health.probe import (
    check_expectation,
    probe,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    HealthCheck,
    Source,
)
from tests.unit.release.orders import sha_of
from tests.unit.servers import Reply, http_server

CHECK = HealthCheck(path="/v1/health", host="api.test", timeout=1.0)
EXPECT = dataclasses.replace(CHECK, expect="status == 'healthy' && services.redis == 'connected'")
GOOD = '{"status": "healthy", "services": {"redis": "connected"}}'

ANSWERS: list[tuple[HealthCheck, Reply, bool, str]] = [
    (CHECK, (200, {}, "fine"), True, "status 200"),
    (CHECK, (503, {}, "down"), False, "status 503, wanted 200"),
    (CHECK, (302, {"Location": "/login"}, ""), False, "redirects to /login"),
    (CHECK, (0, {}, ""), False, "no HTTP answer"),
    (dataclasses.replace(CHECK, status=(200, 204)), (204, {}, ""), True, "status 204"),
    (EXPECT, (200, {}, GOOD), True, "status 200 and"),
    (EXPECT, (200, {}, '{"status": "unhealthy"}'), False, "gave false, wanted true"),
    (EXPECT, (200, {}, "fine"), False, "the body is not JSON"),
    (EXPECT, (200, {}, f"\ufeff{GOOD}"), True, "status 200 and"),
    (EXPECT, (200, {}, "[" * 100_000), False, "the body is not JSON, and health.expect needs JSON"),
    (EXPECT, (200, {}, '{"status": NaN}'), False, "NaN is no JSON"),
    (EXPECT, (200, {}, " " * 2**20 + GOOD), False, "the body is longer than 1048576 bytes"),
    (CHECK, (200, {}, " " * 2**20 + GOOD), True, "status 200"),
    (
        dataclasses.replace(CHECK, expect="sum(services)"),
        (200, {}, GOOD),
        False,
        "'sum(services)' cannot be evaluated: JMESPathTypeError",
    ),
    (dataclasses.replace(CHECK, expect="services"), (200, {}, GOOD), False, "wanted true"),
]


@pytest.mark.parametrize(("check", "reply", "healthy", "reason"), ANSWERS)
def test_answers_are_judged(check: HealthCheck, reply: Reply, healthy: bool, reason: str) -> None:
    with http_server(lambda _path, _headers: reply) as (port, seen):
        verdict = probe("127.0.0.1", port, check)
    assert verdict.healthy is healthy
    assert reason in verdict.reason
    assert len(seen) == 1
    assert seen[0][1]["host"] == "api.test"
    assert seen[0][1]["connection"] == "close"


def test_nobody_listening_is_no_answer() -> None:
    with http_server(lambda _path, _headers: (200, {}, "")) as (port, _seen):
        pass
    verdict = probe("127.0.0.1", port, CHECK)
    assert not verdict.healthy
    assert "ConnectionRefusedError" in verdict.answer


def test_bad_expectation_is_refused_before_anything() -> None:
    check_expectation("")
    for expression in ("status ==", "(" * 5000, "`", "\ud800"):
        with pytest.raises(SpecError, match="is not a JMESPath expression: "):
            check_expectation(expression)


class _Broken:
    """A library whose defect no author of ours foresaw."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def search(self, _expression: str, _document: object) -> t.NoReturn:
        raise self.fault


@pytest.mark.parametrize("fault", [RecursionError("deep"), TypeError("'<' not supported")])
def test_an_expectation_that_breaks_the_library_is_unhealthy(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(module, "_jmespath", lambda: _Broken(fault))
    verdict = module.judge(http.Answer(200, {}, "{}"), EXPECT)
    assert not verdict.healthy
    assert f"cannot be evaluated: {type(fault).__name__}: {fault}" in verdict.reason


SHA = sha_of("a")
TWIN = SHA[:12] + "f" * 28
DIGEST = f"sha256:{'1' * 64}"


def test_an_expectation_needs_its_library_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module._jmespath.cache_clear()
    monkeypatch.setitem(sys.modules, "jmespath", None)
    check_expectation("")
    with pytest.raises(SpecError, match="needs python3-jmespath on the host"):
        check_expectation("status")


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
    return Source(f"127.0.0.1:{port}/team/api", tag, "deploy", given, plain_http=True)


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


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("api", ("registry-1.docker.io", "library/api")),
        ("team/api", ("registry-1.docker.io", "team/api")),
        ("localhost/api", ("localhost", "api")),
        ("registry.test:5000/a/b", ("registry.test:5000", "a/b")),
    ],
)
def test_image_names_are_split_as_docker_does(image: str, parts: tuple[str, str]) -> None:
    assert split_image(image) == parts


def test_prefix_inside_a_tag() -> None:
    tags = ["sha-3f9c2ab", "sha-3f9c2ab9", "sha-aaaaaaa", "3f9c2ab"]
    assert match_tags(tags, "sha-3f9c2ab", "3f9c2ab") == ["sha-3f9c2ab", "sha-3f9c2ab9"]


class NoSleep(Clock):
    """A clock whose sleep takes no time, and that remembers it."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Remember."""
        self.slept.append(seconds)


def test_balancer_must_show_every_host_on_its_slot() -> None:
    turn = iter(range(1000))

    def reply(_path: str, _headers: dict[str, str]) -> Reply:
        name, slot = (("api-1", "green"), ("api-2", "blue"))[next(turn) % 2]
        return 200, {"X-Greenlight-Host": name, "X-Greenlight-Slot": f"api-{slot}"}, ""

    with http_server(reply) as (port, _seen):
        options: dict[str, t.Any] = {
            "url": f"http://127.0.0.1:{port}/v1/health",
            "host_header": "",
            "attempts": 3,
            "delay": 3.0,
            "timeout": 1.0,
        }
        right = {"api-1": "api-green", "api-2": "api-blue"}
        assert verify(NoSleep(), expected=right, **options).missing == ""
        clock = NoSleep()
        wrong = {"api-1": "api-blue", "api-3": "api-blue"}
        found = verify(clock, expected=wrong, **options)
    assert clock.slept == [3.0, 3.0]
    for part in (
        "api-1 answered from api-green, expected api-blue",
        "api-3 was not seen",
        "unexpected host api-2",
    ):
        assert part in found.missing
    with pytest.raises(SpecError, match="is not a URL"):
        verify(clock, expected=right, **{**options, "url": "127.0.0.1"})
