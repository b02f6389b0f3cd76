# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a warm standby: a timer of systemd calls it through the command `greenlight`."""

from __future__ import annotations

import typing as t

from .._core.errors import ProxyError
from .._state.lock import RETIRING
from . import traffic
from .context import Host, observe, open_host

LOCK_SECONDS: t.Final = 3600.0
"""Seconds to wait for a run that holds the lock."""

DRAIN_SECONDS: t.Final = 10.0
"""Seconds for what was in flight before the cutover; what is left then is closed."""


def retire(app: str, container: str, grace: int) -> str:
    """Stop the standby unless anything leads to its slot; return what was done, for people.

    `grace` is in seconds. Takes the lock as a release does. Raises GreenlightError, with nothing
    stopped, when the lock, HAProxy or Docker cannot be had.
    """
    host = open_host(app)
    host.lock.acquire("", "timer", RETIRING, LOCK_SECONDS)
    try:
        return _retire(host, container, grace)
    finally:
        host.lock.release()


def _retire(host: Host, identifier: str, grace: int) -> str:
    snapshot = observe(host)
    found = next((c for c in snapshot.containers if c.id == identifier), None)
    if found is None:
        return "no container of this application; nothing was stopped"
    if not found.running:
        return "the container is stopped already"
    route = snapshot.route
    if not route.answered:
        raise ProxyError("HAProxy does not say what it leads to, so nothing was stopped.")
    if found.slot in (route.file, route.runtime, route.canary):
        return f"traffic is led to slot {found.slot}; the container is left alone"
    traffic.drain(host, found, DRAIN_SECONDS)
    traffic.stop_for_rollback(host, found, grace)
    reason = "its time as a warm standby is over"
    host.journal.write("retired", "", release=found.release, sha=found.sha, reason=reason)
    return "stopped, kept for rollback"
