# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action groups and the folder of modules are compared both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.lint import action_group


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"droplet": ["one", "two"], "some": ["two"]}, []),
        ({"droplet": ["one"]}, ["droplet: lacks module two"]),
        ({}, ["droplet: lacks module one", "droplet: lacks module two"]),
        ({"droplet": ["one", "two", "three"]}, ["droplet: three is no module"]),
        ({"droplet": ["one", "two"], "some": ["four"]}, ["some: four is no module"]),
        ({"droplet": ["one", "one", "two"]}, ["droplet: one is listed twice"]),
    ],
)
def test_problems(tmp_path: Path, groups: dict[str, list[str]], expected: list[str]) -> None:
    modules = tmp_path / "plugins" / "modules"
    modules.mkdir(parents=True)
    for name in ("one", "two"):
        (modules / f"{name}.py").touch()
    (tmp_path / "meta").mkdir()
    runtime = yaml.safe_dump({"action_groups": groups})
    (tmp_path / "meta" / "runtime.yml").write_text(runtime, encoding="utf-8")
    prefix = "meta/runtime.yml: action group "
    assert action_group.problems(tmp_path) == [prefix + text for text in expected]
