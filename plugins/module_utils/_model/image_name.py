# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the name of an image's repository means to Docker. Pure.

The names of Docker Hub have several spellings; Docker's lists show the shortest one alone.
"""

from __future__ import annotations

import typing as t

_HUB: t.Final = "docker.io"
_HUB_SPELLINGS: t.Final = (_HUB, "index.docker.io", "registry-1.docker.io")
_HUB_ADDRESS: t.Final = "registry-1.docker.io"


def split_image(image: str) -> tuple[str, str]:
    """Return (host with port that serves the repository, repository path), as Docker reads it."""
    domain, path = _split(image)
    return (_HUB_ADDRESS if domain == _HUB else domain), path


def familiar_name(image: str) -> str:
    """Return the name by which Docker lists the repository: the shortest that means the same."""
    domain, path = _split(image)
    return path.removeprefix("library/") if domain == _HUB else image


def _split(image: str) -> tuple[str, str]:
    first, _slash, rest = image.partition("/")
    named = rest and ("." in first or ":" in first or first == "localhost")
    domain, path = (first, rest) if named else (_HUB, image)
    if domain not in _HUB_SPELLINGS:
        return domain, path
    return _HUB, path if "/" in path else f"library/{path}"
