# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each step of a plan is done. One method a kind; every effect of a transaction is here."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils import gate, health
from ansible_collections.greenlight.droplet.plugins.module_utils.engine_model import (
    Container,
    Image,
    local_repository,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import (
    CheckError,
    EngineError,
    ProxyError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.host import Host, observe
from ansible_collections.greenlight.droplet.plugins.module_utils.plan import Goal, Kind, Step
from ansible_collections.greenlight.droplet.plugins.module_utils.registry import REVISION_LABEL
from ansible_collections.greenlight.droplet.plugins.module_utils.snapshot import Snapshot
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import Order, short_sha
from ansible_collections.greenlight.droplet.plugins.module_utils.wait import wait_until
from ansible_collections.greenlight.droplet.plugins.module_utils.watch import assess

_UP_LIMIT: t.Final = 10.0
"""Seconds that HAProxy's check may take to be UP after our own gate has passed."""

_JOURNALLED: t.Final = ("release", "sha", "slot", "digest", "config", "name")

_QUIET_POLLS: t.Final = 2
"""Polls in a row without a request in flight that make a drain complete."""


class Steps:
    """Carries out the steps of one plan on one host. `target` is the new release's container."""

    def __init__(self, host: Host, order: Order, goal: Goal, snapshot: Snapshot) -> None:
        self._host = host
        self._order = order
        self._goal = goal
        self._before = snapshot
        self.target: Container | None = goal.target

    def perform(self, step: Step) -> str:
        """Do one step and return a line that says what came of it. Raises GreenlightError."""
        work: dict[Kind, t.Callable[[Step], str]] = {
            Kind.REPAIR: self._repair,
            Kind.CLEAN: self._clean,
            Kind.PULL: self._pull,
            Kind.START: self._start,
            Kind.WAKE: self._wake,
            Kind.GATE: self._gate,
            Kind.CONFIRM: self._confirm,
            Kind.CUT_OVER: self._cut_over,
            Kind.WATCH: self._watch,
            Kind.DRAIN: self._drain,
            Kind.RETIRE: self._retire,
            Kind.RETAIN: self._retain,
        }
        return work[step.kind](step)

    def _new(self) -> Container:
        if self.target is None:
            raise CheckError("the new container is gone", "docker inspect")
        return self.target

    def _write(self, event: str, container: Container, **data: t.Any) -> None:
        facts = {name: getattr(container, name) for name in _JOURNALLED}
        self._host.journal.write(event, self._order.run, **facts, action=self._order.action, **data)

    def _repair(self, step: Step) -> str:
        if step.names == ("pointer",):
            self._host.proxy.write_route_file(self._before.route.slot)
        elif step.container is not None:
            self._write("live", step.container, recovered=True)
        return step.text

    def _clean(self, step: Step) -> str:
        assert_not_live(self._host, step.container)
        if step.container is not None:
            self._host.engine.remove(step.container.id)
        return step.text

    def _pull(self, step: Step) -> str:
        goal, engine = self._goal, self._host.engine
        repository = local_repository(self._host.application.app)
        image = engine.image(goal.image)
        pulled = image is None
        if image is None:
            engine.pull(self._order.source, goal.digest)
            image = engine.image(goal.image)
        if image is None:
            raise EngineError(f"The pull of {goal.image} ended, yet the image is not there.")
        check_revision(image, goal.sha)
        engine.tag(image.id, repository, goal.sha)
        size = f"{image.size / 1_000_000:.0f} MB"
        return f"{goal.digest[:19]} {size}, {'pulled' if pulled else 'was on the host'}"

    def _start(self, step: Step) -> str:
        host, goal = self._host, self._goal
        slot = self._before.idle_slot
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(host.clock.wall()))
        taken = {entry.data.get("release") for entry in self._before.entries}
        release = unused(f"{stamp}-{short_sha(goal.sha)}", taken)
        name = unused(
            f"{host.application.app}-{slot}-{short_sha(goal.sha)}", host.engine.names_in_use()
        )
        labels = {
            "app": host.application.app,
            "slot": slot,
            "release": release,
            "sha": goal.sha,
            "digest": goal.digest,
            "config": goal.config,
        }
        host.journal.write(
            "start", self._order.run, release=release, sha=goal.sha, slot=slot, name=name
        )
        image = f"{local_repository(host.application.app)}:{goal.sha}"
        identifier = host.engine.create(
            host.application, name, image, labels, self._order.container
        )
        self.target = host.engine.container(identifier)
        host.engine.start(identifier)
        self.target = host.engine.container(identifier)
        return f"{name} at {host.application.slots[slot].address}, no traffic"

    def _wake(self, step: Step) -> str:
        container = self._new()
        self._write("start", container)
        self._host.engine.set_restart_policy(container.id, "no")
        self._host.engine.start(container.id)
        self.target = self._host.engine.container(container.id)
        return f"{container.name} with the configuration it ran with, no traffic"

    def _gate(self, step: Step) -> str:
        said = gate.pass_gate(
            self._host, self._new(), self._order.health, self._order.health.successes
        )
        self._write("staged", self._new())
        return said

    def _confirm(self, step: Step) -> str:
        container = self._new()
        gate.pass_gate(self._host, container, self._order.health, 1)
        status = gate.wait_for_up(self._host, container.slot, _UP_LIMIT)
        return f"HAProxy says {status.status}"

    def _cut_over(self, step: Step) -> str:
        container = self._new()
        self._host.engine.set_restart_policy(container.id, "unless-stopped")
        point_to(self._host, container.slot)
        self._write("live", container)
        return f"{short_sha(container.sha)} is live in slot {container.slot}"

    def _watch(self, step: Step) -> str:
        host, watch, container = self._host, self._order.watch, self._new()
        before = host.proxy.status(container.slot)
        begin = host.clock.now()
        probes = failed = 0
        while True:
            ended = gate.describe_end(host.engine.container(container.id))
            if ended:
                raise CheckError(f"{ended} after the cutover", "container state")
            verdict = health.probe("127.0.0.1", host.application.port, self._order.health)
            probes += 1
            failed = 0 if verdict.healthy else failed + 1
            if failed >= watch.failed_checks:
                raise CheckError(
                    f"{failed} health checks in a row failed through the proxy: {verdict.reason}",
                    f"GET http://127.0.0.1:{host.application.port}{self._order.health.path}",
                    verdict.answer,
                )
            now = host.proxy.status(container.slot)
            condemned = assess(before, now, probes, watch)
            if condemned:
                raise CheckError(condemned, "requests in the new slot, counted by HAProxy")
            elapsed = host.clock.now() - begin
            if elapsed >= watch.seconds:
                return f"healthy, {max(now.requests - before.requests - probes, 0)} requests served"
            host.clock.sleep(min(watch.interval, watch.seconds - elapsed))

    def _drain(self, step: Step) -> str:
        return drain(self._host, step.container, self._order.drain_seconds)

    def _retire(self, step: Step) -> str:
        assert_not_live(self._host, step.container)
        if step.container is not None:
            stop_for_rollback(self._host, step.container, self._order.container.stop_timeout)
        return step.text

    def _retain(self, step: Step) -> str:
        retained = observe(self._host).retained()
        for name in step.names:
            image = retained.get(name)
            for reference in (*image.tags, *image.digests) if image else ():
                self._host.engine.remove_image(reference)
        return f"removed {', '.join(short_sha(name) for name in step.names)}"


def unused(name: str, taken: t.Collection[object]) -> str:
    """Return the name, with a number behind it when it is taken."""
    candidates = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(candidate for candidate in candidates if candidate not in taken)


def check_revision(image: Image, sha: str) -> None:
    """Raise CheckError when the image's revision label contradicts the SHA."""
    found = image.labels.get(REVISION_LABEL, "")
    if found.lower() != sha:
        raise CheckError(
            f"the image says that it was built from {found or 'no revision at all'}, not from"
            f" {sha}. Build it with the label {REVISION_LABEL} set to the full SHA, and push it"
            " again",
            f"label {REVISION_LABEL}",
            found or "no such label",
        )


def assert_not_live(host: Host, container: Container | None) -> None:
    """Ask the proxy before a container is stopped; raise CheckError when it is the live one."""
    live = observe(host).live
    if container is not None and live is not None and live.id == container.id:
        raise CheckError(
            f"{container.name} is what serves now, so it is not stopped", "the proxy's pointer"
        )


def point_to(host: Host, slot: str | None) -> None:
    """Move the pointer: first what HAProxy reads at its next start, then what it serves now."""
    host.proxy.write_route_file(slot)
    host.proxy.set_runtime_route(slot)


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

    outcome = wait_until(observe_slot, lambda _n: quiet >= _QUIET_POLLS, limit, 0.05, host.clock)
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
        snapshot = observe(host)
    except (EngineError, ProxyError) as exc:
        return f"unknown: {exc}"
    live = snapshot.live
    if not snapshot.route.answered:
        return "unknown: HAProxy does not answer on its runtime socket"
    if live is None:
        return "no release is live on this host"
    state = "" if live.running else f", but its container is {live.state}"
    return f"{live.sha} in slot {live.slot}{state}"
