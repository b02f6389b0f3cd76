# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host side of the collection as one text, for the command `greenlight`.

All packages of module_utils go along, as package `greenlight`: their imports are relative.
"""

from __future__ import annotations

import base64
import functools
import io
import zipfile
from pathlib import Path

from ansible_collections.greenlight.droplet.plugins.module_utils._state.installation import (
    version_of,
)

PACKAGES = Path(__file__).resolve().parents[1] / "module_utils"
_OLDEST = (1980, 1, 1, 0, 0, 0)


@functools.cache
def sources() -> dict[str, bytes]:
    """Return the files by the path they get on the host below a version's folder."""
    found = {f"greenlight/{path.relative_to(PACKAGES)}": path for path in PACKAGES.glob("_*/*.py")}
    return {"greenlight/__init__.py": b"", **{k: p.read_bytes() for k, p in sorted(found.items())}}


def version() -> str:
    """Return the hash of the content."""
    return version_of(sources())


@functools.cache
def archive() -> str:
    """Return the content as a ZIP file in base64; the same content gives the same text."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sources().items():
            # Neither the time nor the permissions of the controller's files count.
            packed.writestr(zipfile.ZipInfo(name, _OLDEST), content, zipfile.ZIP_DEFLATED)
    return base64.b64encode(stream.getvalue()).decode()
