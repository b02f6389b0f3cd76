# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells a folder of this host apart from all others, here and on other hosts."""

from __future__ import annotations

import hashlib
import os

from . import files


def identity(path: str) -> str:
    """Return a name of a file or folder that no other one has, on this host or on another.

    It changes with a boot. Hosts made from one image differ in their boots, containers of one
    machine in their process numbers. Raises FileError.
    """
    with files.errors_of(f"look at {path}"):
        found, space = os.stat(path), os.readlink("/proc/self/ns/pid")
    parts = (files.boot_identifier(), space, str(found.st_dev), str(found.st_ino))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]
