# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary: what an application is, what is asked of it, and what makes either unusable.

Pure: nothing here touches the host. Every class is a frozen value. What a run is asked has no
defaults here: they are the options' own, in _release/options.py.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re
import typing as t
from dataclasses import dataclass, field

from .._core.boundary import parse_json
from .._core.errors import SpecError
from .container_options import ContainerOptions
from .health_check import HealthCheck

SLOTS: t.Final = ("blue", "green")
"""The two slots. One is live, the other holds the standby or takes the next release."""

STATE_FOLDER: t.Final = "/var/lib/greenlight"
RUNTIME_SOCKET: t.Final = "/run/haproxy/admin.sock"

_APPLICATION: t.Final = re.compile(r"[a-z][a-z0-9-]{0,20}")
_SHA: t.Final = re.compile(r"[0-9a-f]{7,40}")
_FULL_SHA: t.Final = re.compile(r"[0-9a-f]{40}")


def check_application_name(name: str) -> str:
    """Return the name, or raise SpecError when it cannot name an application."""
    if not _APPLICATION.fullmatch(name):
        raise SpecError(
            f"The application name {name!r} cannot be used: it must start with a letter a-z and"
            " have at most 21 of the characters a-z, 0-9 and '-'."
        )
    return name


def check_sha(sha: str) -> str:
    """Return the git SHA in lower case, or raise SpecError unless it has 7 to 40 hex digits."""
    lowered = sha.strip().lower()
    if not _SHA.fullmatch(lowered):
        raise SpecError(
            f"{sha!r} is not a git SHA: it must be 7 to 40 hexadecimal digits (0-9, a-f), as"
            " 'git rev-parse HEAD' prints them."
        )
    return lowered


def is_full_sha(sha: str) -> bool:
    """Tell whether the SHA has all its 40 digits."""
    return _FULL_SHA.fullmatch(sha) is not None


def short_sha(sha: str) -> str:
    """Return the first seven digits, as people say a SHA."""
    return sha[:7]


def check_port(port: int, name: str) -> int:
    """Return the port, or raise SpecError when it is outside 1 to 65535."""
    if not 1 <= port <= 65535:
        raise SpecError(f"{name} is {port}; a TCP port is a number from 1 to 65535.")
    return port


@dataclass(frozen=True)
class Slot:
    """One of the two places of an application: a fixed address and the backend that leads there."""

    name: str
    address: str
    backend: str
    server: str = "slot"


@dataclass(frozen=True)
class Application:
    """What set-up decided about an application on this host. Stored as its descriptor."""

    app: str
    port: int
    container_port: int
    network: str
    subnet: str
    slots: dict[str, Slot]
    map: str
    socket: str

    @property
    def folder(self) -> str:
        """The folder of the application's state: map, journal, lock, lease."""
        return self.map.rsplit("/", 1)[0]

    @property
    def canary_map(self) -> str:
        """The map file of the canary: which share of the requests goes to which backend."""
        return f"{self.folder}/canary.map"

    @property
    def bridge(self) -> str:
        """The name of the bridge interface; Linux allows 15 characters."""
        return f"gl-{self.app}"[:15]

    @property
    def gateway(self) -> str:
        """The host's own address on the application's network."""
        return str(next(ipaddress.ip_network(self.subnet).hosts()))

    @property
    def pool(self) -> str:
        """The half of the subnet that Docker gives to other containers: no slot is in it."""
        _lower, upper = ipaddress.ip_network(self.subnet).subnets()
        return str(upper)

    def slot_of_backend(self, backend: str) -> str | None:
        """Return the slot that a backend name leads to, or None when it is none of ours."""
        return next((s.name for s in self.slots.values() if s.backend == backend), None)

    def to_json(self) -> str:
        """Render the descriptor file's text."""
        return json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True) + "\n"


def other_slot(slot: str | None) -> str:
    """Return the slot that a release takes when `slot` is live; blue when nothing is."""
    return SLOTS[0] if slot != SLOTS[0] else SLOTS[1]


def design_application(
    app: str,
    port: int,
    container_port: int,
    subnet: str,
    state_folder: str = STATE_FOLDER,
    socket: str = RUNTIME_SOCKET,
) -> Application:
    """Derive everything about an application from its few choices. Raises SpecError."""
    check_application_name(app)
    check_port(port, "port")
    check_port(container_port, "container_port")
    try:
        network = ipaddress.ip_network(subnet)
    except ValueError as exc:
        raise SpecError(
            f"subnet {subnet!r} is not a network such as 172.31.10.0/24: {exc}."
        ) from exc
    if network.version != 4 or network.prefixlen > 29 or not network.is_private:
        raise SpecError(
            f"subnet {subnet!r} cannot hold the two slots: give a private IPv4 network of /29 or"
            " larger."
        )
    hosts = network.hosts()
    next(hosts)
    slots = {name: Slot(name, str(next(hosts)), f"{app}-{name}") for name in SLOTS}
    folder = f"{state_folder}/{app}"
    return Application(
        app, port, container_port, f"greenlight-{app}", subnet, slots, f"{folder}/live.map", socket
    )


def parse_application(text: str, path: str) -> Application:
    """Read a descriptor's text. Raises SpecError naming the file when it is damaged."""
    try:
        raw = parse_json(text)
        slots = {name: Slot(name=name, **_slot_fields(raw["slots"][name])) for name in SLOTS}
        return Application(**{**{k: raw[k] for k in _DESCRIPTOR_KEYS}, "slots": slots})
    except (ValueError, KeyError, TypeError) as exc:
        raise SpecError(
            f"The descriptor {path} is damaged ({type(exc).__name__}: {exc})."
            " Run setup-api.yml again: it writes the file anew."
        ) from exc


_DESCRIPTOR_KEYS: t.Final = ("app", "port", "container_port", "network", "subnet", "map", "socket")


def _slot_fields(raw: dict[str, str]) -> dict[str, str]:
    return {key: raw[key] for key in ("address", "backend", "server")}


@dataclass(frozen=True)
class Watch:
    """How long, in seconds, and how strictly a release is watched after its cutover."""

    seconds: float
    interval: float
    failed_checks: int
    min_errors: int
    max_error_percent: float
    answer_seconds: float


@dataclass(frozen=True)
class Canary:
    """A share of the requests, in percent, that the new slot gets for some seconds before all."""

    percent: int
    seconds: float

    @property
    def wanted(self) -> bool:
        """True when there is a canary at all."""
        return self.percent > 0 and self.seconds > 0


@dataclass(frozen=True)
class Standby:
    """What becomes of the old container: stopped at once, or warm for that many seconds first."""

    mode: t.Literal["stopped", "warm"]
    warm_seconds: float

    @property
    def warm(self) -> bool:
        """True when the old container goes on running for a while."""
        return self.mode == "warm"


@dataclass(frozen=True)
class Caller:
    """Who asks, for the audit log: a person or a job, and the address of the CI run if any.

    `controller` names the process that leads the run, for the machine on which it is.
    """

    holder: str
    ci_run: str
    controller: str


@dataclass(frozen=True)
class Source:
    """Where an image comes from. The password never leaves this value but to the registry."""

    image: str
    tag: str
    username: str
    password: str = field(repr=False)
    plain_http: bool


@dataclass(frozen=True)
class Order:
    """All that a run of module release was asked to do. Times are in seconds."""

    action: t.Literal["release", "rollback"]
    sha: str
    digest: str
    release: str
    source: Source
    container: ContainerOptions
    health: HealthCheck
    watch: Watch
    canary: Canary
    standby: Standby
    pull_seconds: float
    drain_seconds: float
    retain: int
    run: str
    caller: Caller
    lock_wait: float
    lease_seconds: float
    first: bool
    break_lease: str
    ignore_freeze: str
