# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the collection's host side into a folder of its own, whole or not at all.

Runs as a program on the host, read from the command line, before anything else of ours is there:
nothing but the standard library. The archive comes on standard input.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import zipfile

KEPT = 3
"""How many versions stay: others' runs may be at work with the one before."""


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
    versions = [os.path.join(parent, n) for n in os.listdir(parent) if not n.startswith(".")]
    for old in sorted(versions, key=os.path.getmtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    install(sys.stdin.buffer.read(), sys.argv[1])
