# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forbidden words are found; the bad samples are put together here so that this file is clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint import words

MACHINE = "path of one machine"
REGISTRY = "host of a package registry or mirror"


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".md", "registry.greenlight.test:5000/api, registry.example.com, docker.io, ghcr.io"),
        (".py", "Path('/var/work/x'), root / 'work/', '/home/admin/.ssh'"),
        (".yml", "failed_when: __app_result.rc not in [0, 1]"),
        (".md", "never use ignore_errors: true"),
    ],
)
def test_allowed(suffix: str, text: str) -> None:
    assert list(words.check(suffix, text)) == []


@pytest.mark.parametrize(
    ("suffix", "text", "reason"),
    [
        (".md", "cd /" + "work/main", MACHINE),
        (".py", "Path('/tmp/" + "brief/x')", MACHINE),
        (".cfg", "path = /tmp/" + "tree/x", MACHINE),
        (".sh", "curl https://py" + "pi.org/simple", REGISTRY),
        (".txt", "--index-url https://mirror" + ".example.com/simple", REGISTRY),
        (".list", "deb http://deb." + "debian.org/debian bookworm main", REGISTRY),
        (".list", "deb http://archive." + "ubuntu.com/ubuntu noble main", REGISTRY),
        (".yml", "  ignore_" + "errors: true", "hides an error"),
        (".yaml", "  failed_" + "when: false", "hides an error"),
        (".yml", "- name: x # no" + "qa", "switches a check off"),
        (".yml", "skip_" + "list:", "switches a check off"),
    ],
)
def test_forbidden(suffix: str, text: str, reason: str) -> None:
    (problem,) = words.check(suffix, f"first\n{text}\n")
    assert problem.startswith(f"line 2: {reason}: ")


def test_problems_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("cd /" + "work/main\n", encoding="utf-8")
    assert words.problems(tmp_path) == [f"README.md: line 1: {MACHINE}: cd /" + "work/main"]
