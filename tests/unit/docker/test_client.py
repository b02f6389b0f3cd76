# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the Docker SDK raises or returns is an error of ours, in one line, or an answer."""

from __future__ import annotations

import http.client
import typing as t

import pytest
import requests
import urllib3
from docker import errors

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    EngineError,
    NotSetUpError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import client as module
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import sdk as sdk_module
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.client import Engine
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    design_application,
)
from tests.unit import asked

Answer = t.Callable[[], t.Any]


APPLICATION = design_application("api", 3002, 3002, "172.31.10.0/24")


class Client:
    """An SDK each of whose calls gives one answer."""

    api_version = "1.41"

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __getattr__(self, _name: str) -> t.Callable[..., t.Any]:
        return lambda *_values, **_options: self._answer()


def engine(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine on such an SDK."""
    monkeypatch.setattr(module, "connect", lambda _address: Client(answer))
    return Engine()


CALLS: dict[str, t.Callable[[Engine], t.Any]] = {
    "containers": lambda e: e.containers("api"),
    "container": lambda e: e.container("c" * 64),
    "names": lambda e: e.names_in_use(),
    "start": lambda e: e.start("c"),
    "stop": lambda e: e.stop("c", 1),
    "remove": lambda e: e.remove("c"),
    "policy": lambda e: e.set_restart_policy("c", "no"),
    "log": lambda e: e.log_lines("c", 5),
    "image": lambda e: e.image("i"),
    "images": lambda e: e.images("api"),
    "create": lambda e: e.create(APPLICATION, "n", "i", {"slot": "blue"}, asked.container()),
    "create network": lambda e: e.create_network(APPLICATION, 0),
    "attached": lambda e: e.attached("n"),
    "tag": lambda e: e.tag("i", "r", "t"),
    "remove image": lambda e: e.remove_image("i"),
    "network": lambda e: e.network("n"),
    "subnets": lambda e: e.subnets(),
    "architecture": lambda e: e.architecture(),
}
FAULTS: list[Exception] = [
    errors.APIError("said \x1b[2J"),
    errors.DockerException("a defect"),
    errors.NotFound("gone"),
    requests.exceptions.ConnectionError("cut"),
    urllib3.exceptions.ProtocolError("broken"),
    http.client.IncompleteRead(b""),
    RecursionError("maximum recursion depth exceeded"),
    KeyError("State"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    AttributeError("'NoneType' object has no attribute 'get'"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_of_the_sdk_is_one_of_ours(
    monkeypatch: pytest.MonkeyPatch, call: str, fault: Exception
) -> None:
    def fail() -> t.NoReturn:
        raise fault

    work = CALLS[call]
    gone = isinstance(fault, errors.NotFound)
    if gone and call in ("container", "remove", "image", "remove image"):
        assert work(engine(fail, monkeypatch)) is None
        return
    with pytest.raises(EngineError, match="Docker") as caught:
        work(engine(fail, monkeypatch))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("containers", [{}]),
        ("containers", None),
        ("container", {"Id": "c", "Name": "/c"}),
        ("container", [1]),
        ("names", [1]),
        ("image", {}),
        ("images", [{"RepoTags": 5}]),
        ("network", [{}]),
        ("subnets", [{"Name": "n", "IPAM": {"Config": [5]}}]),
        ("architecture", {}),
        ("log", "text"),
    ],
)
def test_an_answer_of_another_form_is_said(
    monkeypatch: pytest.MonkeyPatch, call: str, answer: object
) -> None:
    with pytest.raises(EngineError, match="Docker's answer to the call to"):
        CALLS[call](engine(lambda: answer, monkeypatch))


@pytest.mark.parametrize("message", [{"error": "no space \x1b[2J"}, 5, None])
def test_a_pull_that_goes_wrong_is_said(monkeypatch: pytest.MonkeyPatch, message: object) -> None:
    sdk = engine(lambda: iter([{"status": "Pulling"}, message]), monkeypatch)
    with pytest.raises(EngineError, match="pull") as caught:
        sdk.pull(asked.source("registry.test/api", tag="t"), "sha256:1", 30.0)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_an_sdk_that_cannot_connect_is_said(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(**_options: t.Any) -> t.NoReturn:
        raise fault

    monkeypatch.setattr(sdk_module, "APIClient", fail)
    with pytest.raises(NotSetUpError, match="does not answer on this host") as caught:
        sdk_module.connect(f"unix:///{type(fault).__name__}.sock")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"", []),
        (b"one\ntwo\n", ["one", "two"]),
        (b"a\x1b[2J\xff\x85b\n\nc", ["a\x1b[2J\ufffd\ufffdb", "", "c"]),
        (b"1\n2\n3\n4\n5\n6\n7\n", ["3", "4", "5", "6", "7"]),
    ],
)
def test_log_lines_are_what_the_container_wrote(
    monkeypatch: pytest.MonkeyPatch, raw: bytes, lines: list[str]
) -> None:
    # Secrets are looked for in them first; who shows them makes them printable.
    assert engine(lambda: raw, monkeypatch).log_lines("c", 5) == lines
