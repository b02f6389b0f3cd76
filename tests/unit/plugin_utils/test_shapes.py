# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of inventories in other shapes: refused by name, or read alike everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager

from ansible_collections.greenlight.droplet.plugins.plugin_utils import shapes

ROLES = Path(__file__).resolve().parents[3] / "roles"

INI = """
[api]
api-1
[api:vars]
admin_networks=198.51.100.0/24
balancer_addresses=['10.20.0.10']
ssh_allow_groups=ssh-users
users_admins=[{'name': 'ops', 'keys': ['k']}]
docker_ulimits=core=0
proxy_security_headers={'X-A': 'b'}
ssh_daemon=no
"""


def test_an_inventory_in_ini_is_read_by_ansible_itself_and_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(INI, encoding="utf-8")
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(path)])
    manager = VariableManager(loader=loader, inventory=inventory)
    values = manager.get_vars(host=inventory.get_host("api-1"))
    found = shapes.wrong_shapes(values, "api-1")
    assert sorted(said.split()[0] for said in found) == [
        "admin_networks",
        "docker_ulimits",
        "ssh_allow_groups",
    ]
    assert any("is '198.51.100.0/24': it has to be a list" in said for said in found)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("admin_networks", ["198.51.100.0/24"], ""),
        ("admin_networks", ("198.51.100.0/24",), ""),
        ("admin_networks", 7, "has to be a list"),
        ("admin_networks", {"a": 1}, "has to be a list"),
        ("admin_networks", [["198.51.100.0/24"]], "has to be one word"),
        ("users_admins", "ops", "has to be a list"),
        ("users_admins", ["ops"], "has 'ops', which has to be a table"),
        ("docker_ulimits", "core=0", "has to be a table"),
        ("docker_ulimits", {}, ""),
        ("no_variable_of_ours", "x", ""),
    ],
)
def test_each_shape(name: str, value: Any, said: str) -> None:
    found = shapes.wrong_shapes({name: value}, "api-1")
    assert len(found) == bool(said)
    assert all(text.startswith(f"{name} ") and said in text for text in found)


@pytest.mark.parametrize("host", ["api-1", "api 1", "50%", "o'neil", '"x"', "a#b"])
def test_a_name_of_a_host_that_http_takes_is_not_refused(host: str) -> None:
    assert shapes.wrong_shapes({}, host) == []


@pytest.mark.parametrize("host", ["bücher", "a\nb", "a\tb"])
def test_a_name_of_a_host_that_no_header_takes_is_refused(host: str) -> None:
    assert "goes into a header of HTTP" in shapes.wrong_shapes({}, host)[0]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("api-1.example.com", "api-1.example.com"),
        ("50%", "'50%%'"),
        ("a#b", "'a#b'"),
        ("o'neil", "'o'\\''neil'"),
        ('say "x" $y \\z', "'say \"x\" $y \\z'"),
    ],
)
def test_a_name_is_one_word_for_haproxy(text: str, word: str) -> None:
    assert shapes.haproxy_header(text) == word


def uses() -> Iterator[tuple[str, str]]:
    """Each line of a role of set-up in which one of its options of type bool is read."""
    for role in sorted(ROLES.iterdir()):
        spec = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        options = spec["argument_specs"]["main"].get("options", {})
        names = [name for name, option in options.items() if option["type"] == "bool"]
        for path in role.glob("*/*"):
            if path.parent.name not in ("tasks", "vars", "templates", "handlers"):
                continue
            for line in path.read_text(encoding="utf-8").splitlines():
                if names and not re.match(r"\s*(tags:|#|- \w+$)", line):
                    for name in re.findall(rf"\b(?:{'|'.join(names)})\b[^,)}}]*", line):
                        yield f"{path}: {line.strip()}", name


def test_a_switch_that_is_text_is_read_as_what_it_says() -> None:
    """`ssh_daemon=no` in INI is a text, and a text counts as true."""
    found = [line for line, use in uses() if not re.match(r"\w+\s*\|\s*(bool|lower)\b", use)]
    assert [line for line in found if "/app/" not in line] == []
