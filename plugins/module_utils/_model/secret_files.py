# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that a container gets as files in memory: where they are, and how it is told. Pure."""

from __future__ import annotations

import re
import typing as t

from .container_options import ContainerOptions

MOUNT: t.Final = "/run/secrets"
"""The folder of the container in which the files are, as with other engines of containers."""

SUFFIX: t.Final = "_FILE"
"""What is put behind the name of a secret to name the variable with the path of its file."""

HOST_FOLDER: t.Final = "/run/greenlight/secrets"
"""The folder of the host that holds one folder for each release, in memory."""

MOST_BYTES: t.Final = 1_048_576
"""Most bytes of one file; it counts as memory of the host."""

_RELEASE: t.Final = re.compile(r"[A-Za-z0-9-]+")


def environment_of(options: ContainerOptions) -> dict[str, str]:
    """Return the environment with which the container is made."""
    if not options.secret_files:
        return {**options.env, **options.secrets}
    return {**options.env, **{f"{n}{SUFFIX}": f"{MOUNT}/{n}" for n in options.secrets}}


def host_folder(app: str, release: str) -> str:
    """Return the folder of the host that the container of a release sees as MOUNT."""
    return f"{HOST_FOLDER}/{app}/{release}"


def mounts_of(app: str, release: str, options: ContainerOptions) -> list[dict[str, t.Any]]:
    """Return what Docker's API calls Mounts (Engine API 1.41): that folder, or none.

    Not one of Binds, because of those Docker makes a folder that is missing, empty.
    """
    if not options.secret_files:
        return []
    source = host_folder(app, release)
    return [{"Target": MOUNT, "Source": source, "Type": "bind", "ReadOnly": True}]


def is_release(text: str) -> bool:
    """Tell whether a text names a release; a label of a stranger's may lead elsewhere."""
    return _RELEASE.fullmatch(text) is not None
