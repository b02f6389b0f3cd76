# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One edit and one command bring an option everywhere; what is out of step is named."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.greenlight.droplet.plugins.module_utils._model.container_options import (
    ContainerOptions,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.health_check import (
    HealthCheck,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    Canary,
    Order,
    Source,
    Standby,
    Watch,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.options import (
    LIMITS,
    OPTIONS,
)
from scripts import lint, options
from scripts.option_source import SOURCE, parse, read
from scripts.project import ROOT

WRITTEN = (
    options.TABLE,
    options.DEFAULTS,
    options.SPECS,
    options.README,
    options.DOCUMENTATION,
)
NEW = """
  - title: New.
    options:
      speed:
        description: How fast; V(0) is not at all, as O(health.path) and O(app) know | say.
        type: float
        default: 1.5
        least: 0.5
        most: 9
        zero: true
"""


@pytest.fixture(name="tree")
def fixture_tree(tmp_path: Path) -> Path:
    """The source and what follows from it, in a folder of their own."""
    for name in (SOURCE, *WRITTEN):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    """Replace the first `old` in a file, which must have it."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_project_is_in_step() -> None:
    assert options.problems(ROOT) == []


def test_lint_says_so(monkeypatch: pytest.MonkeyPatch, tree: Path) -> None:
    (check,) = (check for check in lint.checks(tree) if check.name == "options")
    assert check.run() == ""
    (tree / options.DEFAULTS).unlink()
    monkeypatch.setattr("scripts.project.ROOT", tree)
    assert check.run() == f"{options.DEFAULTS} is out of step with {SOURCE}: run `make options`"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (options.TABLE, '"default": "512m"', '"default": "513m"'),
        (options.TABLE, "(16, 4194304, False)", "(17, 4194304, False)"),
        (options.DEFAULTS, "app_memory: 512m", "app_memory: 513m"),
        (options.SPECS, "default: 512m", "default: 513m"),
        (options.README, "| `512m` |", "| `513m` |"),
        (options.DOCUMENTATION, "default: 512m", "default: 513m"),
        (options.DOCUMENTATION, "- reverted", "- returned"),
    ],
)
def test_a_file_that_was_changed_alone_is_named_and_written_again(
    tree: Path, capsys: pytest.CaptureFixture[str], name: str, old: str, new: str
) -> None:
    edit(tree / name, old, new)
    assert options.problems(tree) == [f"{name} is out of step with {SOURCE}: run `make options`"]
    assert options.main(["--check"], tree) == 1
    assert capsys.readouterr().out.startswith(f"{name} is out of step")
    assert new in (tree / name).read_text(encoding="utf-8")
    assert options.main([], tree) == 0
    assert capsys.readouterr().out == "options: 1 files rewritten\n"
    assert options.main(["--check"], tree) == 0
    assert (tree / name).read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8")


def test_a_new_option_reaches_every_file(tree: Path) -> None:
    path = tree / SOURCE
    path.write_text(path.read_text(encoding="utf-8") + NEW, encoding="utf-8")
    assert options.main([], tree) == 0
    text = {name: (tree / name).read_text(encoding="utf-8") for name in WRITTEN}
    assert '"speed": {"type": "float", "default": 1.5},' in text[options.TABLE]
    assert '"speed": (0.5, 9, True),' in text[options.TABLE]
    said = yaml.safe_load(text[options.DOCUMENTATION])["DOCUMENTATION"]["options"]["speed"][
        "description"
    ]
    assert said == "How fast; V(0) is not at all, as O(health.path) and O(app) know | say."
    assert yaml.safe_load(text[options.DEFAULTS])["app_speed"] == 1.5
    assert "# New.\napp_speed: 1.5\n" in text[options.DEFAULTS]
    spec = yaml.safe_load(text[options.SPECS])["argument_specs"]["main"]["options"]["app_speed"]
    role = "How fast; `0` is not at all, as `app_health.path` and `app_name` know | say."
    assert spec == {"type": "float", "default": 1.5, "description": role}
    row = role.replace("|", "\\|")
    assert f"| `app_speed` | `1.5` | {row} |" in text[options.README]


def test_what_one_side_alone_has_does_not_reach_the_other() -> None:
    source = read(ROOT)
    module = {option.name for option in source.options("module")}
    role = {option.name for option in source.options("role")}
    assert set(OPTIONS) == module
    assert {"state", "digest", "reserve"} <= module - role
    assert {"action", "sha", "cutover_batch"} <= role - module


def test_what_the_role_says_otherwise_stays_with_the_role() -> None:
    raw = {"description": "One.", "type": "int", "default": 1}
    (option,) = parse({"speed": {**raw, "role": {"default": 2, "description": "Two."}}})
    assert options.module_spec([option]) == {"speed": {"type": "int", "default": 1}}
    assert options.documented([option]) == {"speed": raw}
    spec = {"description": "Two.", "type": "int", "default": 2}
    assert options.role_options([option]) == {"app_speed": spec}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("        least: 16\n", "        leats: 16\n", "option pids_limit: .*leats"),
        ("        least: 16\n", "", "option pids_limit has one of `least` and `most`"),
        ("        type: bool\n", "", "option registry_plain_http: .*'type'"),
    ],
)
def test_a_mistake_in_the_source_names_its_option(
    tree: Path, old: str, new: str, message: str
) -> None:
    edit(tree / SOURCE, old, new)
    with pytest.raises(ValueError, match=message):
        options.problems(tree)


def test_a_readme_without_marks_is_left_alone(tree: Path) -> None:
    edit(tree / options.README, options.BEGIN, "")
    with pytest.raises(ValueError, match="lacks the lines"):
        options.main([], tree)


def test_another_argument_is_refused() -> None:
    with pytest.raises(SystemExit, match="Usage"):
        options.main(["--chekc"])


CLASSES = (Canary, ContainerOptions, HealthCheck, Order, Source, Standby, Watch)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_orders_values_have_no_defaults_of_their_own(kind: type[t.Any]) -> None:
    for each in dataclasses.fields(kind):
        assert each.default is each.default_factory is dataclasses.MISSING, each.name


def test_values_have_the_fields_that_the_options_have() -> None:
    for kind, group in ((HealthCheck, "health"), (Watch, "watch"), (Canary, "canary")):
        assert {each.name for each in dataclasses.fields(kind)} == set(OPTIONS[group]["options"])
    assert {each.name for each in dataclasses.fields(ContainerOptions)} <= set(OPTIONS)
    modes = t.get_args(t.get_type_hints(Standby)["mode"])
    assert list(modes) == OPTIONS["standby"]["choices"]


def test_every_number_but_for_those_of_the_role_has_limits() -> None:
    numbers = [name for name, spec in OPTIONS.items() if spec["type"] in ("int", "float")]
    for group in ("health", "watch", "canary"):
        inner = OPTIONS[group]["options"]
        numbers += [f"{group}.{n}" for n, spec in inner.items() if spec["type"] in ("int", "float")]
    assert set(numbers) <= set(LIMITS)
