# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry is reached as Docker reaches it: its authorities, its proxies; over real TLS."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import RegistryError
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import registry_way
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.proxies import Proxies
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.registry import (
    Registry,
    RemoteImage,
)
from tests.unit import asked
from tests.unit.certificates import Authority
from tests.unit.docker.oci import NAME, SHA, Repository, filled
from tests.unit.proxy import proxy_server
from tests.unit.servers import Reply, http_server


def find(host: str, proxies: Proxies | None = None, plain: bool = False) -> RemoteImage:
    """Ask a registry."""
    source = asked.source(f"{host}/{NAME}", tag=SHA, plain_http=plain)
    way = (lambda: proxies) if proxies else Proxies
    return Registry(source, way).find(SHA, lambda: "amd64", lambda _digest: "")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of one's own."""
    return Authority(tmp_path)


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in place of /etc/docker/certs.d; there is nothing in it."""
    folder = tmp_path / "certs.d"
    folder.mkdir()
    monkeypatch.setattr(registry_way, "CERTIFICATES", str(folder))
    return folder


def install(certificates: Path, port: int, *paths: Path) -> Path:
    """Put files into the folder of the registry on localhost; return the folder."""
    folder = certificates / f"localhost:{port}"
    folder.mkdir()
    for path in paths:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_an_authority_in_dockers_folder_is_trusted(
    authority: Authority, certificates: Path
) -> None:
    with http_server(filled().reply, authority.server("localhost")) as (port, _seen):
        with pytest.raises(RegistryError, match=f"localhost:{port}/ca.crt") as caught:
            find(f"localhost:{port}")
        assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
        install(certificates, port, authority.path)
        assert find(f"localhost:{port}").revision == SHA


def test_the_registrys_own_certificate_is_enough(authority: Authority, certificates: Path) -> None:
    # People put the certificate itself there, and Docker takes it.
    with http_server(filled().reply, authority.server("localhost")) as (port, _seen):
        folder = install(certificates, port)
        own = (authority.folder / "localhost.cert").read_bytes()
        (folder / "own.crt").write_bytes(own)
        assert find(f"localhost:{port}").revision == SHA


def test_an_authority_in_the_systems_store_is_trusted(
    authority: Authority, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A Python of another make looks for the store where there is none.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(certificates / "none"))
    monkeypatch.setattr(registry_way, "SYSTEM_STORE", str(authority.path))
    with http_server(filled().reply, authority.server("localhost")) as (port, _seen):
        assert find(f"localhost:{port}").revision == SHA


def test_a_clients_certificate_is_shown(authority: Authority, certificates: Path) -> None:
    context = authority.server("localhost", wants_client=True)
    with http_server(filled().reply, context) as (port, _seen):
        install(certificates, port, authority.path, *authority.sign("client"))
        assert find(f"localhost:{port}").revision == SHA


@pytest.mark.parametrize("name", ["ca.crt", "client.cert"])
def test_what_is_no_certificate_is_named(
    authority: Authority, certificates: Path, name: str
) -> None:
    with http_server(filled().reply, authority.server("localhost")) as (port, _seen):
        folder = install(certificates, port, authority.path)
        (folder / name).write_text("nonsense", encoding="utf-8")
        with pytest.raises(RegistryError, match=f"{folder / name} cannot be used"):
            find(f"localhost:{port}")


@pytest.mark.parametrize("what", ["blob", "realm"])
def test_nothing_is_had_without_tls_from_a_registry_that_has_it(
    authority: Authority, certificates: Path, what: str
) -> None:
    with http_server(lambda _path, _headers: (200, {}, '{"token": "t"}')) as (plain, asked_for):

        def reply(path: str, headers: dict[str, str]) -> Reply:
            if what == "blob" and "/blobs/" in path:
                return 307, {"Location": f"http://127.0.0.1:{plain}/blob?signature=pa55word"}, ""
            if what == "realm":
                realm = f"http://127.0.0.1:{plain}/token"
                return 401, {"WWW-Authenticate": f'Bearer realm="{realm}"'}, "{}"
            return repository.reply(path, headers)

        repository = filled()
        with http_server(reply, authority.server("localhost")) as (port, _seen):
            install(certificates, port, authority.path)
            with pytest.raises(RegistryError, match="has no TLS") as caught:
                find(f"localhost:{port}")
    assert asked_for == []
    assert "pa55word" not in str(caught.value)


def test_a_relative_redirect_stays_on_tls(authority: Authority, certificates: Path) -> None:
    repository = filled()

    def reply(path: str, headers: dict[str, str]) -> Reply:
        if "/blobs/" in path:
            return 307, {"Location": f"/storage/{path.rpartition('/')[2]}"}, ""
        if path.startswith("/storage/"):
            return 200, {}, repository.documents[path.rpartition("/")[2]]
        return repository.reply(path, headers)

    with http_server(reply, authority.server("localhost")) as (port, _seen):
        install(certificates, port, authority.path)
        assert find(f"localhost:{port}").revision == SHA


# -- proxies -------------------------------------------------------------------------------------


@pytest.fixture
def registry(
    authority: Authority, certificates: Path
) -> t.Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A registry with TLS whose name no resolver knows; the name with its port, and requests."""
    repository: Repository = filled()
    with http_server(repository.reply, authority.server("registry.test")) as (port, seen):
        host = f"registry.test:{port}"
        (certificates / host).mkdir()
        (certificates / host / "ca.crt").write_bytes(authority.path.read_bytes())
        yield host, seen


Served = tuple[str, list[tuple[str, dict[str, str]]]]


def test_a_registry_is_reached_through_dockers_proxy(registry: Served) -> None:
    host, _seen = registry
    with proxy_server() as (port, asked_for):
        assert find(host, Proxies(https=f"http://127.0.0.1:{port}")).revision == SHA
    assert asked_for == [f"CONNECT {host}"] * 2


def test_the_proxys_password_goes_to_the_proxy_alone(registry: Served) -> None:
    host, seen = registry
    wanted = f"Basic {base64.b64encode(b'ci:s@cret').decode()}"
    with proxy_server(wanted) as (port, _asked):
        assert find(host, Proxies(https=f"http://ci:s%40cret@127.0.0.1:{port}")).revision == SHA
        with pytest.raises(RegistryError, match=r"proxy 127\.0\.0\.1:.* 407") as caught:
            find(host, Proxies(https=f"http://ci:pa55word@127.0.0.1:{port}"))
    assert "pa55word" not in str(caught.value)
    assert not any("proxy-authorization" in headers for _path, headers in seen)


def test_a_registry_without_tls_is_reached_through_the_proxy_for_http() -> None:
    wanted = f"Basic {base64.b64encode(b'ci:x').decode()}"
    with (
        http_server(filled().reply) as (target, seen),
        proxy_server(wanted) as (port, asked_for),
    ):
        host = f"registry.test:{target}"
        proxies = Proxies(http=f"http://ci:x@127.0.0.1:{port}")
        assert find(host, proxies, plain=True).revision == SHA
    assert asked_for[0] == f"GET http://{host}/v2/{NAME}/manifests/{SHA}"
    assert {headers["host"] for _path, headers in seen} == {host}


def test_what_no_proxy_names_is_reached_directly(authority: Authority, certificates: Path) -> None:
    with (
        proxy_server(refusal=403) as (port, asked_for),
        http_server(filled().reply, authority.server("localhost")) as (target, _seen),
    ):
        install(certificates, target, authority.path)
        assert find(f"localhost:{target}", Proxies(https=f"127.0.0.1:{port}")).revision == SHA
    assert asked_for == []


def test_a_proxy_that_refuses_is_named(registry: Served) -> None:
    host, _seen = registry
    with (
        proxy_server(refusal=403) as (port, _asked),
        pytest.raises(RegistryError, match=r"through Docker's proxy 127\.0\.0\.1:\d+: .* 403"),
    ):
        find(host, Proxies(https=f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize("kind", ["https", "socks5"])
def test_a_proxy_of_another_kind_is_said(registry: Served, kind: str) -> None:
    with pytest.raises(RegistryError, match=f"proxy {kind}://proxy.test is of a kind"):
        find(registry[0], Proxies(https=f"{kind}://u:pa55word@proxy.test:1080"))
