# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A droplet in memory: Docker, HAProxy, journal, lock and HTTP with the real rules that matter.

Every effect passes `World.effect`, so that a test can let any of them be the last one, as SIGKILL
would. Stopping or removing what serves is an outage, and an outage fails the test at once.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import GreenlightError
from ansible_collections.greenlight.droplet.plugins.module_utils._model.engine_model import (
    Container,
    Image,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.freeze import Freeze
from ansible_collections.greenlight.droplet.plugins.module_utils._state.lock import Lease

WRITES = ("journal", "mend journal", "lease", "pointer file")
"""Effects for which the disk needs room."""


class KilledError(BaseException):
    """The process ends here, as by SIGKILL: no handler of the code under test may see it."""


class OutageError(AssertionError):
    """What serves was taken away."""


@dataclass
class World:
    """The state of the droplet, and what each image does when it runs."""

    containers: dict[str, Container] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    network: bool = True
    strangers: dict[str, str] = field(default_factory=dict)
    """Containers of others on the application's network: names by their addresses."""
    users: dict[str, str] = field(default_factory=dict)
    """Containers of others: names by the identifier of the image that each was made from."""
    revisions: dict[str, str] = field(default_factory=dict)
    """What images say they were built from, by digest; else it is what their digest says."""
    behaviour: dict[str, str] = field(default_factory=dict)
    user: str = "10001:10001"
    file: str | None = None
    runtime: str | None = None
    canary: str | None = None
    percent: int = 0
    ending: str = ""
    armed: bool = False
    freeze: Freeze | None = None
    hash_key: bytes = b""
    remaps_users: bool = False
    mounted: set[str] = field(default_factory=set)
    """Releases whose containers see a folder of secrets."""
    memory: dict[str, dict[str, str]] = field(default_factory=dict)
    """Files of secrets in memory, by release."""
    kept: dict[str, tuple[dict[str, str], tuple[int, int]]] = field(default_factory=dict)
    """The same on disk, with their owner."""
    restores_secrets: bool = False
    journal: list[str] = field(default_factory=list)
    lease: Lease | None = None
    locked: bool = False
    now: float = 1_000_000.0
    served: int = 0
    effects: list[str] = field(default_factory=list)
    kill_after: int | None = None
    faults: dict[int, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    drained: set[str] = field(default_factory=set)
    full: bool = False
    """The disk of the state files is full: what is there can be read and removed."""

    def begin_effect(self, name: str, error: type[GreenlightError]) -> None:
        """An effect is about to take place; let it fail when it is the chosen one.

        `broken` names effects that fail for as long as a SHA serves.
        """
        live = self.serving()
        broken = live is not None and self.broken.get(name) == live.sha
        broken = broken or (self.full and name in WRITES)
        if broken or self.faults.get(len(self.effects) + 1) == "before":
            self.effects.append(f"refused: {name}")
            raise error(f"{name} was refused")

    def end_effect(self, name: str, error: type[GreenlightError]) -> None:
        """An effect has just taken place.

        The process ends when it was the chosen one, or its answer is lost.
        """
        self.effects.append(name)
        if self.kill_after is not None and len(self.effects) >= self.kill_after:
            raise KilledError(name)
        if self.faults.get(len(self.effects)) == "after":
            raise error(f"the answer to {name} was lost")

    def serving(self) -> Container | None:
        """The running container behind the running proxy's pointer."""
        return next(
            (c for c in self.containers.values() if c.slot == self.runtime and c.running), None
        )

    def forbid_outage(self, identifier: str) -> None:
        """Raise OutageError when the container is the one that serves."""
        live, container = self.serving(), self.containers.get(identifier)
        if live is not None and live.id == identifier:
            raise OutageError(f"{live.name} serves and was taken away")
        if container is not None and container.running and container.slot == self.canary:
            raise OutageError(f"{container.name} gets a share of the requests and was taken away")

    def reboot(self) -> None:
        """The power was cut: what has a restart policy runs again, the proxy reads its file."""
        self.memory = {name: values for name, (values, _owner) in self.kept.items()}
        if not self.restores_secrets:
            self.memory.clear()
        for key, container in self.containers.items():
            fits = container.release not in self.mounted or container.release in self.memory
            starts = container.restart_policy == "unless-stopped" and fits
            state = "running" if starts else "exited"
            self.containers[key] = dataclasses.replace(container, state=state)
        self.runtime = self.file
        self.canary, self.percent, self.ending = None, 0, ""
        self.drained.clear()
        self.locked = False

    def end_warm(self) -> None:
        """The time of the warm standby is over: the host's program stops it unless it is live."""
        container = self.containers.get(self.ending)
        self.ending = ""
        if container is not None and container.running and container.slot != self.runtime:
            self.containers[container.id] = dataclasses.replace(container, state="exited")
