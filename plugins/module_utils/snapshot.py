# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there: one reading of Docker, the proxy and the journal, and what follows from it. Pure.

What runs is Docker's word, what is live is the map's, what happened is the journal's. This file
puts the three together and stores nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.greenlight.droplet.plugins.module_utils.engine_model import (
    Container,
    Image,
    local_repository,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.journal import Entry, Turn, turns
from ansible_collections.greenlight.droplet.plugins.module_utils.proxy import Route
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import Application, other_slot


@dataclass(frozen=True)
class Snapshot:
    """One reading of an application on this host."""

    application: Application
    route: Route
    containers: tuple[Container, ...]
    images: tuple[Image, ...]
    entries: tuple[Entry, ...]

    @property
    def turns(self) -> list[Turn]:
        """The releases that were live, oldest first."""
        return turns(self.entries)

    def _rank(self, container: Container) -> tuple[int, str]:
        """Order containers by their last turn; one that never was live ranks before all."""
        positions = [i for i, turn in enumerate(self.turns) if turn.release == container.release]
        return (positions[-1] if positions else -1, container.release)

    def was_live(self, container: Container) -> bool:
        """Tell whether the journal knows the container's release as one that was live."""
        return self._rank(container)[0] >= 0

    @property
    def live(self) -> Container | None:
        """The container behind the pointer: of those in the live slot, one that runs goes first."""
        inside = [c for c in self.containers if c.slot == self.route.slot]
        return max(inside, key=lambda c: (c.running, self._rank(c)), default=None)

    @property
    def standby(self) -> Container | None:
        """The container of the release that was live before the present one."""
        live = self.live
        others = [c for c in self.containers if c != live]
        if not self.turns:
            # Without a journal the oldest container of the idle slot is the best witness left.
            idle = [c for c in others if c.slot == self.idle_slot]
            return min(idle, key=lambda c: c.release, default=None) if live else None
        return max((c for c in others if self.was_live(c)), key=self._rank, default=None)

    @property
    def idle_slot(self) -> str:
        """The slot that the next release takes."""
        return other_slot(self.route.slot)

    @property
    def leftovers(self) -> list[Container]:
        """Containers that are neither live nor standby: failed, crashed or superseded releases."""
        return [c for c in self.containers if c not in (self.live, self.standby)]

    def retained(self) -> dict[str, Image]:
        """The images kept for the application, by the SHA in their local name."""
        prefix = f"{local_repository(self.application.app)}:"
        return {
            tag[len(prefix) :]: image
            for image in self.images
            for tag in image.tags
            if tag.startswith(prefix)
        }

    def started_by(self, run: str) -> set[str]:
        """The identifiers of the releases that this run created containers for."""
        return self._named("start", run)

    def staged_by(self, run: str) -> set[str]:
        """The identifiers of the releases whose containers passed the gate in this run."""
        return self._named("staged", run)

    def _named(self, event: str, run: str) -> set[str]:
        return {
            str(e.data.get("release", ""))
            for e in self.entries
            if e.event == event and run and e.run == run
        }
