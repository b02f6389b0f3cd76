# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shall be live: from what is there and what is asked to one release. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.errors import SpecError
from .._model.container_options import ConfigHash
from .._model.engine_model import Container, name_beside
from .._model.spec import short_sha
from .._state.history import State
from .host_state import Snapshot


@dataclass(frozen=True)
class Goal:
    """The release that shall be live.

    `target` is its container when that exists already; `image` is what to start it from otherwise.
    `config` is the hash of its configuration, empty when that has no key.
    """

    sha: str
    digest: str
    config: str
    image: str
    target: Container | None = None
    note: str = ""


def _same(container: Container, sha: str, digest: str, config: ConfigHash) -> bool:
    is_image = (container.sha, container.digest) == (sha, digest)
    return is_image and config.fits(container.config_label)


def release_goal(
    snapshot: Snapshot, sha: str, digest: str, config: ConfigHash, image: str, run: str
) -> Goal:
    """Aim at a release: what this run has made already, else the live container if it is that.

    A run makes its container once. What it has made is what it goes on with, in whatever state and
    with whatever configuration, so that no phase can bring another one than was staged.
    """
    own = snapshot.history.run(run)
    if (own.begin.get("sha"), own.begin.get("digest")) == (sha, digest) and not own.is_over:
        made = {turn.release for turn in own.turns} or own.staged
        for container in snapshot.containers:
            if container.release in made:
                return Goal(sha, digest, container.config, image, target=container)
    mine = own.started
    for container in snapshot.containers:
        fits = _same(container, sha, digest, config) and container.running
        if fits and (container == snapshot.live or container.release in mine):
            return Goal(sha, digest, container.config, image, target=container)
    return Goal(sha, digest, config.keyed, image)


def _container_goal(container: Container, note: str) -> Goal:
    return Goal(
        container.sha, container.digest, container.config, container.digest, container, note
    )


def rollback_goal(snapshot: Snapshot, sha: str, release: str, config: str, run: str) -> Goal | None:
    """Aim at the previous or a named release from what the host has kept; None: ask the registry.

    Raises SpecError when there is nothing to go back to, or when a prefix is ambiguous.
    """
    named = next((c for c in snapshot.containers if release and c.release == release), None)
    if named is not None and _can_serve(snapshot, named):
        return _container_goal(named, "with the configuration it ran with")
    if release and not sha:
        raise SpecError(_unknown(snapshot, release))
    if not sha:
        return _previous_goal(snapshot, config)
    live, standby = snapshot.live, snapshot.standby
    mine = snapshot.history.run(run).started
    for container in (live, standby, *snapshot.containers):
        if container is None or not container.sha.startswith(sha):
            continue
        if container in (live, standby):
            also = _also(standby, sha) if container == live else ""
            return _container_goal(container, f"with the configuration it ran with{also}")
        if container.release in mine and container.running:
            return _container_goal(container, "with the present configuration")
    return _image_goal(snapshot, sha, config)


def _unknown(snapshot: Snapshot, release: str) -> str:
    here = ", ".join(c.release for c in snapshot.containers) or "none"
    return (
        f"No container of release {release!r} is on this host that could serve; there is {here}."
        " status-api.yml lists them. To go back to an older one name its SHA: sha=... Nothing"
        " was changed."
    )


def _also(standby: Container | None, sha: str) -> str:
    """Say that the standby is of the SHA as well, and how it is named."""
    if standby is None or not standby.sha.startswith(sha):
        return ""
    return (
        f"; the standby is {short_sha(standby.sha)} as well, with configuration {standby.config}:"
        f" to go back to that name it: app_release={standby.release}"
    )


def way_to(container: Container, live: Container) -> str:
    """Return what names a container to a rollback: its SHA, or its release if the live one has it.

    Two releases have one SHA when only the environment or other options have changed.
    """
    same = container.sha == live.sha
    return f"app_release={container.release}" if same else f"sha={container.sha}"


def _can_serve(snapshot: Snapshot, container: Container) -> bool:
    """Tell whether the container is live or its slot is free for it: an address is taken once."""
    live = snapshot.live
    return live is None or container == live or container.slot != live.slot


def _previous_goal(snapshot: Snapshot, config: str) -> Goal:
    live, standby = snapshot.live, snapshot.standby
    if live and snapshot.action_of_live == "rollback":
        left = (
            f"; to return to {name_beside(standby, live)} name it: {way_to(standby, live)}"
            if standby
            else ""
        )
        here = name_beside(live, standby)
        return _container_goal(live, f"already rolled back to {here}{left}")
    last = next(reversed(snapshot.history.runs.values()), None)
    cut_off = last is not None and last.state is State.REVERTED and bool(last.end.get("by"))
    # A run that died right after its cutover has not written that it was live.
    served = last is not None and (last.turns or last.end.get("back_seconds") is not None)
    if live and last and cut_off and served and last.begin.get("action") == "release":
        # Whoever rolls back after a release that served and was cut off means it, and not one more.
        further = f"; to go back further name it: {way_to(standby, live)}" if standby else ""
        short = short_sha(str(last.begin.get("sha", "")))
        return _container_goal(live, f"{short} was taken back already{further}")
    previous = snapshot.previous
    if standby is not None and (previous is None or previous.release == standby.release):
        return _container_goal(standby, "with the configuration it ran with")
    if previous is None:
        raise SpecError(
            "There is no previous release on this host to roll back to. Name one with sha=...;"
            " status-api.yml lists what is retained. Nothing was changed."
        )
    found = _image_goal(snapshot, previous.sha, config)
    if found is None:
        raise SpecError(
            f"The previous release {previous.sha} has left neither its container nor its image on"
            f" this host. Name it, and it is pulled again: sha={previous.sha}. Nothing was changed."
        )
    return found


def _image_goal(snapshot: Snapshot, sha: str, config: str) -> Goal | None:
    found = {name: image for name, image in snapshot.retained().items() if name.startswith(sha)}
    if len(found) > 1:
        raise SpecError(
            f"The SHA {sha} is ambiguous among the retained releases: {', '.join(sorted(found))}."
            " Give more digits; nothing was changed."
        )
    for full, image in found.items():
        digest = next((d.partition("@")[2] for d in image.digests), image.id)
        return Goal(full, digest, config, image.id, note="with the present configuration")
    return None
