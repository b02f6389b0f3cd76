# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application that listens where no slot can reach it: the gate says so. With real sockets."""

from __future__ import annotations

import dataclasses
import os
import socket
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import CheckError
from ansible_collections.greenlight.droplet.plugins.module_utils._model.engine_model import (
    Container,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release import health_gate
from tests.unit import asked
from tests.unit.release.fakes import APPLICATION


class Stage:
    """A host whose container is this process, at an address of this machine."""

    def __init__(self, address: str, port: int) -> None:
        slots = {
            name: dataclasses.replace(slot, address=address)
            for name, slot in APPLICATION.slots.items()
        }
        self.application = dataclasses.replace(APPLICATION, container_port=port, slots=slots)
        self.clock = Clock()
        self.engine = self

    def container(self, _identifier: str) -> Container:
        """Return the container as it is now."""
        state = ("running", 0, 0, os.getpid())
        return Container("id", "api-blue", "blue", "r", "s", "d", "c", *state, "", "", "no")


def said_of(family: socket.AddressFamily, bound: str, asked_at: str, **option: int) -> str:
    """Let a socket listen there; return what the gate says, with PORT for its number."""
    with socket.socket(family) as server:
        if family is socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, option["v6only"])
        server.bind((bound, 0))
        server.listen()
        stage: t.Any = Stage(asked_at, server.getsockname()[1])
        check = asked.health(interval=0.05, timeout=0.2, deadline=0.2)
        container = stage.container("id")
        with pytest.raises(CheckError) as caught:
            health_gate.pass_gate(stage, container, check, 1, container.mishaps)
        return str(caught.value).replace(str(stage.application.container_port), "PORT")


@pytest.mark.parametrize(
    ("family", "bound", "asked_at", "v6only", "hint"),
    [
        (socket.AF_INET6, "::", "127.0.0.1", 1, "listens on [::]:PORT by IPv6 alone"),
        (socket.AF_INET6, "::1", "127.0.0.1", 1, "listens on 127.0.0.1:PORT alone"),
        (socket.AF_INET6, "::ffff:127.0.0.1", "127.0.0.2", 0, "listens on 127.0.0.1:PORT alone"),
        (socket.AF_INET, "127.0.0.3", "127.0.0.2", 0, "listens on 127.0.0.1:PORT alone"),
    ],
)
def test_the_gate_says_where_an_application_listens_in_vain(
    family: socket.AddressFamily, bound: str, asked_at: str, v6only: int, hint: str
) -> None:
    assert hint in said_of(family, bound, asked_at, v6only=v6only)


def test_a_socket_for_both_families_gets_no_hint() -> None:
    said = said_of(socket.AF_INET6, "::", "127.0.0.1", v6only=0)
    assert "listens on" not in said
    assert "no answer within" in said
