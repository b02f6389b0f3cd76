# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images stay on a host for later rollbacks, and which go.

Other applications and people use the same engine. So an image that anybody's container was made
from stays, a name that is not ours is left alone, and no release fails because of an image.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core.boundary import DEFECT, boundary
from .._core.errors import GreenlightError
from .._docker.client import Engine
from .._model.engine_model import Container, Image, local_repository
from .._model.spec import short_sha
from .host_state import Snapshot
from .target import Goal


@dataclass(frozen=True)
class Choice:
    """The names of the images that go (a SHA, or an identifier), and what is said of the others."""

    names: tuple[str, ...]
    notes: tuple[str, ...]


def choose(
    snapshot: Snapshot, goal: Goal, retain: int, keep: t.Sequence[Container], repository: str
) -> Choice:
    """Choose what goes: all but the newest `retain` releases, and what is in use. Pure.

    `keep` are the application's containers that stay; `repository` is that of its images.
    """
    old = _older(snapshot, goal.sha, retain, [c.sha for c in keep])
    names: list[str] = []
    notes: list[str] = []
    staying = {c.id for c in keep}
    going = {c.id for c in snapshot.containers} - staying
    for name, image in {**old, **snapshot.strays(repository)}.items():
        users = {key: user for key, user in image.users.items() if key not in going}
        if not users or foreign_names(snapshot, image):
            names.append(name)
        elif others := sorted(user for key, user in users.items() if key not in staying):
            notes.append(
                f"the image of {short_sha(image.revision or name)} is not among the {retain}"
                f" releases that are kept, and stays: {', '.join(others)} was made from it"
            )
    return Choice(tuple(names), tuple(notes))


def _older(snapshot: Snapshot, sha: str, retain: int, kept: t.Sequence[str]) -> dict[str, Image]:
    """Return the images of all but the newest `retain` releases and those in `kept`, by SHA."""
    # What is kept anyway counts first: the journal may lack the last turn of a run that was killed.
    newest = list(dict.fromkeys([sha, *kept, *(turn.sha for turn in reversed(snapshot.turns))]))
    keep = {*newest[:retain], *kept}
    return {name: image for name, image in sorted(snapshot.retained().items()) if name not in keep}


def foreign_names(snapshot: Snapshot, image: Image) -> list[str]:
    """Return the names that others have given to an image; another application's are among them."""
    prefix = f"{local_repository(snapshot.application.app)}:"
    return [tag for tag in image.tags if not tag.startswith(prefix)]


def nameless(snapshot: Snapshot, goal: Goal, keep: t.Sequence[Container]) -> list[Container]:
    """Return containers that stay and whose image has lost our name, one of a SHA. Pure.

    'docker system prune -a' takes the name and leaves the image.
    """
    named = set(snapshot.retained())
    # The name of a release that is to be made is that of its own image, not of an earlier build.
    named |= {goal.sha} if goal.target is None else set()
    here = {image.id for image in snapshot.images}
    found = {c.sha: c for c in reversed(keep) if c.sha not in named and c.image in here}
    return list(found.values())


def remove(engine: Engine, snapshot: Snapshot, names: t.Sequence[str], repository: str) -> str:
    """Remove images as far as Docker lets them go; return what came of it, for people."""
    images = {**snapshot.retained(), **snapshot.strays(repository)}
    gone: list[str] = []
    left: list[str] = []
    for name in names:
        short = short_sha(name.removeprefix("sha256:"))
        try:
            with boundary(DEFECT):
                _remove(engine, snapshot, images.get(name))
            gone.append(short)
        except GreenlightError as exc:
            left.append(f"{short} stays ({exc})")
    return "; ".join([f"removed {', '.join(gone) or 'nothing'}", *left])


def _remove(engine: Engine, snapshot: Snapshot, image: Image | None) -> None:
    if image is None:
        return
    foreign = foreign_names(snapshot, image)
    own = [tag for tag in image.tags if tag not in foreign]
    digests = () if foreign else image.digests
    # Our own name goes last: killed in between, the next run still finds the image by it.
    for reference in (*digests, *own):
        engine.remove_image(reference)
    if not image.tags:
        engine.remove_image(image.id)
