# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role has the files that make it usable and installable."""

from __future__ import annotations

from pathlib import Path

REQUIRED = ("README.md", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml")


def problems(root: Path) -> list[str]:
    """The required files that a role lacks or that are empty."""
    roles = sorted(path for path in (root / "roles").glob("*") if path.is_dir())
    return [
        f"roles/{role.name}: no {name}"
        for role in roles
        for name in REQUIRED
        if not (role / name).is_file() or (role / name).stat().st_size == 0
    ]
