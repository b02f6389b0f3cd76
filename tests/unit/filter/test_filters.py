# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters as Ansible gets them: documented by their names, with errors that name them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.filter import filters

GIVEN = filters.FilterModule().filters()
FOLDER = Path(filters.__file__).parent


def test_every_filter_is_documented_and_nothing_else() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} == set(GIVEN)


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_the_documentation_has_the_arguments(name: str) -> None:
    found = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))["DOCUMENTATION"]
    assert found["name"] == name
    _input, *others = inspect.signature(GIVEN[name]).parameters.values()
    options = {key: value for key, value in found["options"].items() if key != "_input"}
    assert list(options) == [parameter.name for parameter in others]
    for parameter in others:
        given = parameter.default
        assert options[parameter.name].get("default", inspect.Parameter.empty) == given


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("slot_address", ["172.31.10.0/24", "red"], "greenlight.droplet.slot_address: 'red' is"),
        ("status_table", [{"api-1": {}}, ["api-1"]], "droplet.status_table: a host lacks '"),
        (
            "hosts_in_need",
            [{"api-1": {}}, ["api-1"]],
            "api-1: no plan is known; every host must be planned",
        ),
    ],
)
def test_an_error_names_the_filter_and_what_is_wrong(
    name: str, arguments: list[Any], said: str
) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        GIVEN[name](*arguments)
    assert said in str(caught.value)


def test_a_refusal_for_people_stands_as_it_is() -> None:
    plans = {
        host: {"__app_plan": {"sha": sha * 40, "digest": sha, "needed": True}}
        for host, sha in [("api-1", "a"), ("api-2", "b")]
    }
    with pytest.raises(AnsibleFilterError) as caught:
        GIVEN["hosts_in_need"](plans, list(plans))
    assert "do not mean the same release" in str(caught.value)
    assert "greenlight.droplet" not in str(caught.value)
