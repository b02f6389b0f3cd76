# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What set-up makes for one application on a host: network, state folder, map file, descriptor.

Computed as differences first, then applied or not: check mode and the real run agree.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from .._core import files, listening
from .._core.errors import NotSetUpError, SpecError
from .._docker.client import Engine
from .._haproxy.runtime_api import CANARY_HEADER, MAP_HEADER
from .._model.spec import SLOTS, Application
from .._state.hash_key import HashKey
from .._state.installation import DESCRIPTOR_FOLDER
from .addresses import refuse_strangers


@dataclass(frozen=True)
class Change:
    """One thing that set-up will make or replace, with its text before and after."""

    name: str
    before: str
    after: str


def descriptor_path(app: str) -> str:
    """Return the path of the application's descriptor."""
    return f"{DESCRIPTOR_FOLDER}/{app}.json"


def open_engine(check_mode: bool) -> Engine | None:
    """Return the engine; in check mode None on a host that has none yet."""
    try:
        engine = Engine()
        # Only what is asked connects.
        engine.architecture()
    except NotSetUpError:
        if check_mode:
            return None
        raise
    return engine


def find_changes(application: Application, engine: Engine | None) -> list[Change]:
    """Compare the host with what the application needs.

    Raises SpecError for what clashes, EngineError when a slot's address is another container's.
    """
    _refuse_taken_port(application)
    changes: list[Change] = []
    found = engine.network(application.network) if engine else None
    if engine is None or found is None:
        if engine is not None:
            _refuse_taken_subnet(application, engine)
        changes.append(Change("network", "", f"{application.network} {application.subnet}\n"))
    else:
        _refuse_other_network(application, found)
        refuse_strangers(engine, application, SLOTS)
    for path, text in ((application.map, MAP_HEADER), (application.canary_map, CANARY_HEADER)):
        if files.read_text(path) is None:
            changes.append(Change(path, "", text))
    key = HashKey(application.folder)
    if not key.is_kept:
        # The key itself is never shown.
        changes.append(Change(key.path, "", "a key of this host\n"))
    path = descriptor_path(application.app)
    wanted, present = application.to_json(), files.read_text(path)
    if present != wanted:
        changes.append(Change(path, present or "", wanted))
    return changes


def _refuse_taken_port(application: Application) -> None:
    owners = [name for name in listening.port_owners(application.port) if name != "haproxy"]
    if owners:
        raise SpecError(
            f"Port {application.port} of application {application.app!r} is taken on this host by"
            f" {', '.join(owners)}. Choose another app_port or stop that process."
        )


def _refuse_taken_subnet(application: Application, engine: Engine) -> None:
    wanted = ipaddress.ip_network(application.subnet)
    for name, subnet in engine.subnets().items():
        other = ipaddress.ip_network(subnet)
        if other.version == 4 and other.overlaps(wanted):
            raise SpecError(
                f"subnet {application.subnet} of application {application.app!r} overlaps"
                f" {subnet} of the Docker network {name}. Give the application a subnet of its"
                " own."
            )


def _refuse_other_network(application: Application, found: dict[str, t.Any]) -> None:
    subnet = _pool(found).get("Subnet")
    if subnet != application.subnet:
        raise SpecError(
            f"The Docker network {application.network} exists with subnet"
            f" {subnet}, not {application.subnet}. Containers are attached to it,"
            " so it is not changed: put the old subnet back, or remove the application's"
            " containers and the network first."
        )


def _pool(network: dict[str, t.Any]) -> dict[str, t.Any]:
    pools = (network.get("IPAM") or {}).get("Config") or [{}]
    return dict(pools[0])


def _gives_away(application: Application, pool: dict[str, t.Any]) -> bool:
    """Tell whether Docker may give a slot's address to a container that asks for none."""
    given = ipaddress.ip_network(str(pool.get("IPRange") or application.subnet), strict=False)
    kept = (pool.get("AuxiliaryAddresses") or {}).values()
    addresses = {slot.address for slot in application.slots.values()} - set(kept)
    return any(ipaddress.ip_address(address) in given for address in addresses)


def find_notes(application: Application, engine: Engine | None) -> list[str]:
    """Return what is not as set-up would make it today, and stays because containers use it."""
    found = engine.network(application.network) if engine else None
    if found is None or not _gives_away(application, _pool(found)):
        return []
    return [
        f"The Docker network {application.network} does not keep the slots' addresses for them, as"
        " one that set-up makes today does: a container that is attached to it without '--ip' may"
        " get that of a stopped"
        f" slot. Attach others with an address of {application.pool}."
    ]


def apply_changes(
    application: Application, engine: Engine | None, changes: t.Sequence[Change], mtu: int
) -> None:
    """Make the host what `find_changes` found missing; `mtu` in bytes, 0 for Docker's own."""
    key = HashKey(application.folder)
    for change in changes:
        if change.name == "network" and engine is not None:
            engine.create_network(application, mtu)
        elif change.name in (application.map, application.canary_map):
            files.make_folder(application.folder, 0o700)
            files.write_atomic(change.name, change.after)
        elif change.name == key.path:
            files.make_folder(application.folder, 0o700)
            key.keep()
        elif change.name == descriptor_path(application.app):
            files.make_folder(DESCRIPTOR_FOLDER, 0o755)
            files.write_atomic(change.name, change.after)
