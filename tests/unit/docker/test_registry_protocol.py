# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries as they are: redirects, pages of tags and tokens, over real HTTP."""

from __future__ import annotations

import json
import typing as t
from collections import Counter

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import RegistryError
from tests.unit.docker.oci import NAME, SHA, Repository, filled, find
from tests.unit.servers import Reply, http_server

Answer = t.Callable[[str, dict[str, str]], Reply]
BASIC = "Basic ZGVwbG95OnJpZ2h0"
USER = {"username": "deploy", "password": "right"}


# -- redirects -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location", ["/storage/{}", "../../../../storage/{}", "//{host}/storage/{}", "?moved={}"]
)
@pytest.mark.parametrize("kind", ["blobs", "manifests"])
def test_a_redirect_is_resolved_against_its_request(location: str, kind: str) -> None:
    repository = filled()

    def reply(path: str, headers: dict[str, str]) -> Reply:
        if headers.get("authorization") != BASIC:
            return 401, {"WWW-Authenticate": "Basic realm=x"}, "{}"
        digest = path.partition("moved=")[2] or path.rpartition("/storage/")[2]
        if digest in repository.documents:
            return 200, {"Docker-Content-Digest": digest}, repository.documents[digest]
        if f"/{kind}/" in path:
            name = path.rpartition("/")[2]
            target = location.format(repository.tags.get(name, name), host=headers["host"])
            return 307, {"Location": target}, ""
        return repository.reply(path, headers)

    with http_server(reply) as (port, _seen):
        assert find(port, **USER).revision == SHA


def test_redirects_in_a_circle_are_said() -> None:
    with (
        http_server(lambda path, _headers: (307, {"Location": path}, "")) as (port, seen),
        pytest.raises(RegistryError, match="redirects more than 5 times"),
    ):
        find(port)
    assert len(seen) == 6


def test_a_redirect_to_another_server_has_no_credentials() -> None:
    repository = filled()
    with http_server(repository.reply) as (storage, stored):

        def reply(path: str, headers: dict[str, str]) -> Reply:
            if "authorization" not in headers:
                return 401, {"WWW-Authenticate": "Basic realm=x"}, "{}"
            return 302, {"Location": f"http://127.0.0.1:{storage}{path}"}, ""

        with http_server(reply) as (port, _seen):
            assert find(port, **USER).revision == SHA
    assert not any("authorization" in headers for _path, headers in stored)


# -- tags ----------------------------------------------------------------------------------------


def paged(repository: Repository, link: str, tags: list[str]) -> Answer:
    """Answer with one tag a page, and a link to the next."""

    def reply(path: str, headers: dict[str, str]) -> Reply:
        if "/tags/list" not in path:
            return repository.reply(path, headers)
        last = path.partition("last=")[2].partition("&")[0]
        number = tags.index(last) + 1 if last else 0
        more = {"Link": link.format(tags[number], **headers)} if number + 1 < len(tags) else {}
        return 200, more, json.dumps({"tags": tags[number : number + 1]})

    return reply


@pytest.mark.parametrize(
    "link",
    [
        f'</v2/{NAME}/tags/list?last={{}}&n=1>; rel="next"',
        f"</v2/{NAME}/tags/list?last={{}}&n=1>; rel=next",
        f'<http://{{host}}/v2/{NAME}/tags/list?last={{}}>; title="a"; rel="prev next"',
        f'<https://inside.test/v2/{NAME}/tags/list?last={{}}>;REL="Next"',
        f'</first>; rel="first", </v2/{NAME}/tags/list?last={{}}>; rel="next"',
        '<?last={}&n=1>; rel="next"',
        '<list?last={}&n=1>; rel="next"',
    ],
)
def test_all_pages_of_tags_are_read(link: str) -> None:
    repository = filled()
    tags = ["a", "b", "c", SHA, "z"]
    with http_server(paged(repository, link, tags)) as (port, seen):
        assert find(port, SHA[:8], SHA[:8]).tag == SHA
    assert sum("/tags/list" in path for path, _headers in seen) == len(tags)


def test_pages_without_end_are_said() -> None:
    link = {"Link": f'</v2/{NAME}/tags/list?last=a>; rel="next"'}

    def reply(path: str, _headers: dict[str, str]) -> Reply:
        return (200, link, '{"tags": ["a"]}') if "/tags/list" in path else (404, {}, "{}")

    with (
        http_server(reply) as (port, _seen),
        pytest.raises(RegistryError, match="no end to its list of tags"),
    ):
        find(port, SHA[:8], SHA[:8])


def test_a_registry_that_refuses_large_pages_is_asked_for_its_own() -> None:
    repository = filled()

    def reply(path: str, headers: dict[str, str]) -> Reply:
        if "n=1000" in path:
            return 400, {}, '{"errors": [{"code": "PAGINATION_NUMBER_INVALID"}]}'
        return repository.reply(path, headers)

    with http_server(reply) as (port, _seen):
        assert find(port, SHA[:8], SHA[:8]).tag == SHA


# -- tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="http://{host}/token?tenant=7",service="r"',
        "Bearer realm=http://{host}/token?tenant=7,service=r",
        'Bearer realm="/token?tenant=7",service="r"',
        'Basic realm="x", Bearer realm="/token?tenant=7", service="r"',
    ],
)
def test_a_token_is_had_where_the_challenge_says(challenge: str) -> None:
    repository = filled()

    def reply(path: str, headers: dict[str, str]) -> Reply:
        if path.startswith("/token?tenant=7&"):
            assert headers["authorization"] == BASIC
            return 200, {}, '{"access_token": "t-1"}'
        if headers.get("authorization") != "Bearer t-1":
            return 401, {"WWW-Authenticate": challenge.format(**headers)}, "{}"
        return repository.reply(path, headers)

    with http_server(reply) as (port, seen):
        assert find(port, **USER).revision == SHA
    tokens = [path for path, _headers in seen if path.startswith("/token")]
    assert tokens == [
        f"/token?tenant=7&service=r&scope=repository%3A{NAME.replace('/', '%2F')}%3Apull"
    ]


def test_a_token_that_has_run_out_is_had_anew() -> None:
    repository = filled()
    given = Counter[str]()

    def reply(path: str, headers: dict[str, str]) -> Reply:
        if path.startswith("/token"):
            given["tokens"] += 1
            return 200, {}, json.dumps({"token": f"t-{given['tokens']}"})
        good = "Bearer t-2" if "/blobs/" in path else "Bearer t-1"
        if headers.get("authorization") != good:
            return 401, {"WWW-Authenticate": 'Bearer realm="/token"'}, "{}"
        return repository.reply(path, headers)

    with http_server(reply) as (port, _seen):
        assert find(port).revision == SHA


@pytest.mark.parametrize("body", ["{}", '{"token": 5}', '{"token": null}'])
def test_an_answer_without_token_is_said(body: str) -> None:
    def reply(path: str, _headers: dict[str, str]) -> Reply:
        if path.startswith("/token"):
            return 200, {}, body
        return 401, {"WWW-Authenticate": 'Bearer realm="/token"'}, "{}"

    with (
        http_server(reply) as (port, _seen),
        pytest.raises(RegistryError, match="has no token in its answer"),
    ):
        find(port)
