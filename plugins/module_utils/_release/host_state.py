# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there: one reading of Docker, the proxy and the journal, and what follows from it. Pure.

What runs is Docker's word, what is live is the map's, what happened is the journal's. This file
puts the three together and stores nothing. Only the images may be read later than the rest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from .._haproxy.runtime_api import Route
from .._model.engine_model import Container, Image, local_repository
from .._model.spec import Application, other_slot
from .._state.history import History, Turn


class Snapshot:
    """One reading of an application on this host.

    The images are read when they are first asked for: few phases need them, and Docker takes the
    longer to list them the more there are.
    """

    def __init__(
        self,
        application: Application,
        route: Route,
        containers: tuple[Container, ...],
        find_images: Callable[[], Sequence[Image]],
        history: History,
    ) -> None:
        self.application = application
        self.route = route
        self.containers = containers
        self.find_images = find_images
        self.history = history

    @functools.cached_property
    def images(self) -> Sequence[Image]:
        """The images kept for the application. Raises EngineError at the first look."""
        return self.find_images()

    def with_images_of_now(self) -> Snapshot:
        """Return the same reading, except that its images are read anew."""
        return self._with_images(self.find_images)

    def with_images_of(self, other: Snapshot) -> Snapshot:
        """Return this reading with the images of another one, between which none has changed."""
        return self._with_images(lambda: other.images)

    def _with_images(self, find: Callable[[], Sequence[Image]]) -> Snapshot:
        return Snapshot(self.application, self.route, self.containers, find, self.history)

    @property
    def turns(self) -> list[Turn]:
        """The releases that were live, oldest first."""
        return self.history.turns

    def _rank(self, container: Container) -> tuple[int, str]:
        """Order containers by their last turn; one that never was live ranks before all."""
        positions = [i for i, turn in enumerate(self.turns) if turn.release == container.release]
        return (positions[-1] if positions else -1, container.release)

    def was_live(self, container: Container) -> bool:
        """Tell whether the journal knows the container's release as one that was live."""
        return self._rank(container)[0] >= 0

    @property
    def pointed_at(self) -> Container | None:
        """The container behind the pointer: of those in its slot, one that runs goes first."""
        inside = [c for c in self.containers if c.slot == self.route.slot]
        return max(inside, key=lambda c: (c.running, self._rank(c)), default=None)

    @property
    def live(self) -> Container | None:
        """The container that serves, or that would if the pointer had not been led astray.

        Where nothing runs behind the pointer (a map edited by hand, a pointer lost with a damaged
        file) it is the running container of the release that was live last.
        """
        found = self.pointed_at
        if found is not None and found.running:
            return found
        running = [c for c in self.containers if c.running]
        last = self.turns[-1].release if self.turns else ""
        # Without a journal the restart policy is the witness: only a cutover gives it.
        intended = [c for c in running if c.release == last] or [
            c for c in running if c.restart_policy == "unless-stopped" and not self.turns
        ]
        return intended[0] if intended else found

    @property
    def standby(self) -> Container | None:
        """The container of the release that was live before the present one, in the other slot."""
        live = self.live
        others = [c for c in self.containers if live is None or c.slot != live.slot]
        if not self.turns:
            # Without a journal the oldest container of the idle slot is the best witness left.
            return min(others, key=lambda c: c.release, default=None) if live else None
        return max((c for c in others if self.was_live(c)), key=self._rank, default=None)

    @property
    def action_of_live(self) -> str:
        """What made the live release live: release or rollback; empty when nothing is live.

        A run that died between moving the pointer and writing so is known by its gate.
        """
        live, past = self.live, self.turns
        if live is None:
            return ""
        if past and past[-1].release == live.release:
            return past[-1].action
        return self.history.action_of(live.release)

    @property
    def previous(self) -> Turn | None:
        """The last turn of another release than the live one."""
        live = self.live
        return next(
            (t for t in reversed(self.turns) if not live or t.release != live.release), None
        )

    @property
    def idle_slot(self) -> str:
        """The slot that the next release takes."""
        live = self.live
        return other_slot(live.slot if live else self.route.slot)

    @property
    def leftovers(self) -> list[Container]:
        """Containers that are neither live nor standby: failed, crashed or superseded releases."""
        return [c for c in self.containers if c not in (self.live, self.standby)]

    def strays(self, repository: str) -> dict[str, Image]:
        """Images that a killed pull or prune of ours has left without our name, by identifier.

        An image without any name is ours when its revision is a SHA that some run here aimed at;
        one that still has its digest must come from the repository as well.
        """
        aims = {str(run.begin.get("sha", "")) for run in self.history.runs.values()}
        return {
            image.id: image
            for image in self.images
            if not image.tags
            and image.revision in aims
            and all(digest.startswith(f"{repository}@") for digest in image.digests)
        }

    def retained(self) -> dict[str, Image]:
        """The images kept for the application, by the SHA in their local name."""
        prefix = f"{local_repository(self.application.app)}:"
        return {
            tag[len(prefix) :]: image
            for image in self.images
            for tag in image.tags
            if tag.startswith(prefix)
        }
