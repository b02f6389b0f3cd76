# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health gate: a new container must answer well several times in a row, within a deadline."""

from __future__ import annotations

import typing as t

from .._core import files
from .._core.clock import wait_until
from .._core.errors import CheckError
from .._haproxy.runtime_api import SlotStatus
from .._health import probe
from .._model.engine_model import Container
from .._model.spec import HealthCheck
from .context import Host

_FIRST_INTERVAL: t.Final = 0.05
"""Seconds between two probes at most while none was healthy yet: nothing is proved by waiting."""

_UP_INTERVAL: t.Final = 0.02
"""Seconds between two looks at what HAProxy's own check says."""

_LOOK_INTERVAL: t.Final = 0.25
"""Seconds between two looks at the container itself, which cost Docker more than a probe does."""


def describe_end(container: Container | None) -> str | None:
    """Say how a container ended, or return None while it runs as it was started."""
    if container is None:
        return "the container is gone"
    if container.out_of_memory:
        return "the container ran out of its memory limit"
    if container.state in ("exited", "dead"):
        return f"the container ended with exit code {container.exit_code}"
    if container.restarts > 0 or container.state == "restarting":
        return (
            f"the container crashed and was restarted {max(container.restarts, 1)} time(s)"
            f" (last exit code {container.exit_code})"
        )
    return None


def pass_gate(host: Host, container: Container, check: HealthCheck, successes: int) -> str:
    """Probe the slot until `successes` answers in a row were healthy; return a line for people.

    Raises CheckError when the deadline passes, the container ends, or waiting is pointless.
    """
    address = host.application.slots[container.slot].address
    port = host.application.container_port
    name = f"GET http://{address}:{port}{check.path}"
    begin = host.clock.now()
    looked = begin - _LOOK_INTERVAL
    in_row = probes = 0
    while in_row < successes:
        verdict = probe.probe(address, port, check)
        probes += 1
        if not verdict.healthy and host.clock.now() - looked >= _LOOK_INTERVAL:
            _see_it_run(host, container, name, verdict)
            looked = host.clock.now()
        in_row = in_row + 1 if verdict.healthy else 0
        if verdict.final:
            raise CheckError(verdict.reason, name, verdict.answer)
        if in_row < successes:
            if host.clock.now() - begin >= check.deadline:
                raise CheckError(_too_late(host, container, check, verdict), name, verdict.answer)
            host.clock.sleep(check.interval if in_row else min(check.interval, _FIRST_INTERVAL))
    # A container that was started again meanwhile may have answered all the same.
    _see_it_run(host, container, name, verdict)
    return f"{in_row} of {successes} checks in a row healthy, {probes} probes"


def _see_it_run(host: Host, container: Container, name: str, last: probe.Verdict) -> None:
    """Raise CheckError when the container has ended or was started again."""
    ended = describe_end(host.engine.container(container.id))
    if ended:
        raise CheckError(f"{ended} before it was healthy", name, last.answer)


def _too_late(host: Host, container: Container, check: HealthCheck, last: probe.Verdict) -> str:
    text = f"not healthy within {check.deadline:g} s: {last.reason}"
    wanted = host.application.container_port
    now = host.engine.container(container.id)
    if now is None or not now.pid:
        return text
    ports = files.listening_ports(now.pid)
    if not ports:
        text += f". Nothing listens inside the container; it should on port {wanted}"
    elif wanted not in ports:
        found = ", ".join(str(port) for port in ports)
        text += (
            f". The application listens on port {found}, not on {wanted}:"
            " fix its port, or set app_container_port and run setup-api.yml"
        )
    elif not ports[wanted]:
        text += f". The application listens on 127.0.0.1:{wanted} alone; make it listen on 0.0.0.0"
    return text


def wait_for_up(host: Host, slot: str, limit: float) -> SlotStatus:
    """Wait until HAProxy's own check says exactly UP, at most `limit` seconds."""
    outcome = wait_until(
        lambda: host.proxy.status(slot), lambda s: s.is_up, limit, _UP_INTERVAL, host.clock
    )
    if not outcome.done:
        backend = host.application.slots[slot].backend
        raise CheckError(
            f"HAProxy's own check of {backend} did not become UP within {limit:g} s",
            f"show stat {backend}",
            outcome.last.status,
        )
    return outcome.last
