# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose are the slots' addresses? Docker refuses to start a container whose address is taken."""

from __future__ import annotations

import ipaddress
import typing as t

from .._core.errors import EngineError
from .._docker.client import Engine
from .._model.spec import Application


def refuse_strangers(engine: Engine, application: Application, slots: t.Collection[str]) -> None:
    """Raise EngineError, with what to do, when a slot's address is a container's of others."""
    network = application.network
    attached = engine.attached(network)
    for slot in slots:
        address = application.slots[slot].address
        identifier, name = attached.get(address, ("", ""))
        if not name or identifier in {c.id for c in engine.containers(application.app)}:
            continue
        pool = map(str, ipaddress.ip_network(application.pool).hosts())
        free = next((other for other in pool if other not in attached), "ADDRESS")
        raise EngineError(
            f"The container {name!r} has the address {address} of slot {slot} on the network"
            f" {network}. Give it another one: 'docker network disconnect {network} {name}', then"
            f" 'docker network connect --ip {free} {network} {name}'. Nothing was changed."
        )
