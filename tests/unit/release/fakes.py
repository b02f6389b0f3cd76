# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for Docker, HAProxy and HTTP, all on one World."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    EngineError,
    FileError,
    GreenlightError,
    ProxyError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.client import Engine
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy.runtime_api import (
    Proxy,
    Route,
    SlotStatus,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.container_options import (
    ContainerOptions,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.engine_model import (
    REVISION_LABEL,
    Container,
    Image,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    Application,
    Source,
    design_application,
)
from tests.unit.release.world import OutageError, World

APPLICATION = design_application("api", 3002, 3002, "172.31.10.0/24")

P = t.ParamSpec("P")
R = t.TypeVar("R")


def effect(
    name: str, error: type[GreenlightError]
) -> t.Callable[[t.Callable[P, R]], t.Callable[P, R]]:
    """Mark a method as an effect: it may be refused, lose its answer, or be the process's last."""

    def wrap(method: t.Callable[P, R]) -> t.Callable[P, R]:
        @functools.wraps(method)
        def call(*args: P.args, **named: P.kwargs) -> R:
            world: World = vars(args[0])["_world"]
            world.begin_effect(name, error)
            result = method(*args, **named)
            world.end_effect(name, error)
            return result

        return call

    return wrap


class FakeEngine(Engine):
    """Docker with its rules: one running container per address, names are unique."""

    def __init__(self, world: World) -> None:
        self._world = world

    def containers(self, app: str, limit: float | None = None) -> list[Container]:
        return sorted(self._world.containers.values(), key=lambda c: (c.release, c.created))

    def container(self, identifier: str, limit: float | None = None) -> Container | None:
        return self._world.containers.get(identifier)

    def network(self, name: str) -> dict[str, t.Any] | None:
        return {"Name": name} if self._world.network else None

    def attached(self, network: str) -> dict[str, tuple[str, str]]:
        found = {c.slot: c for c in self._world.containers.values() if c.running}
        ours = {APPLICATION.slots[slot].address: (c.id, c.name) for slot, c in found.items()}
        others = {address: (name, name) for address, name in self._world.strangers.items()}
        return ours | others

    def names_in_use(self) -> set[str]:
        return {c.name for c in self._world.containers.values()}

    @effect("create", EngineError)
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
        if options.secret_files:
            assert labels["release"] in self._world.memory, "bind source path does not exist"
            self._world.mounted.add(labels["release"])
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
            config_label=labels["config"],
            image=self._image_of(image).id,
        )
        return identifier

    def user_number(self, identifier: str) -> int:
        return int(self._world.user.partition(":")[0] or 0)

    def remaps_users(self) -> bool:
        return self._world.remaps_users

    @effect("start", EngineError)
    def start(self, identifier: str) -> None:
        world, container = self._world, self._world.containers[identifier]
        for other in world.containers.values():
            if other.id != identifier and other.slot == container.slot and other.running:
                raise EngineError(f"address of {container.slot} is in use by {other.name}")
        if container.release in world.mounted and container.release not in world.memory:
            raise EngineError(f"bind source of {container.name} does not exist")
        crashes = world.behaviour.get(container.sha) == "crash"
        state = "exited" if crashes else "running"
        world.containers[identifier] = dataclasses.replace(
            container, state=state, exit_code=int(crashes)
        )

    @effect("stop", EngineError)
    def stop(self, identifier: str, grace: int) -> None:
        world = self._world
        world.forbid_outage(identifier)
        container = world.containers[identifier]
        if container.running and container.id not in world.drained:
            raise OutageError(f"{container.name} was stopped before its drain")
        world.containers[identifier] = dataclasses.replace(container, state="exited")

    @effect("remove", EngineError)
    def remove(self, identifier: str) -> None:
        self._world.forbid_outage(identifier)
        self._world.containers.pop(identifier, None)

    @effect("restart policy", EngineError)
    def set_restart_policy(self, identifier: str, policy: str) -> None:
        container = self._world.containers[identifier]
        self._world.containers[identifier] = dataclasses.replace(container, restart_policy=policy)

    def log_lines(self, identifier: str, lines: int) -> list[str]:
        return [f"line {number} of {identifier}" for number in range(lines)]

    def image(self, reference: str) -> Image | None:
        for image in self._world.images.values():
            if reference in (image.id, *image.tags, *image.digests):
                return image
        return None

    def _image_of(self, reference: str) -> Image:
        found = self.image(reference)
        assert found is not None
        return found

    def _users(self, identifier: str) -> dict[str, str]:
        world = self._world
        ours = {c.id: c.name for c in world.containers.values() if c.image == identifier}
        others = {f"id-{name}": name for image, name in world.users.items() if image == identifier}
        return ours | others

    def images(self, app: str) -> list[Image]:
        found = self._world.images.values()
        return [dataclasses.replace(image, users=self._users(image.id)) for image in found]

    @effect("pull", EngineError)
    def pull(self, source: Source, digest: str, limit: float) -> None:
        key, images = digest.removeprefix("sha256:"), self._world.images
        label = {REVISION_LABEL: self._world.revisions.get(digest, key)}
        names = (f"{source.image}@{digest}",)
        tags = images[key].tags if key in images else ()
        images[key] = Image(f"image-{key}", tags, names, label, 1, self._world.user)

    @effect("tag", EngineError)
    def tag(self, image: str, repository: str, tag: str) -> None:
        name = f"{repository}:{tag}"
        for key, found in self._world.images.items():
            tags = tuple(other for other in found.tags if other != name)
            tags += (name,) if found.id == image else ()
            self._world.images[key] = dataclasses.replace(found, tags=tags)

    @effect("remove image", EngineError)
    def remove_image(self, reference: str) -> None:
        for key, image in list(self._world.images.items()):
            if reference not in (image.id, *image.tags, *image.digests):
                continue
            tags = tuple(tag for tag in image.tags if tag != reference)
            digests = tuple(digest for digest in image.digests if digest != reference)
            if reference == image.id or not (tags or digests):
                if users := self._users(image.id):
                    raise EngineError(f"conflict: {reference} is in use by {[*users.values()]}")
                del self._world.images[key]
            else:
                self._world.images[key] = dataclasses.replace(image, tags=tags, digests=digests)


class FakeProxy(Proxy):
    """HAProxy: the pointer in its file and at run time, and its own check of each slot."""

    def __init__(self, world: World) -> None:
        super().__init__(APPLICATION)
        self._world = world

    def read_route(self) -> Route:
        world = self._world
        return Route(world.file, world.runtime, True, world.canary, world.percent)

    def is_edited(self) -> bool:
        return False

    @effect("pointer file", FileError)
    def write_route_file(self, slot: str | None) -> None:
        self._world.file = slot

    @effect("pointer", ProxyError)
    def set_runtime_route(self, slot: str | None) -> None:
        world = self._world
        world.runtime = slot
        live = world.serving()
        world.drained -= {live.id} if live else set()
        if slot is not None and live is None:
            raise OutageError(f"the pointer leads to {slot}, where nothing runs")

    @effect("canary", ProxyError)
    def set_canary(self, slot: str, percent: int) -> None:
        world = self._world
        world.canary, world.percent = slot, percent
        world.drained -= {c.id for c in world.containers.values() if c.slot == slot}
        if not any(c.slot == slot and c.running for c in world.containers.values()):
            raise OutageError(f"a canary leads to {slot}, where nothing runs")

    @effect("end canary", ProxyError)
    def clear_canary(self) -> None:
        self._world.canary, self._world.percent = None, 0

    def status(self, slot: str) -> SlotStatus:
        world = self._world
        inside = [c for c in world.containers.values() if c.slot == slot and c.running]
        if slot not in (world.runtime, world.canary):
            world.drained |= {c.id for c in inside}
        failing = any(world.behaviour.get(c.sha) == "errors" for c in inside)
        hanging = any(world.behaviour.get(c.sha) == "hangs" for c in inside)
        world.served += 10
        errors = world.served if failing else 0
        answered = 0 if hanging else world.served
        return SlotStatus("UP" if inside else "DOWN", 0, world.served, errors, 0, answered)

    @effect("shut sessions", ProxyError)
    def shut_sessions(self, slot: str) -> None:
        return None


def answer_from(world: World) -> t.Callable[..., http.Answer]:
    """Return what takes the place of web.get: the answer of the container at that address."""

    def get(address: str, *_place: t.Any, **_options: t.Any) -> http.Answer:
        slots = {slot.address: slot.name for slot in APPLICATION.slots.values()}
        slot = slots.get(address, world.runtime)
        for container in world.containers.values():
            if container.slot == slot and container.running:
                behaviour = world.behaviour.get(container.sha, "")
                served = slot in (world.runtime, world.canary)
                bad = behaviour == "sick" or (behaviour == "sick later" and served)
                return http.Answer(503 if bad else 200, {}, "{}", 0.001)
        raise http.NoAnswer("ConnectionRefusedError")

    return get
