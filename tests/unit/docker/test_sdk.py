# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker's real SDK against an engine on a socket: versions, root's settings, what does not fit."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from docker.transport.basehttpadapter import BaseHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnection

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    EngineError,
    NotSetUpError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import client as module
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.client import Engine
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.proxies import Proxies
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.sdk import connect
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    design_application,
)
from tests.unit import asked
from tests.unit.docker.engine_server import (
    CONTAINER,
    DIGEST,
    LATE,
    SHA,
    RecordedEngine,
    engine_server,
)

APPLICATION = design_application("api", 3002, 3002, "172.31.10.0/24")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def recorded() -> RecordedEngine:
    """An engine of the newest kind."""
    return RecordedEngine()


@pytest.fixture
def host(
    recorded: RecordedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> t.Iterator[t.Callable[[], Engine]]:
    """Return what connects to the engine."""
    connect.cache_clear()
    with engine_server(tmp_path / "docker.sock", recorded) as address:
        monkeypatch.setattr(module, "SOCKET", address)
        yield Engine
    connect.cache_clear()


def create(engine: Engine) -> str:
    """Create a container."""
    labels = {"app": "api", "slot": "blue", "release": "one"}
    options = asked.container(env={"A": "1"})
    return engine.create(APPLICATION, "api-blue", f"greenlight/api:{SHA}", labels, options)


# -- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.43", "1.24", "1.43"),
        ("1.45", "1.24", "1.44"),
        ("1.52", "1.44", "1.44"),
        ("1.60", "1.50", "1.50"),
    ],
)
def test_the_api_is_spoken_in_a_version_that_both_know(
    host: t.Callable[[], Engine], recorded: RecordedEngine, newest: str, oldest: str, spoken: str
) -> None:
    recorded.newest, recorded.oldest = newest, oldest
    engine = host()
    assert engine.architecture() == "amd64"
    assert create(engine) == CONTAINER
    assert recorded.versions == {spoken}


def test_an_engine_with_containerds_store_is_read(host: t.Callable[[], Engine]) -> None:
    engine = host()
    (container,) = engine.containers("api")
    assert (container.slot, container.state, container.restarts) == ("blue", "running", 0)
    named, nameless = engine.images("api")
    assert (named.id, named.revision) == (DIGEST, SHA)
    assert (named.tags, named.digests) == (
        (f"greenlight/api:{SHA}",),
        (f"greenlight/api@{DIGEST}",),
    )
    assert (nameless.tags, nameless.digests) == ((), ())
    image = engine.image(f"registry.test/team/api@{DIGEST}")
    assert image is not None
    assert (image.revision, image.user) == (SHA, "")
    assert engine.image(f"registry.test/team/other@{DIGEST}") is None
    assert engine.proxies() == Proxies("", "http://p", "a,b")
    engine.create_network(APPLICATION, 1400)


def test_an_error_of_a_pull_that_has_its_detail_alone_is_seen(
    host: t.Callable[[], Engine], recorded: RecordedEngine
) -> None:
    recorded.pull.append(LATE)
    with pytest.raises(EngineError, match="manifest unknown"):
        host().pull(asked.source("registry.test/team/api"), DIGEST, 30.0)


# -- root's settings -----------------------------------------------------------------------------

AUTHS = {"auths": {"registry.test": {"auth": base64.b64encode(b"root:5711").decode()}}}
SETTINGS: dict[str, t.Any] = {
    "bad base64": {"auths": {"registry.test": {"auth": "*"}}},
    "no colon": {"auths": {"registry.test": {"auth": "eA=="}}},
    "no UTF-8": {"auths": {"registry.test": {"auth": "/zr/"}}},
    "a list": [1],
    "text": "nonsense",
    "auths as a list": {"auths": ["registry.test"]},
    "an entry as text": {"auths": {"registry.test": "x"}},
    "a helper that is absent": {"credsStore": "absent-5711"},
    "helpers by registry": {"credHelpers": {"registry.test": "absent-5711"}},
    "somebody's login": AUTHS,
    "proxies": {"proxies": {"default": {"httpProxy": "http://u:5711@proxy.test"}}},
    "proxies as a list": {"proxies": [1]},
}


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("way", ["HOME", "DOCKER_CONFIG"])
def test_roots_settings_of_docker_never_matter(
    host: t.Callable[[], Engine],
    recorded: RecordedEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: str,
    way: str,
) -> None:
    folder = tmp_path / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(SETTINGS[settings]), encoding="utf-8")
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv(way, str(tmp_path if way == "HOME" else folder))
    before = dict(os.environ)
    engine = host()
    engine.pull(asked.source("registry.test/team/api"), DIGEST, 30.0)
    headers, _body = recorded.body_of("/images/create")
    assert json.loads(base64.urlsafe_b64decode(headers["x-registry-auth"])) == {}
    create(engine)
    _headers, body = recorded.body_of("/containers/create")
    assert body["Env"] == ["A=1"]
    assert dict(os.environ) == before


def test_the_credentials_of_the_release_go_with_its_pull(
    host: t.Callable[[], Engine], recorded: RecordedEngine
) -> None:
    source = asked.source("registry.test/team/api", username="ci", password="x")
    host().pull(source, DIGEST, 30.0)
    headers, _body = recorded.body_of("/images/create")
    sent = json.loads(base64.urlsafe_b64decode(headers["x-registry-auth"]))
    assert sent == {"username": "ci", "password": "x"}


# -- what does not fit ---------------------------------------------------------------------------


def too_new_for_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the SDK what 5.0.3 is to requests 2.32: without the method that that one calls."""
    monkeypatch.delattr(BaseHTTPAdapter, "get_connection_with_tls_context")


def too_new_for_urllib3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the SDK what 5.0.3 is to urllib3 2: with a connection of the standard library's."""
    monkeypatch.setattr(UnixHTTPConnection, "request", http.client.HTTPConnection.request)


@pytest.mark.parametrize("spoil", [too_new_for_requests, too_new_for_urllib3])
def test_an_sdk_that_does_not_fit_its_libraries_is_named(
    host: t.Callable[[], Engine],
    monkeypatch: pytest.MonkeyPatch,
    spoil: t.Callable[[pytest.MonkeyPatch], None],
) -> None:
    spoil(monkeypatch)
    with pytest.raises(NotSetUpError, match="cannot speak to the engine, which does answer") as no:
        host().architecture()
    said = str(no.value)
    assert "docker 7" in said
    assert "requests 2" in said
    assert "urllib3 2" in said
    assert sys.executable in said


def test_an_engine_that_is_not_ready_is_not_taken_for_a_bad_sdk(
    host: t.Callable[[], Engine], recorded: RecordedEngine
) -> None:
    recorded.ping = 503
    recorded.newest = "nonsense"
    with pytest.raises(NotSetUpError, match=r"not ready: it answers HTTP 503 .*starting"):
        host().architecture()


IMPORTS: dict[str, tuple[str, str]] = {
    "no distutils": ("from distutils_of_old.version import StrictVersion", "distutils_of_old"),
    "urllib3 and OpenSSL": (
        "raise ImportError('urllib3 v2 only supports OpenSSL 1.1.1+')",
        "urllib3 v2 only supports OpenSSL",
    ),
    "pyOpenSSL": ("import ssl; ssl.X509_V_FLAG_NOTIFY_POLICY", "X509_V_FLAG_NOTIFY_POLICY"),
    "another Python": ("print 'python 2'", "SyntaxError"),
    "half of it": ("", "cannot import name 'APIClient'"),
}
CONNECT = """
from ansible_collections.greenlight.droplet.plugins.module_utils._core import errors
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.client import Engine
try:
    Engine().architecture()
except errors.NotSetUpError as exc:
    print(exc)
"""


def said_by(folder: Path, before: str = "") -> str:
    """Connect in a process of its own that finds packages in the folder first."""
    path = os.pathsep.join([str(folder), str(ROOT / ".ansible" / "collections")])
    done = subprocess.run(
        [sys.executable, "-c", before + CONNECT],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("case", IMPORTS)
def test_an_sdk_that_cannot_be_imported_is_named(tmp_path: Path, case: str) -> None:
    source, reason = IMPORTS[case]
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "__init__.py").write_text(source, encoding="utf-8")
    said = said_by(tmp_path)
    assert "The Docker SDK of this host cannot be loaded by its Python" in said
    assert reason in said
    assert sys.executable in said
    assert "does not answer" not in said


def test_an_sdk_that_is_not_there_is_said_to_be_absent(tmp_path: Path) -> None:
    said = said_by(tmp_path, "import sys\nsys.modules['docker'] = None\n")
    assert "This host has no Docker SDK for Python (python3-docker)" in said
    assert "setup-api.yml" in said
