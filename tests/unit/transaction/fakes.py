# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for Docker, HAProxy, the journal, the lock and HTTP, all on one World."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

from ansible_collections.greenlight.droplet.plugins.module_utils import web
from ansible_collections.greenlight.droplet.plugins.module_utils.engine import Engine
from ansible_collections.greenlight.droplet.plugins.module_utils.engine_model import (
    Container,
    Image,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import EngineError
from ansible_collections.greenlight.droplet.plugins.module_utils.host import Host
from ansible_collections.greenlight.droplet.plugins.module_utils.journal import (
    Entry,
    Journal,
    parse,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.lock import HostLock, Lease
from ansible_collections.greenlight.droplet.plugins.module_utils.proxy import (
    Proxy,
    Route,
    SlotStatus,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.registry import REVISION_LABEL
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import (
    Application,
    ContainerOptions,
    Source,
    design_application,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.wait import Clock
from tests.unit.transaction.world import OutageError, World

APPLICATION = design_application("api", 3002, 3002, "172.31.10.0/24")


class FakeClock(Clock):
    """Time that passes only while somebody sleeps."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        return self._world.now

    def wall(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        self._world.now += max(seconds, 0.001)


class FakeEngine(Engine):
    """Docker with its rules: one running container per address, names are unique."""

    def __init__(self, world: World) -> None:
        self._world = world

    def containers(self, app: str) -> list[Container]:
        return sorted(self._world.containers.values(), key=lambda c: (c.release, c.created))

    def container(self, identifier: str) -> Container | None:
        return self._world.containers.get(identifier)

    def names_in_use(self) -> set[str]:
        return {c.name for c in self._world.containers.values()}

    def create(
        self,
        application: Application,
        name: str,
        image: str,
        labels: dict[str, str],
        options: ContainerOptions,
    ) -> str:
        assert name not in self.names_in_use()
        identifier = f"id-{len(self._world.effects)}-{name}"
        self._world.containers[identifier] = Container(
            id=identifier,
            name=name,
            state="created",
            exit_code=0,
            restarts=0,
            pid=0,
            started="",
            created=str(self._world.now),
            restart_policy="no",
            slot=labels["slot"],
            release=labels["release"],
            sha=labels["sha"],
            digest=labels["digest"],
            config=labels["config"],
        )
        self._world.effect("create")
        return identifier

    def start(self, identifier: str) -> None:
        world, container = self._world, self._world.containers[identifier]
        for other in world.containers.values():
            if other.id != identifier and other.slot == container.slot and other.running:
                raise EngineError(f"address of {container.slot} is in use by {other.name}")
        crashes = world.behaviour.get(container.sha) == "crash"
        state = "exited" if crashes else "running"
        world.containers[identifier] = replace(container, state=state, exit_code=int(crashes))
        world.effect("start")

    def stop(self, identifier: str, grace: int) -> None:
        world = self._world
        world.forbid_outage(identifier)
        container = world.containers[identifier]
        if container.running and container.id not in world.drained:
            raise OutageError(f"{container.name} was stopped before its drain")
        world.containers[identifier] = replace(container, state="exited")
        world.effect("stop")

    def remove(self, identifier: str) -> None:
        self._world.forbid_outage(identifier)
        self._world.containers.pop(identifier, None)
        self._world.effect("remove")

    def set_restart_policy(self, identifier: str, policy: str) -> None:
        container = self._world.containers[identifier]
        self._world.containers[identifier] = replace(container, restart_policy=policy)
        self._world.effect(f"policy {policy}")

    def log_lines(self, identifier: str, lines: int) -> list[str]:
        return [f"line {number} of {identifier}" for number in range(lines)]

    def image(self, reference: str) -> Image | None:
        for image in self._world.images.values():
            if reference in (image.id, *image.tags, *image.digests):
                return image
        return None

    def images(self, app: str) -> list[Image]:
        return [image for image in self._world.images.values() if image.tags]

    def pull(self, source: Source, digest: str) -> None:
        sha = digest.removeprefix("sha256:")
        label = {REVISION_LABEL: sha}
        self._world.images[sha] = Image(f"image-{sha}", (), (f"{source.image}@{digest}",), label, 1)
        self._world.effect("pull")

    def tag(self, image: str, repository: str, tag: str) -> None:
        for key, found in self._world.images.items():
            if found.id == image:
                self._world.images[key] = replace(found, tags=(f"{repository}:{tag}",))
        self._world.effect("tag")

    def remove_image(self, reference: str) -> None:
        for key, image in list(self._world.images.items()):
            if reference in image.tags:
                assert not any(c.sha == key for c in self._world.containers.values())
                del self._world.images[key]
        self._world.effect("remove image")


class FakeProxy(Proxy):
    """HAProxy: the pointer in its file and at run time, and its own check of each slot."""

    def __init__(self, world: World) -> None:
        super().__init__(APPLICATION)
        self._world = world

    def read_route(self) -> Route:
        return Route(self._world.file, self._world.runtime, answered=True)

    def write_route_file(self, slot: str | None) -> None:
        self._world.file = slot
        self._world.effect("pointer file")

    def set_runtime_route(self, slot: str | None) -> None:
        world = self._world
        world.runtime = slot
        live = world.serving()
        world.drained -= {live.id} if live else set()
        if slot is not None and live is None:
            raise OutageError(f"the pointer leads to {slot}, where nothing runs")
        world.effect("pointer")

    def status(self, slot: str) -> SlotStatus:
        world = self._world
        inside = [c for c in world.containers.values() if c.slot == slot and c.running]
        world.drained |= {c.id for c in inside if world.runtime != slot}
        failing = any(world.behaviour.get(c.sha) == "errors" for c in inside)
        world.served += 10
        errors = world.served if failing else 0
        return SlotStatus("UP" if inside else "DOWN", 0, world.served, errors, 0)

    def shut_sessions(self, slot: str) -> None:
        self._world.effect("shut sessions")


class FakeJournal(Journal):
    """A journal in memory."""

    def __init__(self, world: World) -> None:
        super().__init__("/nowhere", FakeClock(world))
        self._world = world

    def read(self) -> list[Entry]:
        return parse("\n".join(self._world.journal))

    def write(self, event: str, run: str, **data: t.Any) -> None:
        lines: list[str] = []
        append_to(lines, event, run, self._world.now, data)
        self._world.journal += lines
        self._world.effect(f"journal {event}")


def append_to(lines: list[str], event: str, run: str, now: float, data: dict[str, t.Any]) -> None:
    """Render one journal line as the real journal does and append it to `lines`."""
    lines.append(json.dumps({"time": str(now), "run": run, "event": event, **data}))


class FakeLock(HostLock):
    """The kernel lock and the lease in memory; a killed process has lost the lock."""

    def __init__(self, world: World) -> None:
        super().__init__("/nowhere", FakeClock(world))
        self._world = world

    def acquire(self, run: str, holder: str, action: str, wait: float) -> None:
        self._world.locked = True

    def release(self) -> None:
        self._world.locked = False

    def read_lease(self) -> Lease | None:
        lease = self._world.lease
        return lease if lease and lease.until > self._world.now else None

    def write_lease(self, run: str, holder: str, action: str, sha: str, seconds: float) -> None:
        self._world.lease = Lease(run, holder, action, sha, self._world.now + seconds)
        self._world.effect("lease")

    def end_lease(self) -> None:
        self._world.lease = None
        self._world.effect("end lease")


def make_host(world: World) -> Host:
    """Put the parts of a droplet together around one world."""
    return Host(
        APPLICATION,
        FakeEngine(world),
        FakeProxy(world),
        FakeJournal(world),
        FakeLock(world),
        FakeClock(world),
    )


def answer_from(world: World) -> t.Callable[..., web.Answer]:
    """Return what takes the place of web.get: the answer of the container at that address."""

    def get(address: str, *_place: t.Any, **_options: t.Any) -> web.Answer:
        slots = {slot.address: slot.name for slot in APPLICATION.slots.values()}
        slot = slots.get(address, world.runtime)
        for container in world.containers.values():
            if container.slot == slot and container.running:
                behaviour = world.behaviour.get(container.sha, "")
                bad = behaviour == "sick" or (behaviour == "sick later" and slot == world.runtime)
                return web.Answer(503 if bad else 200, {}, "{}", 0.001)
        raise web.NoAnswer("ConnectionRefusedError")

    return get
