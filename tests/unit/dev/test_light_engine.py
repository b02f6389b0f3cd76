# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for engines of light hosts, asked by the host side's own Engine through the SDK."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import EngineError
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import (
    client as engine_file,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.client import Engine
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.proxies import Proxies
from ansible_collections.greenlight.droplet.plugins.module_utils._health.probe import probe
from ansible_collections.greenlight.droplet.plugins.module_utils._model.engine_model import (
    REVISION_LABEL,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    Application,
    design_application,
)
from dev import light_engine
from dev.light_engine_server import serve
from tests.unit import asked

SHA = "a" * 40
DIGEST = f"sha256:{'d' * 64}"
IMAGE = "registry.test:5000/light-api"
CHECK = asked.health(expect="status == 'healthy'")
LABELS = {"app": "light-01", "slot": "blue", "release": "one"}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Return the host side's Engine on a stand-in whose calls and applications take no time."""
    monkeypatch.setattr(light_engine, "SECONDS", dict.fromkeys(light_engine.SECONDS, 0))
    monkeypatch.setattr(light_engine, "APPLICATION_SECONDS", 0.05)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(light_engine, "PORT", free.getsockname()[1])
    image: dict[str, Any] = {
        "Id": f"sha256:{'1' * 64}",
        "RepoTags": [],
        "RepoDigests": [f"{IMAGE}@{DIGEST}"],
    }
    image |= {"Size": 7, "Config": {"User": "10001", "Labels": {REVISION_LABEL: SHA}}}
    (tmp_path / "images.json").write_text(json.dumps([image]))
    stand_in = light_engine.Engine(tmp_path / "images.json", lambda _address: None)
    ready, over = threading.Event(), threading.Event()

    async def run() -> None:
        server = await serve(tmp_path / "engine.sock", stand_in)
        ready.set()
        await asyncio.to_thread(over.wait)
        for one in (server, *stand_in._applications.values()):
            one.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(5)
    monkeypatch.setattr(engine_file, "SOCKET", f"unix://{tmp_path}/engine.sock")
    yield Engine()
    over.set()
    thread.join()


def _application() -> Application:
    # Every address of 127/8 is this machine's.
    return design_application("light-01", 3200, 3002, "127.88.1.0/24")


def _create(host: Engine) -> str:
    host.pull(asked.source(IMAGE), DIGEST, 30.0)
    image = host.image(f"{IMAGE}@{DIGEST}")
    assert image is not None
    host.tag(image.id, "greenlight/light-01", SHA)
    application = _application()
    host.create_network(application, 0)
    name, options = "light-01-blue-aaaaaaa", asked.container(secrets={"TOKEN": "x"})
    return host.create(application, name, f"greenlight/light-01:{SHA}", LABELS, options)


def _answers(seconds: float) -> bool:
    """Tell whether the application's health check is answered within that many seconds."""
    address = _application().slots["blue"].address
    end = time.monotonic() + seconds
    while not (verdict := probe(address, light_engine.PORT, CHECK)).healthy:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return verdict.healthy


def test_a_container_is_made_and_found_by_its_labels(host: Engine) -> None:
    identifier = _create(host)
    (found,) = host.containers("light-01")
    assert (found.id, found.state, found.slot, found.release) == (
        identifier,
        "created",
        "blue",
        "one",
    )
    assert found.name == "light-01-blue-aaaaaaa"
    assert found.restart_policy == "no"
    assert host.containers("light-02") == []
    assert host.names_in_use() == {found.name}
    assert host.proxies() == Proxies()


def test_an_application_answers_while_its_container_runs_and_no_longer(host: Engine) -> None:
    identifier = _create(host)
    assert not _answers(0.1)
    host.start(identifier)
    assert _answers(3)
    found = host.container(identifier)
    assert found is not None
    assert found.running
    assert found.pid
    host.stop(identifier, 5)
    assert not _answers(0.1)
    stopped = host.container(identifier)
    assert stopped is not None
    assert stopped.state == "exited"
    assert not stopped.pid
    host.start(identifier)
    assert _answers(3)
    host.remove(identifier)
    assert not _answers(0.1)
    assert host.container(identifier) is None


def test_a_container_that_was_stopped_at_once_never_answers(host: Engine) -> None:
    identifier = _create(host)
    host.start(identifier)
    host.stop(identifier, 5)
    assert not _answers(0.3)


def test_an_application_that_starts_again_takes_its_whole_time_again(
    host: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(light_engine, "APPLICATION_SECONDS", 0.6)
    identifier = _create(host)
    host.start(identifier)
    time.sleep(0.5)
    host.stop(identifier, 5)
    host.start(identifier)
    assert not _answers(0.3)
    assert _answers(3)


def test_a_restart_policy_is_kept(host: Engine) -> None:
    identifier = _create(host)
    host.set_restart_policy(identifier, "unless-stopped")
    found = host.container(identifier)
    assert found is not None
    assert found.restart_policy == "unless-stopped"


def test_an_image_is_there_once_it_was_pulled_and_goes_with_its_last_name(host: Engine) -> None:
    reference = f"{IMAGE}@{DIGEST}"
    assert host.image(reference) is None
    _create(host)
    (image,) = host.images("light-01")
    assert (image.tags, image.digests) == ((f"greenlight/light-01:{SHA}",), (reference,))
    assert (image.labels, image.size) == ({REVISION_LABEL: SHA}, 7)
    inspected = host.image(image.id)
    assert inspected is not None
    assert inspected.user == "10001"
    assert host.images("light-02") == []
    host.remove_image(reference)
    assert host.image(image.id) is not None
    host.remove_image(image.tags[0])
    assert host.image(image.id) is None


def test_an_image_that_nobody_has_pushed_cannot_be_pulled(host: Engine) -> None:
    with pytest.raises(EngineError, match="not found"):
        host.pull(asked.source(IMAGE), f"sha256:{'e' * 64}", 30.0)


def test_a_network_is_found_by_its_name(host: Engine) -> None:
    application = _application()
    assert host.network(application.network) is None
    host.create_network(application, 0)
    found: dict[str, Any] | None = host.network(application.network)
    assert found is not None
    assert host.subnets() == {application.network: "127.88.1.0/24"}
    assert found["IPAM"]["Config"][0]["IPRange"] == application.pool == "127.88.1.128/25"
    assert host.attached(application.network) == {}


def test_a_running_container_is_attached_with_its_address(host: Engine) -> None:
    identifier = _create(host)
    network, address = _application().network, _application().slots["blue"].address
    assert host.attached(network) == {}
    host.start(identifier)
    assert host.attached(network) == {address: (identifier, "light-01-blue-aaaaaaa")}


def test_a_call_that_is_not_known_says_so(host: Engine) -> None:
    identifier = _create(host)
    with pytest.raises(EngineError, match=rf"does not know GET /containers/{identifier}/logs"):
        host.log_lines(identifier, 5)


def test_all_phases_of_a_session_share_one_client_that_knows_no_proxy(host: Engine) -> None:
    assert Engine()._client is host._client
    assert host._client.trust_env is False


def test_images_of_others_are_none_of_the_applications(host: Engine) -> None:
    _create(host)
    (image,) = host.images("light-01")
    host.tag(image.id, "greenlight/light-02", SHA)
    host.remove_image(image.tags[0])
    assert host.images("light-01") == []
    assert len(host.images("light-02")) == 1
    host.remove_image(f"greenlight/light-02:{SHA}")
    # An image that has lost its name may be ours.
    assert [found.digests for found in host.images("light-01")] == [image.digests]
