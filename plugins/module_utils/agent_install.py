# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the collection's host side into a folder of its own, whole or not at all.

Runs as a program on the host, read from the command line, before anything else of ours is there:
nothing but the standard library. The archive comes on standard input.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
import zipfile

KEPT = 3
"""How many versions stay: others' runs may be at work with the one before."""


LEFT_OVER = 3600.0
"""Seconds after which an installation that has not ended never will."""


def write_durably(path: str, content: bytes) -> None:
    """Write a file and see it on the disk."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def install(archive: bytes, root: str) -> None:
    """Unpack into `root`, which appears complete or not at all; older versions go."""
    parent = os.path.dirname(root)
    os.makedirs(parent, mode=0o755, exist_ok=True)
    temporary = tempfile.mkdtemp(prefix=".new-", dir=parent)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            for name in packed.namelist():
                write_durably(os.path.join(temporary, name), packed.read(name))
        try:
            os.rename(temporary, root)
        except OSError:
            # Somebody else was quicker; a folder of that name has the same content.
            if not os.path.isdir(root):
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    remove_old(parent)


def remove_old(parent: str) -> None:
    """Remove the versions that were used longest ago, and what a killed installation has left."""
    now = time.time()
    found = sorted((last_use(os.path.join(parent, name)), name) for name in os.listdir(parent))
    versions = [name for _used, name in found if not name.startswith(".")]
    for name in versions[:-KEPT]:
        # Under its own name a version is whole or not there, also when this is cut off.
        hidden = os.path.join(parent, f".old-{name}")
        with contextlib.suppress(OSError):
            os.rename(os.path.join(parent, name), hidden)
        shutil.rmtree(hidden, ignore_errors=True)
    for used, name in found:
        if name.startswith(".") and now - used > LEFT_OVER:
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)


def last_use(path: str) -> float:
    """Return when a version was used or written (seconds since the epoch); 0 when it has gone."""
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return 0.0


if __name__ == "__main__":
    install(sys.stdin.buffer.read(), sys.argv[1])
