# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is an image the one that was asked for? Pure."""

from __future__ import annotations

from .._core.errors import CheckError
from .._model.engine_model import REVISION_LABEL, Image


def check_revision(image: Image, sha: str) -> None:
    """Raise CheckError when the image's revision label contradicts the SHA."""
    found = image.labels.get(REVISION_LABEL, "")
    if found.lower() != sha:
        raise CheckError(
            f"the image says that it was built from {found or 'no revision at all'}, not from"
            f" {sha}. Build it with the label {REVISION_LABEL} set to the full SHA, and push it"
            " again",
            f"label {REVISION_LABEL}",
            found or "no such label",
        )
