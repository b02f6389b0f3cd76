# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Droplets: containers that boot systemd and are reached over SSH like a real host."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from dev import bases, images, keys, settings, state
from dev.docker_cli import docker, inspect, label_arguments, remove_container
from dev.shell import CommandError, run

BOOT_SECONDS = 90.0
LOOPBACK = "127.0.0.1"
# What lets systemd and a Docker engine run inside. `--privileged` would also ask for
# SYS_RESOURCE, which not every machine can give away.
HOST_FLAGS = (
    *("--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--security-opt", "systempaths=unconfined", "--cgroupns=host"),
    *("--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
    *("--tmpfs", "/run", "--tmpfs", "/run/lock"),
)


class DropletError(RuntimeError):
    """A droplet did not come up."""


@dataclass(frozen=True)
class Droplet:
    """A droplet to start: its name, SSH port on 127.0.0.1 (0: a free one), address (empty: any)."""

    name: str
    port: int = 0
    address: str = ""
    role: str = settings.EXTRA_ROLE

    @property
    def known_hosts(self) -> Path:
        """The known_hosts file with this droplet's pin; the fleet's own share one."""
        if self.role == "droplet":
            return settings.KNOWN_HOSTS
        return settings.STATE / "known_hosts.d" / self.name


@dataclass(frozen=True)
class Connection:
    """How to reach a droplet; written to .fleet/<name>.json."""

    name: str
    host: str
    port: int
    user: str
    key: str
    known_hosts: str
    address: str

    def ssh(self) -> list[str]:
        """The ssh command to the droplet, without the remote command."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.known_hosts,
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
        }
        flags = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        return ["ssh", *flags, "-i", self.key, "-p", str(self.port), f"{self.user}@{self.host}"]


def fleet_droplet(number: int) -> Droplet:
    """Droplet `number` (1-based) of the fleet, at its fixed port and address."""
    name = settings.droplet_name(number)
    port, address = settings.droplet_port(number), settings.droplet_address(number)
    return Droplet(name, port, address, role="droplet")


def free_port() -> int:
    """A port on 127.0.0.1 that no droplet has, also none that is off, and nobody listens on.

    It stays the droplet's own: one that Docker picks is another after each restart. Raises
    DropletError when all are taken.
    """
    documents = [json.loads(path.read_bytes()) for path in settings.STATE.glob("*.json")]
    taken = {document.get("port") for document in documents}
    for port in settings.FREE_PORTS:
        if port not in taken and _can_listen(port):
            return port
    ports = settings.FREE_PORTS
    raise DropletError(f"no port from {ports.start} to {ports.stop - 1} is free")


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _create(droplet: Droplet, image: str) -> None:
    """Create the container, not started, and put the keys in."""
    container = settings.container(droplet.name)
    volume = f"{container}-docker"
    labels = label_arguments(droplet.role, droplet.name)
    docker("volume", "create", *labels, volume)
    publish = f"{LOOPBACK}:{droplet.port or free_port()}:22"
    docker(
        *("container", "create", "--name", container, "--hostname", droplet.name),
        *labels,
        *HOST_FLAGS,
        *("--volume", f"{volume}:/var/lib/docker", "--publish", publish),
        *("--network", settings.NETWORK, *(["--ip", droplet.address] if droplet.address else [])),
        *("--add-host", f"{settings.REGISTRY_HOST}:{settings.REGISTRY_ADDRESS}"),
        image,
    )
    host_key = keys.ensure_host_key(droplet.name)
    for suffix in ("", ".pub"):
        docker("cp", f"{host_key}{suffix}", f"{container}:/etc/ssh/{host_key.name}{suffix}")
    authorized = settings.STATE / "authorized_keys"
    state.write_private(authorized, keys.login_public_key())
    docker("cp", str(authorized), f"{container}:/root/.ssh/authorized_keys")


def _owner_is_root(container: str) -> None:
    """Files copied in keep the owner they had here; sshd wants root's."""
    docker("exec", container, "chown", "-R", "root:root", "/root/.ssh", "/etc/ssh")


def published_port(container: str) -> int:
    """Port on 127.0.0.1 where the container's port 22 is published."""
    return int(docker("container", "port", container, "22/tcp").splitlines()[0].rpartition(":")[2])


def _connect(droplet: Droplet) -> Connection:
    """Pin the host key and write the connection file."""
    container = settings.container(droplet.name)
    port = published_port(container)
    droplet.known_hosts.parent.mkdir(mode=0o700, exist_ok=True)
    keys.pin(droplet.known_hosts, LOOPBACK, port, keys.ensure_host_key(droplet.name))
    network = f'(index .NetworkSettings.Networks "{settings.NETWORK}")'
    address = docker("container", "inspect", "--format", f"{{{{{network}.IPAddress}}}}", container)
    connection = Connection(
        droplet.name, LOOPBACK, port, "root", str(settings.KEY), str(droplet.known_hosts), address
    )
    path = settings.STATE / f"{droplet.name}.json"
    state.write_private(path, json.dumps(asdict(connection), indent=2) + "\n")
    return connection


def wait_booted(connection: Connection) -> None:
    """Wait until SSH answers and systemd reports `running`; raise with the units that failed."""
    end = time.monotonic() + BOOT_SECONDS
    answer = ""
    while time.monotonic() < end:
        try:
            command = "systemctl is-system-running || systemctl --failed --no-legend --plain"
            answer = run([*connection.ssh(), command], timeout=20).strip()
        except CommandError as exc:
            answer = exc.output.strip() or exc.reason
        if answer == "running":
            return
        if answer.startswith("degraded"):
            break
        time.sleep(0.3)
    raise DropletError(f"{connection.name} did not boot in {BOOT_SECONDS:.0f} s: {answer}")


def start(
    droplet: Droplet, distribution: bases.Distribution, image: str = ""
) -> tuple[Connection, str]:
    """Make sure that the droplet's container runs; return the connection and what was done.

    A new one is made from `image`, without one from that of a bare droplet.
    """
    container = settings.container(droplet.name)
    found = inspect("container", container)
    done = "already running"
    if found is None:
        _create(droplet, image or images.tag("droplet", distribution))
        done = "created"
    if found is None or not found["State"]["Running"]:
        docker("container", "start", container)
        _owner_is_root(container)
        done = done if found is None else "started again"
    return _connect(droplet), done


def reboot(name: str) -> Connection:
    """Restart a droplet; its files stay. Return the connection (the port may be another)."""
    found = inspect("container", settings.container(name))
    if found is None:
        raise DropletError(f"there is no droplet {name}")
    docker("container", "restart", "--time", "20", settings.container(name))
    role = found["Config"]["Labels"][settings.ROLE_LABEL]
    return _connect(Droplet(name, role=role))


def remove(name: str) -> bool:
    """Remove a droplet with its volume and connection file; False when there is none."""
    container = settings.container(name)
    there = inspect("container", container) is not None
    if there:
        remove_container(container)
    if inspect("volume", f"{container}-docker") is not None:
        docker("volume", "rm", f"{container}-docker")
    for path in (settings.STATE / f"{name}.json", settings.STATE / "known_hosts.d" / name):
        path.unlink(missing_ok=True)
    return there
