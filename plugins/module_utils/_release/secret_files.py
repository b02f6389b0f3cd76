# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a release its secrets as files, before its container starts for the first time."""

from __future__ import annotations

from .._core.errors import CheckError
from .._model.spec import Order
from .context import Host


def prepare(host: Host, order: Order, release: str) -> None:
    """Make the folder that the release's container will see, and forget those of containers gone.

    Raises CheckError, SpecError, FileError and TimerError.
    """
    if host.secrets.is_used:
        present = host.engine.containers(host.application.app)
        host.secrets.sweep({container.release for container in present})
    if not order.container.secret_files:
        return
    if host.engine.remaps_users():
        raise CheckError(
            "secret_files cannot be used, because this host's engine gives the users of containers"
            " other numbers (userns-remap). Set app_secret_files: false, or take it off the engine",
            "docker info",
            "name=userns",
        )
    # Without it no reboot would find the secrets.
    host.timers.enable_secrets()
    host.secrets.open_folder(release)


def hand_over(host: Host, order: Order, release: str, identifier: str) -> None:
    """Write the files for a container that was made and does not run yet.

    Raises CheckError, EngineError and FileError.
    """
    if order.container.secret_files:
        number = host.engine.user_number(identifier)
        host.secrets.put(release, order.container.secrets, (number, number))
