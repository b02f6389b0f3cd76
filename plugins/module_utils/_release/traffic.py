# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving traffic and taking containers out of it: the pointer, the canary, the drain.

Every place that stops or removes a container goes through here, so that the proxy is asked first.
"""

from __future__ import annotations

import typing as t

from .._core.boundary import DEFECT, boundary
from .._core.clock import wait_until
from .._core.errors import CheckError, GreenlightError
from .._model.engine_model import Container
from .context import Host, observe

_QUIET_POLLS: t.Final = 2
"""Polls in a row without a request in flight that make a drain complete."""

_QUIET_INTERVAL: t.Final = 0.02
"""Seconds between two polls of a drain: a request that HAProxy was handing over is seen by then."""


def point_to(host: Host, slot: str | None) -> None:
    """Move the pointer: first what HAProxy reads at its next start, then what it serves now.

    In this order a restart of HAProxy between the two moves to the slot that is about to serve
    anyway. Raises FileError, with nothing moved, and ProxyError.
    """
    host.proxy.write_route_file(slot)
    host.proxy.set_runtime_route(slot)


def assert_not_live(host: Host, container: Container | None, *serving: Container | None) -> None:
    """Ask the proxy before a container is stopped; raise CheckError when traffic may reach it.

    The map file counts as well: HAProxy reads it when it starts. `serving` are containers that may
    be what serves: if one is, and all traffic is led to it, nobody else has to be looked at.
    """
    if container is None or _is_elsewhere(host, container, serving):
        return
    snapshot = observe(host)
    live, route = snapshot.live, snapshot.route
    if live is not None and live.id == container.id:
        raise CheckError(
            f"{container.name} is what serves now, so it is not stopped", "the proxy's pointer"
        )
    if container.running and container.slot in (route.canary, route.file):
        others = [c for c in snapshot.containers if c.slot == container.slot and c.running]
        if others == [container]:
            raise CheckError(
                f"traffic may still be led to {container.name}, so it is not stopped",
                "the proxy's map files",
            )


def _is_elsewhere(host: Host, container: Container, serving: t.Iterable[Container | None]) -> bool:
    """Tell whether all traffic is led to another container, one of `serving` that runs there."""
    route = host.proxy.read_route()
    may_be_led_there = container.slot in (route.file, route.canary)
    if not route.answered or (container.slot != route.slot and may_be_led_there):
        return False
    # In the same slot as well: an address is taken once, so whatever runs there gets it all.
    candidates = (c for c in serving if c is not None and c.slot == route.slot)
    behind = next((c for c in candidates if c.id != container.id), None)
    found = host.engine.container(behind.id) if behind else None
    return found is not None and found.running


def drain(host: Host, container: Container | None, limit: float) -> str:
    """Wait until the slot has no request in flight; after `limit` seconds close what is left."""
    if container is None:
        return "nothing to drain"
    quiet = 0

    def observe_slot() -> int:
        nonlocal quiet
        in_flight = host.proxy.status(container.slot).in_flight
        quiet = quiet + 1 if in_flight == 0 else 0
        return in_flight

    outcome = wait_until(
        observe_slot, lambda _n: quiet >= _QUIET_POLLS, limit, _QUIET_INTERVAL, host.clock
    )
    if outcome.done:
        return f"nothing in flight on slot {container.slot} after {outcome.seconds:.1f} s"
    host.proxy.shut_sessions(container.slot)
    return f"{outcome.last} still in flight on slot {container.slot} after {limit:g} s: closed"


def stop_for_rollback(host: Host, container: Container, grace: int) -> None:
    """Stop a container with `grace` seconds of notice and make sure that no reboot starts it."""
    host.engine.set_restart_policy(container.id, "no")
    host.engine.stop(container.id, grace)


def serving_line(host: Host) -> str:
    """Ask the proxy what serves now and say it in one line."""
    try:
        with boundary(DEFECT):
            snapshot = observe(host)
    except GreenlightError as exc:
        return f"unknown: {exc}"
    live = snapshot.live
    if not snapshot.route.answered:
        return "unknown: HAProxy does not answer on its runtime socket"
    if live is None:
        return "no release is live on this host"
    state = "" if live.running else f", but its container is {live.state}"
    standby = snapshot.standby
    same = standby is not None and standby.sha == live.sha
    config = f" with configuration {live.config}" if same else ""
    return f"{live.sha}{config} in slot {live.slot}{state}"
