# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read scripts/options.yml, where each option of a release stands once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SOURCE = "scripts/options.yml"


@dataclass(frozen=True)
class Option:
    """An option as the source has it; what the fields mean stands at the top of that file."""

    name: str
    description: str | list[str]
    type: str
    default: Any
    elements: str = ""
    choices: list[str] = field(default_factory=list)
    no_log: bool = False
    least: float | str | None = None
    most: float | str | None = None
    zero: bool = False
    only: str = ""
    entries: list[str] = field(default_factory=lambda: ["main"])
    role: dict[str, Any] = field(default_factory=dict)
    suboptions: list[Option] = field(default_factory=list)

    @property
    def variable(self) -> str:
        """The role's variable; `app_app` would say nothing, so the name is `app_name`."""
        return "app_name" if self.name == "app" else f"app_{self.name}"

    def typed(self) -> dict[str, Any]:
        """What Ansible's specifications and documentation both say of the type."""
        more = {"elements": self.elements, "choices": self.choices}
        return {"type": self.type} | {key: value for key, value in more.items() if value}


@dataclass(frozen=True)
class Section:
    """Options that belong together, under the title that they have in the role's defaults."""

    title: str
    options: list[Option]


@dataclass(frozen=True)
class Source:
    """All that the source says: the options, the role's entry points, the modules' requirements."""

    sections: list[Section]
    entries: dict[str, dict[str, Any]]
    requirements: list[str]

    def options(self, side: str) -> Iterator[Option]:
        """The options of a side, `module` or `role`, in the order of the source."""
        for section in self.sections:
            yield from (option for option in section.options if option.only in ("", side))


def parse(raw: Mapping[str, Mapping[str, Any]]) -> list[Option]:
    """Options from the source's mapping. Raises ValueError that names the option with an error."""
    found = []
    for name, values in raw.items():
        deeper = parse(values.get("suboptions", {}))
        try:
            option = Option(name, **{**values, "suboptions": deeper})
        except TypeError as exc:
            raise ValueError(f"{SOURCE}: option {name}: {exc}") from exc
        if (option.least is None) is not (option.most is None):
            raise ValueError(f"{SOURCE}: option {name} has one of `least` and `most`, not both")
        found.append(option)
    return found


def read(root: Path) -> Source:
    """Read the source. Raises ValueError that names the option with an error."""
    raw = yaml.safe_load((root / SOURCE).read_text(encoding="utf-8"))
    sections = [Section(each["title"], parse(each["options"])) for each in raw["sections"]]
    return Source(sections, raw["entries"], raw["requirements"])
