# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker tells us of containers and images, as values. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .container_options import shown_hash

REVISION_LABEL: t.Final = "org.opencontainers.image.revision"
"""The label with the git SHA (OCI Image Format Specification, annotations)."""

LABEL: t.Final = "greenlight."
"""Every label of ours starts with this."""
_LABELS: t.Final = ("app", "slot", "release", "sha", "digest", "config")


@dataclass(frozen=True)
class Mishaps:
    """What Docker remembers of a container's past: how often it was started again, a full memory.

    It forgets neither while the container runs.
    """

    restarts: int
    out_of_memory: bool


@dataclass(frozen=True)
class Container:
    """One container of an application, as its labels and Docker describe it."""

    id: str
    name: str
    slot: str
    release: str
    sha: str
    digest: str
    config_label: str = field(repr=False)
    state: str
    exit_code: int
    restarts: int
    pid: int
    started: str
    created: str
    restart_policy: str
    out_of_memory: bool = False
    image: str = ""

    @property
    def running(self) -> bool:
        """True while the container's process runs; a container that restarts does not."""
        return self.state == "running"

    @property
    def mishaps(self) -> Mishaps:
        """What has befallen it until now."""
        return Mishaps(self.restarts, self.out_of_memory)

    @property
    def config(self) -> str:
        """The hash of its configuration, empty when its label is from before hashes had a key."""
        return shown_hash(self.config_label)


def name_beside(container: Container, other: Container | None) -> str:
    """Return the short SHA, with the configuration where another container has the same SHA."""
    short = container.sha[:7]
    if other is None or other.release == container.release or other.sha != container.sha:
        return short
    return f"{short} (configuration {container.config})"


@dataclass(frozen=True)
class Image:
    """One image on the host: its identifier, names, digests, labels, user; size in bytes.

    `users` are the names of the containers that were made from it, by their identifiers.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    labels: dict[str, str]
    size: int
    user: str = ""
    users: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def revision(self) -> str:
        """The commit that the image says it was built from; empty when it does not say."""
        return self.labels.get(REVISION_LABEL, "").lower()


def local_repository(app: str) -> str:
    """Return the repository under which the application's images are kept on the host."""
    return f"greenlight/{app}"


def container_of(raw: dict[str, t.Any]) -> Container:
    """Read Docker's answer to an inspection of one container (Engine API 1.41)."""
    labels = (raw.get("Config") or {}).get("Labels") or {}
    values = {key: str(labels.get(f"{LABEL}{key}", "")) for key in _LABELS}
    values["config_label"] = values.pop("config")
    values.pop("app")
    state = raw["State"]
    return Container(
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        state=str(state.get("Status", "")),
        exit_code=int(state.get("ExitCode") or 0),
        restarts=int(raw.get("RestartCount") or 0),
        pid=int(state.get("Pid") or 0),
        started=str(state.get("StartedAt", "")),
        created=str(raw.get("Created", "")),
        restart_policy=str(
            ((raw.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name", "")
        ),
        out_of_memory=bool(state.get("OOMKilled")),
        image=str(raw.get("Image") or ""),
        **values,
    )


def image_of(raw: dict[str, t.Any]) -> Image:
    """Read Docker's answer to an inspection of one image, or an entry of its list of images.

    An entry has no user, and a placeholder in place of a name that was lost (Engine API 1.41), or
    its bare digest (containerd's image store).
    """
    config = raw.get("Config") or {}
    names = {
        key: tuple(
            name for name in raw.get(key) or () if not name.startswith(("<none>", "sha256:"))
        )
        for key in ("RepoTags", "RepoDigests")
    }
    return Image(
        id=raw["Id"],
        tags=names["RepoTags"],
        digests=names["RepoDigests"],
        labels=config.get("Labels") or raw.get("Labels") or {},
        user=str(config.get("User") or ""),
        size=int(raw.get("Size") or 0),
    )
