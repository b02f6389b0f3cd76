# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One application on this host: its parts opened once, and one reading of them all."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.greenlight.droplet.plugins.module_utils import files
from ansible_collections.greenlight.droplet.plugins.module_utils.engine import Engine
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import (
    NotSetUpError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.freeze import FreezeFile
from ansible_collections.greenlight.droplet.plugins.module_utils.journal import Journal
from ansible_collections.greenlight.droplet.plugins.module_utils.lock import HostLock
from ansible_collections.greenlight.droplet.plugins.module_utils.proxy import Proxy
from ansible_collections.greenlight.droplet.plugins.module_utils.snapshot import Snapshot
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import (
    DESCRIPTOR_FOLDER,
    Application,
    check_application_name,
    parse_application,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.timers import Timers
from ansible_collections.greenlight.droplet.plugins.module_utils.wait import Clock


@dataclass(frozen=True)
class Host:
    """Everything outside that a transaction works with."""

    application: Application
    engine: Engine
    proxy: Proxy
    journal: Journal
    lock: HostLock
    freeze: FreezeFile
    timers: Timers
    clock: Clock


def read_application(app: str) -> Application:
    """Return the application that set-up described on this host.

    Raises NotSetUpError when the host knows no application at all, SpecError when it knows others.
    """
    check_application_name(app)
    path = f"{DESCRIPTOR_FOLDER}/{app}.json"
    text = files.read_text(path)
    if text is not None:
        return parse_application(text, path)
    known = files.list_stems(DESCRIPTOR_FOLDER, ".json")
    if known:
        raise SpecError(
            f"This host has no application {app!r}; it has {', '.join(known)}. Check app_name, or"
            " run setup-api.yml for the new application. Nothing was changed."
        )
    raise NotSetUpError(
        f"This host is not set up for releases: {path} is missing. Run setup-api.yml on it first."
        " Nothing was changed."
    )


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
        Timers(app),
        clock,
    )


def observe(host: Host) -> Snapshot:
    """Read what is there now."""
    app = host.application.app
    return Snapshot(
        application=host.application,
        route=host.proxy.read_route(),
        containers=tuple(host.engine.containers(app)),
        images=tuple(host.engine.images(app)),
        history=host.journal.read(),
    )
