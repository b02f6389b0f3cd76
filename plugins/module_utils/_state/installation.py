# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the command `greenlight` is installed on a host, and which version of it."""

from __future__ import annotations

import hashlib
import os
import typing as t

LAUNCHER: t.Final = "/usr/local/sbin/greenlight"
"""The command. Units and people call it by this path."""

FOLDER: t.Final = "/usr/local/lib/greenlight"
"""Holds a folder for each version, and the link to the one that is used."""

CURRENT: t.Final = f"{FOLDER}/current"

DESCRIPTOR_FOLDER: t.Final = "/etc/greenlight"
"""Holds what set-up says of each application, as `<app>.json`."""


def installed_version() -> str:
    """Return the version that the host's command has; empty when there is none."""
    try:
        return os.path.basename(os.readlink(CURRENT))
    except OSError:
        return ""


def version_of(sources: t.Mapping[str, bytes]) -> str:
    """Return the version of a set of files, by relative path: 16 digits of their hash. Pure."""
    digest = hashlib.sha256()
    for name, content in sorted(sources.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
