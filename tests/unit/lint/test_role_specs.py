# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of role defaults and argument specifications finds every kind of difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lint import role_specs

GOOD = {"type": "int", "default": 80, "description": "A port."}


def make_role(root: Path, defaults: dict[str, Any] | None, options: dict[str, Any]) -> None:
    """Write role `web` with these defaults and this specification."""
    files: dict[str, Any] = {
        "meta/argument_specs.yml": {"argument_specs": {"main": {"options": options}}}
    }
    if defaults is not None:
        files["defaults/main.yml"] = defaults
    for name, content in files.items():
        path = root / "roles" / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")


def test_equal_role_passes(tmp_path: Path) -> None:
    make_role(tmp_path, {"web_port": 80}, {"web_port": GOOD})
    assert role_specs.problems(tmp_path) == []


def test_required_option_without_default_passes(tmp_path: Path) -> None:
    option = {"type": "str", "required": True, "description": "A name."}
    make_role(tmp_path, None, {"web_name": option})
    assert role_specs.problems(tmp_path) == []


@pytest.mark.parametrize(
    ("defaults", "options", "expected"),
    [
        ({"web_port": 80, "web_old": 1}, {"web_port": GOOD}, "web_old has a default and no"),
        ({"web_port": 81}, {"web_port": GOOD}, "default is 81, specification says 80"),
        ({"web_port": "80"}, {"web_port": GOOD}, "default is '80', specification says 80"),
        ({"web_port": True}, {"web_port": GOOD | {"default": 1}}, "default is True"),
        ({}, {"web_port": GOOD}, "specification says default 80, the role has none"),
        (
            {"web_port": 80},
            {"web_port": {"type": "int", "description": "x"}},
            "has default 80, the",
        ),
        (
            {},
            {"web_port": {"type": "int", "description": "x"}},
            "has no default and is not required",
        ),
        (
            {"web_port": 80},
            {"web_port": GOOD | {"required": True}},
            "is required and has a default",
        ),
        ({"port": 80}, {"port": GOOD}, "does not start with web_"),
        ({"web_port": 80}, {"web_port": {"default": 80, "description": "x"}}, "has no type"),
        ({"web_port": 80}, {"web_port": {"default": 80, "type": "int"}}, "has no description"),
        (
            {"web_names": []},
            {"web_names": {"type": "list", "default": [], "description": "x"}},
            "is a list without elements",
        ),
    ],
)
def test_difference_is_found(
    tmp_path: Path, defaults: dict[str, Any], options: dict[str, Any], expected: str
) -> None:
    make_role(tmp_path, defaults, options)
    (problem,) = role_specs.problems(tmp_path)
    assert problem.startswith("roles/web: ")
    assert expected in problem
