# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders as a whole: read, put on disk, removed; and a link that is replaced in one step."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from .files import errors_of, sync_folder


def read_sources(folder: str) -> dict[str, bytes]:
    """Return the Python sources below a folder by relative path; none when it is not there."""
    root = Path(folder)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.glob("**/*.py")}


def sync(folder: str) -> None:
    """Put a folder and all that is below it on disk. Raises FileError."""
    with errors_of(f"put {folder} on disk"):
        for path, _folders, names in os.walk(folder):
            for name in names:
                descriptor = os.open(f"{path}/{name}", os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            sync_folder(path)
        sync_folder(os.path.dirname(folder))


def replace_link(target: str, path: str) -> None:
    """Make the path a link to the target, in one step. Raises FileError; the old link stays."""
    temporary = f"{path}.new"
    with errors_of(f"make {path} a link to {target}"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        os.symlink(target, temporary)
        os.replace(temporary, path)
        sync_folder(os.path.dirname(path))


def remove(folder: str) -> None:
    """Remove a folder with all that is below it. Raises FileError."""
    with errors_of(f"remove {folder}"):
        shutil.rmtree(folder)
