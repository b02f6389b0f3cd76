# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One application on this host: its parts opened once, and one reading of them all."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from .._core.clock import Clock
from .._core.errors import GreenlightError
from .._docker.client import Engine
from .._haproxy.runtime_api import Proxy
from .._model.spec import Application
from .._state.descriptor import read_application
from .._state.freeze import FreezeFile
from .._state.hash_key import HashKey
from .._state.journal import Journal
from .._state.lock import HostLock
from .._state.secret_store import SecretStore
from .._state.timers import Timers
from .host_state import Snapshot


@dataclass(frozen=True)
class Host:
    """Everything outside that a transaction works with."""

    application: Application
    engine: Engine
    proxy: Proxy
    journal: Journal
    lock: HostLock
    freeze: FreezeFile
    hash_key: HashKey
    secrets: SecretStore
    timers: Timers
    clock: Clock


def open_host(app: str) -> Host:
    """Open the parts of an application on this host. Raises NotSetUpError or SpecError."""
    application = read_application(app)
    clock = Clock()
    folder = application.folder
    return Host(
        application,
        Engine(),
        Proxy(application),
        Journal(folder, clock),
        HostLock(folder, clock),
        FreezeFile(folder, clock),
        HashKey(folder),
        SecretStore(app, folder),
        Timers(app),
        clock,
    )


def observe_after(
    host: Host, before: Snapshot, *, images_changed: bool
) -> tuple[Snapshot | None, list[str]]:
    """Read what came of a run, with all that its result tells of the states before and after.

    What cannot be read is told as a note: the work is done, whatever Docker says of it now.
    """
    try:
        now = observe(host)
        after = now if images_changed else now.with_images_of(before)
        # They are read when first asked for, which is to be now, while nobody else is at work.
        for snapshot in (before, after):
            snapshot.retained()
    except GreenlightError as exc:
        return None, [f"What is there after the run could not be read: {exc}"]
    return after, []


def observe(host: Host) -> Snapshot:
    """Read what is there now."""
    app = host.application.app
    return Snapshot(
        application=host.application,
        route=host.proxy.read_route(),
        containers=tuple(host.engine.containers(app)),
        find_images=functools.partial(host.engine.images, app),
        history=host.journal.read(),
    )
