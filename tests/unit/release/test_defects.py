# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A defect of ours, or data of a form that nobody foresaw, still leads back to the old release."""

from __future__ import annotations

import http.client
import struct
import subprocess
import typing as t
import zlib

import pytest
import requests
import urllib3
from docker import errors

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import FileError
from ansible_collections.greenlight.droplet.plugins.module_utils._release import traffic
from ansible_collections.greenlight.droplet.plugins.module_utils._release.compensation import (
    Compensation,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.executor import Steps
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import Failure
from tests.unit.release.fakes import FakeEngine
from tests.unit.release.orders import release, sha_of
from tests.unit.release.world import World

OLD, NEW = sha_of("old"), sha_of("new")

FAULTS: list[Exception] = [
    AssertionError("never"),
    AttributeError("x"),
    BufferError("in use"),
    KeyError("State"),
    OSError("gone"),
    RecursionError(),
    ReferenceError("weak"),
    StopIteration(),
    SyntaxError("in a library"),
    SystemError("in C"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
    errors.DockerException("the SDK's own"),
    http.client.IncompleteRead(b""),
    requests.exceptions.ConnectionError("cut"),
    struct.error("unpack"),
    subprocess.TimeoutExpired("systemctl", 5),
    urllib3.exceptions.ProtocolError("broken"),
    zlib.error("-3"),
]
"""What a library or a defect of ours can raise in any step."""


def break_it(monkeypatch: pytest.MonkeyPatch, owner: t.Any, name: str, fault: Exception) -> None:
    """Let a method or function raise from now on."""

    def fail(*_values: t.Any, **_options: t.Any) -> t.NoReturn:
        raise fault

    monkeypatch.setattr(owner, name, fail)


@pytest.mark.parametrize("step", ["_pull", "_start", "_gate", "_confirm", "_cut_over", "_watch"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_defect_in_a_step_goes_the_way_back(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, fault: Exception
) -> None:
    release(world, OLD)
    break_it(monkeypatch, Steps, step, fault)
    with pytest.raises(Failure) as caught:
        release(world, NEW)
    live = world.serving()
    assert live is not None
    assert live.sha == OLD
    assert "a defect, please report it: " + type(fault).__name__ in caught.value.reason
    assert [c.sha for c in world.containers.values()] == [OLD]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (traffic, "drain"),
        (FakeEngine, "log_lines"),
        (FakeEngine, "remove"),
        (Compensation, "_take_away"),
    ],
)
@pytest.mark.parametrize("second", [TypeError("second"), FileError("cannot read the journal")])
def test_a_defect_on_the_way_back_does_not_end_it(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: t.Any, name: str, second: Exception
) -> None:
    release(world, OLD)
    break_it(monkeypatch, Steps, "_watch", AttributeError("first"))
    break_it(monkeypatch, owner, name, second)
    with pytest.raises(Failure) as caught:
        release(world, NEW)
    live = world.serving()
    assert live is not None
    assert live.sha == OLD
    assert "the pointer is back on" in caught.value.outcome
    assert any('"reverted"' in line for line in world.journal)
