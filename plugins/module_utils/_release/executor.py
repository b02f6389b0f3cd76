# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each step of a plan is done. One method a kind."""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t

from .._core.boundary import DEFECT, boundary
from .._core.errors import CheckError, EngineError, GreenlightError
from .._haproxy.runtime_api import SlotStatus
from .._model.container_options import check_user
from .._model.engine_model import Container, Mishaps, local_repository
from .._model.spec import Order, short_sha
from .._state.history import RECOVERED, State
from . import health_gate, preconditions, retention, secret_files, traffic
from .context import Host
from .host_state import Snapshot
from .image_checks import check_revision
from .monitor import Watcher
from .planner import Kind, Repair, Step
from .target import Goal

_UP_LIMIT: t.Final = 10.0
"""Seconds that HAProxy's check may take to be UP after our own gate has passed."""

_STAMP: t.Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{8}T[0-9]{6}Z(?![0-9A-Za-z])")
"""The time in the name of a run that the controller has made."""

_JOURNALLED: t.Final = ("release", "sha", "slot", "digest", "config", "name")


class Steps:
    """Carries out the steps of one plan on one host. `target` is the new release's container."""

    def __init__(self, host: Host, order: Order, goal: Goal, snapshot: Snapshot) -> None:
        self._host = host
        self._order = order
        self._goal = goal
        self._before = snapshot
        self.target: Container | None = goal.target
        self._base: SlotStatus | None = None
        self._gated: Mishaps | None = None

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
            Kind.CANARY: self._canary,
            Kind.CUT_OVER: self._cut_over,
            Kind.WATCH: self._watch,
            Kind.PROVE: self._prove,
            Kind.COMMIT: self._commit,
            Kind.DRAIN: self._drain,
            Kind.RETIRE: self._retire,
            Kind.KEEP_WARM: self._keep_warm,
            Kind.RETAIN: self._retain,
        }
        return work[step.kind](step)

    def _new(self) -> Container:
        if self.target is None:
            raise CheckError("the new container is gone", "docker inspect")
        return self.target

    def _past(self) -> Mishaps:
        """Return what had befallen the new container when its gate began, in an earlier call too.

        Whatever has befallen it since, between two calls as well, ends the release.
        """
        container, run = self._new(), self._before.history.run(self._order.run)
        return self._gated or run.past.get(container.release, container.mishaps)

    def _assert_not_live(self, container: Container | None) -> None:
        traffic.assert_not_live(self._host, container, self.target, self._before.live)

    def _write(self, event: str, container: Container, **data: t.Any) -> None:
        facts = {name: getattr(container, name) for name in _JOURNALLED}
        facts = {**facts, "action": self._order.action, **data}
        self._host.journal.write(event, self._order.run, **facts)

    def _repair(self, step: Step) -> str:
        host = self._host
        if step.repair is Repair.DAMAGE:
            return f"{step.text}: {host.journal.mend()}"
        if step.repair is Repair.CANARY:
            host.proxy.clear_canary()
        elif step.repair is Repair.POINTER:
            route = self._before.route
            slot = step.container.slot if step.container else route.slot
            host.proxy.write_route_file(slot)
            if route.runtime != slot:
                host.proxy.set_runtime_route(slot)
        elif step.container is not None and step.repair is Repair.RESTART_POLICY:
            host.engine.set_restart_policy(step.container.id, "unless-stopped")
        elif step.container is not None and step.repair is Repair.JOURNAL:
            action = self._before.history.action_of(step.container.release)
            self._write(RECOVERED, step.container, action=action)
        return step.text

    def _clean(self, step: Step) -> str:
        self._assert_not_live(step.container)
        if step.container is not None:
            self._host.engine.remove(step.container.id)
            self._host.secrets.remove(step.container.release)
        return step.text

    def _pull(self, step: Step) -> str:
        goal, engine = self._goal, self._host.engine
        repository = local_repository(self._host.application.app)
        image = engine.image(goal.image)
        pulled = image is None
        if image is None:
            engine.pull(self._order.source, goal.digest, self._order.pull_seconds)
            image = engine.image(goal.image)
        if image is None:
            raise EngineError(f"The pull of {goal.image} ended, yet the image is not there.")
        try:
            check_revision(image, goal.sha)
            check_user(goal.image, image.user, self._order.container)
        except CheckError as exc:
            raise self._without_image(exc, pulled=pulled) from exc
        engine.tag(image.id, repository, goal.sha)
        size = f"{image.size / 1_000_000:.0f} MB"
        return f"{goal.digest[:19]} {size}, {'pulled' if pulled else 'was on the host'}"

    def _without_image(self, exc: CheckError, *, pulled: bool) -> CheckError:
        """Return the error after an image that is of no use was removed again.

        It has no name of ours, so no later release would remove it.
        """
        if not pulled:
            return exc
        try:
            self._host.engine.remove_image(self._goal.image)
        except EngineError as fault:
            text = f"{exc}. The image that was pulled stays on the host: {fault}"
            return CheckError(text, exc.check, exc.last_answer)
        return exc

    def _start(self, step: Step) -> str:
        host, goal = self._host, self._goal
        image = f"{local_repository(host.application.app)}:{goal.sha}"
        # One that was on the host already has not been pulled, and root may have been allowed then.
        if found := host.engine.image(image):
            check_user(image, found.user, self._order.container)
        slot = self._before.idle_slot
        # The run's own time, where its name says it: so a release has one name on all hosts.
        named = _STAMP.findall(self._order.run)
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(host.clock.wall()))
        stamp = named[-1] if named else now
        taken = {entry.data.get("release") for entry in self._before.history.entries}
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
            State.STARTED, self._order.run, release=release, sha=goal.sha, slot=slot, name=name
        )
        secret_files.prepare(host, self._order, release)
        identifier = host.engine.create(
            host.application, name, image, labels, self._order.container
        )
        self.target = host.engine.container(identifier)
        secret_files.hand_over(host, self._order, release, identifier)
        host.engine.start(identifier)
        self.target = host.engine.container(identifier)
        return f"{name} at {host.application.slots[slot].address}, no traffic"

    def _wake(self, step: Step) -> str:
        container = self._new()
        self._write(State.STARTED, container)
        if container.restart_policy != "no":
            self._host.engine.set_restart_policy(container.id, "no")
        self._host.secrets.ensure(container.release)
        self._host.engine.start(container.id)
        self.target = self._host.engine.container(container.id)
        return f"{container.name} with the configuration it ran with, no traffic"

    def _gate(self, step: Step) -> str:
        if self._goal.target is not None and self._goal.target.running:
            # The time of a warm standby must not end while it is about to serve.
            self._host.timers.forget()
        container, health = self._new(), self._order.health
        self._gated = past = container.mishaps
        said = health_gate.pass_gate(self._host, container, health, health.successes, past)
        self._write(State.STAGED, container, **dataclasses.asdict(past))
        return said

    def _confirm(self, step: Step) -> str:
        container = self._new()
        check = self._order.health
        quick = dataclasses.replace(check, deadline=min(check.deadline, _UP_LIMIT))
        health_gate.pass_gate(self._host, container, quick, 1, self._past())
        # HAProxy's check may take as long for an answer as ours.
        limit = _UP_LIMIT + check.timeout
        status = health_gate.wait_for_up(self._host, container.slot, limit, check)
        return f"HAProxy says {status.status}"

    def _baseline(self) -> SlotStatus:
        return self._host.proxy.status(self._new().slot)

    def _canary(self, step: Step) -> str:
        host, container, canary = self._host, self._new(), self._order.canary
        base = self._baseline()
        host.proxy.set_canary(container.slot, canary.percent)
        address = host.application.slots[container.slot].address
        order = self._order
        watcher = Watcher(host, order.watch, order.health, container, base, self._past())
        said = watcher.watch(canary.seconds, address, host.application.container_port)
        return f"{canary.percent} %: {said}"

    def _cut_over(self, step: Step) -> str:
        container = self._new()
        self._host.engine.set_restart_policy(container.id, "unless-stopped")
        self._base = self._baseline()
        traffic.point_to(self._host, container.slot)
        self._write(State.LIVE, container)
        if self._order.canary.wanted:
            self._host.proxy.clear_canary()
        return f"{short_sha(container.sha)} is live in slot {container.slot}"

    def _watch(self, step: Step) -> str:
        order, base = self._order, self._base or self._baseline()
        watcher = Watcher(self._host, order.watch, order.health, self._new(), base, self._past())
        return watcher.watch(order.watch.seconds, "127.0.0.1", self._host.application.port)

    def _prove(self, step: Step) -> str:
        # Nothing may be in the way of the last word that this host will have to write.
        preconditions.check_space(self._host, begun=True)
        said = self._confirm(step)
        self._write(State.PROVED, self._new())
        return f"healthy once more, {said}"

    def _commit(self, step: Step) -> str:
        self._write(State.COMMITTED, self._new())
        return step.text

    def _drain(self, step: Step) -> str:
        return traffic.drain(self._host, step.container, self._order.drain_seconds)

    def _retire(self, step: Step) -> str:
        self._assert_not_live(step.container)
        if step.container is not None:
            grace = self._order.container.stop_timeout
            traffic.stop_for_rollback(self._host, step.container, grace)
        return step.text

    def _keep_warm(self, step: Step) -> str:
        host, old = self._host, step.container
        if old is None:
            return "nothing to keep"
        host.engine.set_restart_policy(old.id, "no")
        seconds, grace = self._order.standby.warm_seconds, self._order.container.stop_timeout
        host.timers.plan(old.id, seconds, grace)
        return step.text

    def _retain(self, step: Step) -> str:
        """Name or remove images. It fails no release: what could not be done is said.

        The next release tries again.
        """
        host, repository = self._host, self._order.source.image
        try:
            with boundary(DEFECT):
                if step.container is not None:
                    local = local_repository(host.application.app)
                    host.engine.tag(step.container.image, local, step.container.sha)
                    return step.text
                # A pull of this run may have given one of these images its name back.
                now = self._before.with_images_of_now()
                return retention.remove(host.engine, now, step.names, repository)
        except GreenlightError as exc:
            return f"left to the next release: {exc}"


def unused(name: str, taken: t.Collection[object]) -> str:
    """Return the name, with a number behind it when it is taken."""
    candidates = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(candidate for candidate in candidates if candidate not in taken)
