# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's defaults and its argument specification say the same.

Ansible never applies the defaults of an argument specification; they are documentation, and
documentation that is not compared goes stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml


def problems(root: Path) -> list[str]:
    """What differs between `defaults/main.yml` and `meta/argument_specs.yml` in any role."""
    roles = sorted(path for path in (root / "roles").glob("*") if path.is_dir())
    return [f"roles/{role.name}: {text}" for role in roles for text in _role_problems(role)]


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _role_problems(role: Path) -> Iterator[str]:
    defaults = _load(role / "defaults" / "main.yml")
    entries = _load(role / "meta" / "argument_specs.yml").get("argument_specs", {})
    known: set[str] = set()
    for entry, spec in entries.items():
        options = spec.get("options", {})
        known |= set(options)
        for name, option in options.items():
            for text in _option_problems(role.name, name, option, defaults):
                yield f"{entry}: {name}: {text}"
    for name in sorted(set(defaults) - known):
        yield f"{name} has a default and no argument specification"


def _option_problems(
    role: str, name: str, option: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[str]:
    if not name.startswith(f"{role}_"):
        yield f"does not start with {role}_"
    if "type" not in option:
        yield "has no type"
    elif option["type"] == "list" and "elements" not in option:
        yield "is a list without elements"
    if not option.get("description"):
        yield "has no description"
    yield from _default_problems(name, option, defaults)


def _default_problems(
    name: str, option: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[str]:
    if name not in defaults:
        if "default" in option:
            yield f"specification says default {option['default']!r}, the role has none"
        elif not option.get("required", False):
            yield "has no default and is not required"
        return
    if option.get("required", False):
        yield "is required and has a default"
    if "default" not in option:
        yield f"role has default {defaults[name]!r}, the specification none"
    elif not _same(option["default"], defaults[name]):
        yield f"default is {defaults[name]!r}, specification says {option['default']!r}"


def _same(left: object, right: object) -> bool:
    """Equal in value and in type: to Python, True is 1 and 1 is 1.0."""
    return type(left) is type(right) and left == right
