# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what follows from scripts/options.yml, where each option of a release stands once.

Usage: python -m scripts.options [--check]      rewrite the files, or say which are out of step

Prose stays out of the Python table: it is sent to a host with every call of a module.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

from scripts.option_source import SOURCE, Option, Source, read
from scripts.project import ROOT

NOTICE = f"Written by `make options` from {SOURCE}: change it there."
TABLE = "plugins/module_utils/_release/options.py"
DEFAULTS = "roles/app/defaults/main.yml"
SPECS = "roles/app/meta/argument_specs.yml"
README = "roles/app/README.md"
DOCUMENTATION = "plugins/modules/release.yml"
BEGIN, END = f"<!-- {NOTICE} -->", "<!-- end of what was written -->"
FIRST, LAST = f"    # {NOTICE}\n", "  # End of what was written.\n"
LICENCE = """# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""


class Dumper(yaml.SafeDumper):
    """YAML as yamllint wants it: lists stand deeper than their key, nothing is abbreviated."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists, too."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        """Write a value again where it stands again."""
        return True


def dump(value: object, *, inline: bool = False) -> str:
    """A value as YAML: lines of at most 100 characters, or all in one line."""
    # PyYAML breaks a line after the word that passes the width.
    width = sys.maxsize if inline else 84
    style = True if inline else None if isinstance(value, list) else False
    text = yaml.dump(value, Dumper=Dumper, sort_keys=False, width=width, default_flow_style=style)
    return str(text).removesuffix("...\n")


def module_spec(options: list[Option]) -> dict[str, Any]:
    """The options as Ansible's argument specification."""
    specs = {}
    for option in options:
        specs[option.name] = option.typed() | {"default": option.default}
        if option.no_log:
            specs[option.name]["no_log"] = True
        if option.suboptions:
            deeper = module_spec(option.suboptions)
            specs[option.name] |= {"options": deeper, "apply_defaults": True}
    return specs


def limits(options: list[Option], group: str = "") -> dict[str, tuple[Any, Any, bool]]:
    """By dotted name, the least and the most that an option may be, and whether 0 means none."""
    found: dict[str, tuple[Any, Any, bool]] = {}
    for option in options:
        if option.least is not None:
            found[f"{group}{option.name}"] = (option.least, option.most, option.zero)
        found |= limits(option.suboptions, f"{option.name}.")
    return found


def table(source: Source) -> str:
    """The modules' Python file, in the project's format."""
    options = list(source.options("module"))
    # What the controller alone knows is checked there, by the same table.
    limited = [option for section in source.sections for option in section.options]
    text = f'''{LICENCE}"""The options of module release: types, defaults, limits.

{NOTICE}
"""

from __future__ import annotations

import typing as t

OPTIONS: t.Final[dict[str, dict[str, t.Any]]] = {module_spec(options)!r}

LIMITS: t.Final[dict[str, tuple[t.Any, t.Any, bool]]] = {limits(limited)!r}
"""By option: the least, the most (sizes where they are text), and whether 0 is allowed besides."""
'''
    ruff = [str(Path(sys.executable).parent / "ruff"), "format", "--stdin-filename", TABLE, "-"]
    done = subprocess.run(ruff, input=text, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def documented(options: list[Option]) -> dict[str, Any]:
    """The options as ansible-doc wants them."""
    docs: dict[str, Any] = {}
    for option in options:
        docs[option.name] = {"description": option.description} | option.typed()
        docs[option.name]["default"] = option.default
        if option.suboptions:
            docs[option.name]["suboptions"] = documented(option.suboptions)
    return docs


def documentation(source: Source, text: str) -> str:
    """The module's documentation, its options anew and the rest as it is.

    Raises ValueError without marks.
    """
    options = indent(dump(documented(list(source.options("module")))), "    ")
    rest = indent(dump({"requirements": source.requirements}), "  ")
    return between(text, FIRST, LAST, f"{options}{rest}", DOCUMENTATION)


def between(text: str, first: str, last: str, body: str, path: str) -> str:
    """A text with another body between two marks. Raises ValueError when it lacks one of them."""
    before, begin, rest = text.partition(first)
    _old, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{path} lacks the lines {first!r} and {last!r} around what is written")
    return f"{before}{first}{body}{last}{after}"


def plain(text: str) -> str:
    """Prose in ansible-doc's markup as the role says it: variables and values in code marks."""

    def variable(match: re.Match[str]) -> str:
        name, dot, deeper = match[1].partition(".")
        return f"`{'app_name' if name == 'app' else f'app_{name}'}{dot}{deeper}`"

    return re.sub(r"[CV]\(([^)]*)\)", r"`\1`", re.sub(r"O\(([a-z_.]+)\)", variable, text))


def role_text(option: Option) -> list[str]:
    """What the role says of an option, in paragraphs."""
    text = option.role.get("description", option.description)
    return [plain(part) for part in ([text] if isinstance(text, str) else text)]


def role_default(option: Option) -> object:
    """The default of the role's variable."""
    return option.role.get("default", option.default)


def role_options(options: list[Option], *, deeper: bool = False) -> dict[str, Any]:
    """The options as an entry point's argument specification."""
    specs: dict[str, Any] = {}
    for option in options:
        text = role_text(option)
        spec = option.typed() | {"default": role_default(option)}
        spec["description"] = text[0] if len(text) == 1 else text
        if option.no_log:
            spec["no_log"] = True
        if option.suboptions:
            spec["options"] = role_options(option.suboptions, deeper=True)
        specs[option.name if deeper else option.variable] = spec
    return specs


def role_specs(source: Source) -> str:
    """The role's meta/argument_specs.yml."""
    options = list(source.options("role"))
    specs = {
        entry: {**texts, "options": role_options([o for o in options if entry in o.entries])}
        for entry, texts in source.entries.items()
    }
    return f"---\n# {NOTICE}\n{dump({'argument_specs': specs})}"


def role_defaults(source: Source) -> str:
    """The role's defaults/main.yml."""
    parts = [f"---\n# {NOTICE}\n"]
    for section in source.sections:
        values = {o.variable: role_default(o) for o in section.options if o.only != "module"}
        if values:
            parts.append(f"# {section.title}\n{dump(values)}")
    return "\n".join(parts)


def rows(options: list[Option], group: str = "") -> Iterator[str]:
    """The rows of the README's table."""
    for option in options:
        name = f"{group}.{option.name}" if group else option.variable
        text = " ".join(role_text(option))
        if option.choices:
            text += f" One of {', '.join(f'`{choice}`' for choice in option.choices)}."
        default = dump(role_default(option), inline=True).strip()
        cells = [cell.replace("|", "\\|") for cell in (f"`{name}`", f"`{default}`", text)]
        yield f"| {' | '.join(cells)} |"
        yield from rows(option.suboptions, name)


def readme(source: Source, text: str) -> str:
    """The role's README, its text as it is and its table anew. Raises ValueError without marks."""
    head = "| Variable | Default | What it is |\n|---|---|---|"
    lines = "\n".join(rows(list(source.options("role"))))
    return between(text, BEGIN, END, f"\n\n{head}\n{lines}\n\n", README)


def written(root: Path) -> dict[str, str]:
    """Each file that follows from the source, by its path, with the text it should have."""
    source = read(root)
    return {
        TABLE: table(source),
        DOCUMENTATION: documentation(source, (root / DOCUMENTATION).read_text(encoding="utf-8")),
        DEFAULTS: role_defaults(source),
        SPECS: role_specs(source),
        README: readme(source, (root / README).read_text(encoding="utf-8")),
    }


def problems(root: Path) -> list[str]:
    """The files that are not what the source makes of them."""
    return [
        f"{path} is out of step with {SOURCE}: run `make options`"
        for path, text in written(root).items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Rewrite the files, or check them; the exit code is 1 when a check found something."""
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    found = problems(root)
    if arguments:
        print("\n".join(found) or "options: all files are in step")
        return 1 if found else 0
    for path, text in written(root).items():
        (root / path).write_text(text, encoding="utf-8")
    print(f"options: {len(found)} files rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
