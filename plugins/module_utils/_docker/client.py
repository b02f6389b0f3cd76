# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is asked of Docker. Works with the SDK 5.0.3 and 7.x, Engine 20.10 to 29 and newer.

Containers are found by their labels, never by name: a container that merely has our name is not
ours. Every call that changes something is one method.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import typing as t

from .._core.clock import Clock
from .._model.container_options import ContainerOptions, host_options
from .._model.engine_model import (
    LABEL,
    REVISION_LABEL,
    Container,
    Image,
    container_of,
    image_of,
    local_repository,
)
from .._model.secret_files import environment_of, mounts_of
from .._model.spec import Application, Source
from . import pulling, sdk
from .proxies import Proxies, daemon_proxies
from .sdk import SOCKET, connect, translated
from .users import USERS_FILE, only_file, user_number


class Engine:
    """The Docker engine of this host."""

    @functools.cached_property
    def _client(self) -> t.Any:
        """The SDK's client, connected when something is first asked."""
        return connect(SOCKET)

    def _call(
        self, what: str, function: t.Callable[..., t.Any], *args: t.Any, **named: t.Any
    ) -> t.Any:
        """Run one SDK call and translate its errors into an EngineError that says what failed."""
        with translated(what):
            return function(*args, **named)

    def architecture(self) -> str:
        """Return the host's architecture in Docker's words, such as amd64."""
        with translated("tell its version"):
            return str(self._client.version()["Arch"])

    def proxies(self) -> Proxies:
        """Return the proxies through which the engine reaches registries."""
        with translated("tell its settings"):
            return daemon_proxies(self._client.info())

    # -- containers ------------------------------------------------------------------------------

    def containers(self, app: str, limit: float | None = None) -> list[Container]:
        """Return the application's containers in any state, oldest release first."""
        with self._limited(limit or sdk.CALL_TIMEOUT), translated("list containers"):
            listed = self._client.containers(all=True, filters={"label": [f"{LABEL}app={app}"]})
            found = [self.container(entry["Id"], limit) for entry in listed]
        return sorted((c for c in found if c is not None), key=lambda c: (c.release, c.created))

    def container(self, identifier: str, limit: float | None = None) -> Container | None:
        """Return one container, or None when it is gone.

        With `limit` Docker's silence is waited for that many seconds. Raises EngineError.
        """
        try:
            with (
                self._limited(limit or sdk.CALL_TIMEOUT),
                translated(f"inspect {identifier[:12]}", may_be_gone=True),
            ):
                return container_of(self._client.inspect_container(identifier))
        except sdk.NotFound:
            return None

    @contextlib.contextmanager
    def _limited(self, seconds: float) -> t.Iterator[None]:
        """Wait that long for each answer inside, instead of CALL_TIMEOUT."""
        before, self._client.timeout = self._client.timeout, seconds
        try:
            yield
        finally:
            self._client.timeout = before

    def names_in_use(self) -> set[str]:
        """Return the names of all containers on the host, ours or not."""
        with translated("list containers"):
            listed = self._client.containers(all=True)
            return {name.lstrip("/") for entry in listed for name in entry.get("Names") or ()}

    def create(
        self,
        application: Application,
        name: str,
        image: str,
        labels: dict[str, str],
        options: ContainerOptions,
    ) -> str:
        """Create a container in the slot its labels name, with no port published; return its id."""
        slot = application.slots[labels["slot"]]
        # What the SDK makes of the options it may refuse too.
        with translated(f"create the container {name}"):
            endpoint = sdk.EndpointConfig(
                self._client.api_version, ipv4_address=slot.address, aliases=[slot.backend]
            )
            created = self._client.create_container(
                image,
                name=name,
                command=list(options.command) or None,
                user=options.user or None,
                environment=environment_of(options),
                labels={f"{LABEL}{key}": value for key, value in labels.items()},
                host_config=self._client.create_host_config(
                    **host_options(application.network, options),
                    mounts=mounts_of(application.app, labels["release"], options),
                ),
                networking_config={"EndpointsConfig": {application.network: endpoint}},
                # A container has the environment that it was given, and no proxies of root's.
                use_config_proxy=False,
            )
            return str(created["Id"])

    def user_number(self, identifier: str) -> int:
        """Return the number of the user as whom a container runs. Raises CheckError."""

        def passwd() -> str:
            with translated(f"read {USERS_FILE} of {identifier[:12]}", may_be_gone=True):
                try:
                    parts, _status = self._client.get_archive(identifier, USERS_FILE)
                except sdk.NotFound:
                    return ""
                return only_file(b"".join(parts))

        with translated(f"inspect {identifier[:12]}"):
            config = self._client.inspect_container(identifier)["Config"]
        return user_number(str(config.get("User") or ""), passwd)

    def remaps_users(self) -> bool:
        """Tell whether users of containers have other numbers on the host (userns-remap)."""
        with translated("tell its options"):
            return "name=userns" in (self._client.info().get("SecurityOptions") or ())

    def start(self, identifier: str) -> None:
        """Start a container that was created or stopped."""
        self._call(f"start {identifier[:12]}", self._client.start, identifier)

    def stop(self, identifier: str, grace: int) -> None:
        """Stop a container: SIGTERM, then SIGKILL after `grace` seconds."""
        self._call(f"stop {identifier[:12]}", self._client.stop, identifier, timeout=grace)

    def remove(self, identifier: str) -> None:
        """Remove a container, also a running one, with its anonymous volumes."""
        with (
            contextlib.suppress(sdk.NotFound),
            translated(f"remove {identifier[:12]}", may_be_gone=True),
        ):
            self._client.remove_container(identifier, v=True, force=True)

    def set_restart_policy(self, identifier: str, policy: str) -> None:
        """Set what Docker does when the container's process ends: 'no' or 'unless-stopped'."""
        self._call(
            f"set the restart policy of {identifier[:12]}",
            self._client.update_container,
            identifier,
            restart_policy={"Name": policy},
        )

    def log_lines(self, identifier: str, lines: int) -> list[str]:
        """Return the last `lines` lines that the container wrote, as it wrote them."""
        with translated("read its log"):
            raw = self._client.logs(identifier, tail=lines)
            return raw.decode("utf-8", "replace").rstrip("\n").split("\n")[-lines:] if raw else []

    # -- images ----------------------------------------------------------------------------------

    def image(self, reference: str) -> Image | None:
        """Return an image that is on the host, or None."""
        try:
            with translated(f"inspect the image {reference}", may_be_gone=True):
                return image_of(self._client.inspect_image(reference))
        except sdk.NotFound:
            return None

    def images(self, app: str) -> list[Image]:
        """Return the images kept for the application, and all that have lost their name.

        Without the user that each runs as, which Docker tells of one image at a time.
        """
        # Every image of ours says its revision. One list, because Docker adds up sizes for each.
        name = f"{local_repository(app)}:"
        with translated("list images"):
            listed = self._client.images(filters={"label": [REVISION_LABEL]})
            images = [image_of(entry) for entry in listed]
        found = [i for i in images if not i.tags or any(tag.startswith(name) for tag in i.tags)]
        users = self._users_by_image()
        return [dataclasses.replace(image, users=users.get(image.id, {})) for image in found]

    def _users_by_image(self) -> dict[str, dict[str, str]]:
        """Return the names of all containers on the host by identifier, by that of their image."""
        users: dict[str, dict[str, str]] = {}
        with translated("list containers"):
            for entry in self._client.containers(all=True):
                names = [name.lstrip("/") for name in entry.get("Names") or ()]
                identifier = str(entry["Id"])
                name = names[0] if names else identifier[:12]
                users.setdefault(str(entry.get("ImageID")), {})[identifier] = name
        return users

    def pull(self, source: Source, digest: str, limit: float) -> None:
        """Pull an image by its digest, in `limit` seconds and one silence of CALL_TIMEOUT at most.

        The credentials go with this call and are stored nowhere. Raises EngineError.
        """
        # None would make the SDK look for root's credentials; nothing is what was asked for.
        auth = {"username": source.username, "password": source.password} if source.username else {}

        def begin() -> t.Iterable[t.Any]:
            progress: t.Iterable[t.Any] = self._client.pull(
                source.image, tag=digest, stream=True, decode=True, auth_config=auth
            )
            return progress

        pulling.pull(begin, f"{source.image}@{digest}", limit, Clock())

    def tag(self, image: str, repository: str, tag: str) -> None:
        """Give an image a name on this host, so that a clean-up of dangling images spares it."""
        self._call(f"tag {image[:19]}", self._client.tag, image, repository, tag=tag, force=True)

    def remove_image(self, reference: str) -> None:
        """Remove one name of an image, and the image when it was the last; absent is fine."""
        with (
            contextlib.suppress(sdk.NotFound),
            translated(f"remove the image {reference}", may_be_gone=True),
        ):
            self._client.remove_image(reference)

    # -- network ---------------------------------------------------------------------------------

    def network(self, name: str) -> dict[str, t.Any] | None:
        """Return Docker's description of the network with exactly that name, or None."""
        with translated("list networks"):
            listed = self._client.networks(names=[name])
            return next((entry for entry in listed if entry["Name"] == name), None)

    def subnets(self) -> dict[str, str]:
        """Return the subnet of each bridge network on the host, by its name."""
        with translated("list networks"):
            return {
                entry["Name"]: pool["Subnet"]
                for entry in self._client.networks()
                for pool in ((entry.get("IPAM") or {}).get("Config") or [])[:1]
                if "Subnet" in pool
            }

    def create_network(self, application: Application, mtu: int) -> None:
        """Create the application's bridge network; `mtu` is in bytes, 0 leaves Docker's own."""
        # Nothing in one slot has to speak to the other one. A network that is there keeps what it
        # has: to change it would mean to remove it, with the containers on it.
        options = {
            "com.docker.network.bridge.name": application.bridge,
            "com.docker.network.bridge.enable_icc": "false",
        }
        if mtu:
            options["com.docker.network.driver.mtu"] = str(mtu)
        self._call(
            f"create the network {application.network}",
            self._client.create_network,
            application.network,
            driver="bridge",
            check_duplicate=True,
            options=options,
            labels={f"{LABEL}app": application.app},
            ipam=sdk.IPAMConfig(
                pool_configs=[
                    sdk.IPAMPool(
                        subnet=application.subnet,
                        # Else a container that asks for no address gets that of a stopped slot.
                        iprange=application.pool,
                        gateway=application.gateway,
                    )
                ]
            ),
        )

    def attached(self, network: str) -> dict[str, tuple[str, str]]:
        """Return identifier and name of the containers on a network, by address; running ones."""
        with translated(f"inspect the network {network}"):
            found = self._client.inspect_network(network)
            return {
                entry["IPv4Address"].partition("/")[0]: (identifier, entry["Name"])
                for identifier, entry in (found.get("Containers") or {}).items()
            }
