# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's own files, as opposed to caches and what tools leave behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Folders that are never part of the project, wherever they stand.
FOREIGN = frozenset(
    {
        ".ansible",
        ".cache",
        ".fleet",
        ".git",
        ".hypothesis",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".venv",
        "__pycache__",
        "venv",
    }
)


def files(root: Path) -> Iterator[Path]:
    """Every file of the project under `root`, sorted; links to folders are not followed."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - FOREIGN)
        for name in sorted(names):
            if not name.endswith((".pyc", ".tar.gz")):
                yield Path(folder, name)


def copy(root: Path, target: Path) -> None:
    """Copy the project's files from `root` into the new folder `target`."""
    for source in files(root):
        goal = target / source.relative_to(root)
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, goal, follow_symlinks=False)
