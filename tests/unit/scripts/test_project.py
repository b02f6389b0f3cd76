# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a file of the project and what is not."""

from __future__ import annotations

from pathlib import Path

from scripts import project


def write(root: Path, *names: str) -> None:
    """Make empty files under `root`."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_copy_takes_the_project_and_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "README.md", ".config/ansible-lint.yml", "roles/a/tasks/main.yml")
    write(root, ".git/HEAD", ".venv/bin/python", ".fleet/key", "a/__pycache__/b.pyc", "x.tar.gz")
    (root / ".ansible").mkdir()
    # The link that makes the collection importable leads back to the root: it must not be followed.
    (root / ".ansible" / "droplet").symlink_to(root)
    target = tmp_path / "deep" / "target"
    project.copy(root, target)
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == [".config/ansible-lint.yml", "README.md", "roles/a/tasks/main.yml"]
