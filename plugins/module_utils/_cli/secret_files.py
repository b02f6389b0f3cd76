# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that containers get as files are laid out in memory when the host boots."""

from __future__ import annotations

from .._core.console import complain, say
from .._core.errors import GreenlightError
from .._state.descriptor import known_applications, read_application
from .._state.secret_store import SecretStore


def restore() -> int:
    """Lay out those of all applications; return the exit code. One that fails stops no other."""
    done = [_restore(app) for app in known_applications()]
    return 0 if all(done) else 1


def _restore(app: str) -> bool:
    try:
        count = SecretStore(app, read_application(app).folder).ensure_all()
    except GreenlightError as exc:
        complain(f"greenlight: {app}: {exc}")
        return False
    say(f"{app}: secrets of {count} releases")
    return True
