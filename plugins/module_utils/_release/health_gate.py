# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health gate: a new container must answer well several times in a row, within a deadline."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core import listening
from .._core.clock import wait_until
from .._core.errors import CheckError
from .._haproxy.runtime_api import SlotStatus
from .._health import probe
from .._model.engine_model import Container, Mishaps
from .._model.health_check import HealthCheck
from .context import Host

_FIRST_INTERVAL: t.Final = 0.05
"""Seconds between two probes at most while none was healthy yet: nothing is proved by waiting."""

_UP_INTERVAL: t.Final = 0.02
"""Seconds between two looks at what HAProxy's own check says."""

_LOOK_INTERVAL: t.Final = 0.25
"""Seconds between two looks at the container itself, which cost Docker more than a probe does."""


_REFUSED: t.Final = ConnectionRefusedError.__name__
"""What an answer says when nothing takes connections at the slot's address."""


def describe_end(container: Container | None, past: Mishaps) -> str | None:
    """Say how a container ended, or return None while it runs as it did before.

    What had befallen it until its gate began, `past`, does not count: Docker remembers that of a
    standby that goes on running for as long as it does.
    """
    if container is None:
        return "the container is gone"
    if container.out_of_memory and not past.out_of_memory:
        return "the container ran out of its memory limit"
    if container.state in ("exited", "dead"):
        return f"the container ended with exit code {container.exit_code}"
    restarts = container.restarts - past.restarts
    if restarts > 0 or container.state == "restarting":
        return (
            f"the container crashed and was restarted {max(restarts, 1)} time(s)"
            f" (last exit code {container.exit_code})"
        )
    return None


@dataclass
class _Probes:
    """The probes of one gate so far, and what the last one that failed was told."""

    count: int = 0
    failed: int = 0
    in_row: int = 0
    last_failed: probe.Verdict | None = None

    def add(self, verdict: probe.Verdict) -> None:
        self.count += 1
        if verdict.healthy:
            self.in_row += 1
        else:
            self.failed += 1
            self.in_row = 0
            self.last_failed = verdict

    @property
    def answer(self) -> str:
        return self.last_failed.answer if self.last_failed else ""

    def describe(self, successes: int) -> str:
        """Say what kept the gate from being passed."""
        if self.last_failed is None:
            return f"only {self.in_row} of {successes} healthy checks in a row came in that time"
        told = f"{self.failed} of {self.count} checks failed"
        return f"{told}, the last of them with: {self.last_failed.reason}"


def pass_gate(
    host: Host, container: Container, check: HealthCheck, successes: int, past: Mishaps
) -> str:
    """Probe the slot until `successes` answers in a row were healthy; return a line for people.

    `past` is what had befallen the container before it had to prove anything.
    The last probe begins at the deadline at the latest. Raises CheckError when that one does not
    complete the row, the container ends, or waiting is pointless.
    """
    address = host.application.slots[container.slot].address
    port = host.application.container_port
    name = f"GET http://{address}:{port}{check.path}"
    begin = host.clock.now()
    looked = begin - _LOOK_INTERVAL
    probes = _Probes()
    while probes.in_row < successes:
        verdict = probe.probe(address, port, check)
        probes.add(verdict)
        if verdict.final:
            raise CheckError(verdict.reason, name, verdict.answer)
        if not verdict.healthy and host.clock.now() - looked >= _LOOK_INTERVAL:
            _see_it_run(host, container, past, name, probes)
            looked = host.clock.now()
        if probes.in_row < successes:
            left = begin + check.deadline - host.clock.now()
            if left <= 0:
                reason = f"not healthy within {check.deadline:g} s: {probes.describe(successes)}"
                hint = _ports_hint(host, container, probes)
                raise CheckError(reason + hint, name, probes.answer)
            wait = check.interval if probes.in_row else min(check.interval, _FIRST_INTERVAL)
            host.clock.sleep(min(wait, left))
    # A container that was started again meanwhile may have answered all the same.
    _see_it_run(host, container, past, name, probes)
    return f"{probes.in_row} of {successes} checks in a row healthy, {probes.count} probes"


def _see_it_run(
    host: Host, container: Container, past: Mishaps, name: str, probes: _Probes
) -> None:
    """Raise CheckError when the container has ended or was started again."""
    ended = describe_end(host.engine.container(container.id), past)
    if ended:
        raise CheckError(f"{ended} before it was healthy", name, probes.answer)


def _ports_hint(host: Host, container: Container, probes: _Probes) -> str:
    """Say on which wrong port or address the application listens; empty when that is right."""
    wanted = host.application.container_port
    now = host.engine.container(container.id)
    if now is None or not now.pid:
        return ""
    ports = listening.listening_ports(now.pid)
    if not ports:
        return f". Nothing listens inside the container; it should on port {wanted}"
    if wanted not in ports:
        found = ", ".join(str(port) for port in ports)
        return (
            f". The application listens on port {found}, not on {wanted}:"
            " fix its port, or set app_container_port and run setup-api.yml"
        )
    if not ports[wanted]:
        return f". The application listens on 127.0.0.1:{wanted} alone; make it listen on 0.0.0.0"
    if _REFUSED in probes.answer and listening.listens_by_ipv6(now.pid, wanted):
        return (
            f". The application listens on [::]:{wanted} by IPv6 alone, and a slot has an IPv4"
            " address; make it listen on 0.0.0.0"
        )
    return ""


def wait_for_up(
    host: Host, slot: str, limit: float, check: HealthCheck | None = None
) -> SlotStatus:
    """Wait until HAProxy's own check says exactly UP, at most `limit` seconds.

    `check` is the one that the slot has passed before. Raises CheckError.
    """
    outcome = wait_until(
        lambda: host.proxy.status(slot), lambda s: s.is_up, limit, _UP_INTERVAL, host.clock
    )
    if not outcome.done:
        backend = host.application.slots[slot].backend
        raise CheckError(
            f"HAProxy's own check of {backend} did not become UP within {limit:g} s"
            f"{_other_check_hint(host, check)}",
            f"show stat {backend}",
            outcome.last.status,
        )
    return outcome.last


def _other_check_hint(host: Host, check: HealthCheck | None) -> str:
    """Say in what HAProxy asks otherwise than the gate does; empty when it does not."""
    names = ", ".join(host.proxy.other_checks(check)) if check else ""
    if not names:
        return ""
    return (
        f". It is not the one of this release, as to {names}. Run setup-api.yml, which makes"
        " HAProxy ask so too; what is live must pass it as well"
    )
