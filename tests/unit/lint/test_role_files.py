# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role that lacks a file is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint import role_files


@pytest.fixture
def role(tmp_path: Path) -> Path:
    """A role that has everything."""
    for name in role_files.REQUIRED:
        path = tmp_path / "roles" / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("something\n", encoding="utf-8")
    return tmp_path / "roles" / "web"


def test_complete_role_passes(tmp_path: Path, role: Path) -> None:
    assert role.is_dir()
    assert role_files.problems(tmp_path) == []


@pytest.mark.parametrize("name", role_files.REQUIRED)
def test_missing_file_is_found(tmp_path: Path, role: Path, name: str) -> None:
    (role / name).unlink()
    assert role_files.problems(tmp_path) == [f"roles/web: no {name}"]


def test_empty_file_is_found(tmp_path: Path, role: Path) -> None:
    (role / "README.md").write_text("", encoding="utf-8")
    assert role_files.problems(tmp_path) == ["roles/web: no README.md"]
