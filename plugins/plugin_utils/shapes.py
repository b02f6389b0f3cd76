# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of what an inventory says: lists and tables that arrived as text.

An INI inventory and `-e name=value` give text where YAML gives a list. Ansible accepts such a text
in a role's argument specification and hands it on as it is; joined, it would fall into letters.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROLES: Final = Path(__file__).resolve().parents[2] / "roles"

OF_THE_PLAYBOOK: Final[dict[str, dict[str, str]]] = {
    "admin_networks": {"type": "list", "elements": "str"},
    "balancer_addresses": {"type": "list", "elements": "str"},
    "private_networks": {"type": "list", "elements": "str"},
    "extra_firewall_rules": {"type": "list", "elements": "dict"},
}
"""What setup-api.yml itself asks of an inventory, beside the options of its roles."""

_PRINTABLE: Final = re.compile(r"[ -~]+")


@functools.cache
def options() -> dict[str, dict[str, Any]]:
    """Return every option of the roles of set-up by name, with its type.

    Role app is left out: its modules read text as well.
    """
    found: dict[str, dict[str, Any]] = dict(OF_THE_PLAYBOOK)
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        if path.parents[1].name != "app":
            spec = yaml.safe_load(path.read_text(encoding="utf-8"))
            for entry in spec["argument_specs"].values():
                found.update(entry.get("options", {}))
    return found


def wrong_shapes(values: Mapping[str, Any], host: str) -> list[str]:
    """Return what is wrong with an inventory's values for a host: a sentence for each variable."""
    found = [
        said
        for name, option in options().items()
        if name in values and (said := _wrong(name, values[name], option))
    ]
    if not _PRINTABLE.fullmatch(host):
        found.append(
            f"The inventory's name {host!r} goes into a header of HTTP, which takes letters without"
            " accents, digits and signs: choose another name, and set ansible_host."
        )
    return found


def haproxy_header(text: str) -> str:
    """Return a text as HAProxy's configuration takes it for the value of a header.

    A plain name stays as it is. Between single quotes nothing has a meaning but the quote itself;
    a percent sign begins a variable of the log format.
    """
    if re.fullmatch(r"[A-Za-z0-9_.:-]+", text):
        return text
    quoted = text.replace("%", "%%").replace("'", "'\\''")
    return f"'{quoted}'"


def _wrong(name: str, value: Any, option: Mapping[str, Any]) -> str:
    """Say what is wrong with one value, or nothing."""
    kind = option["type"]
    if kind == "dict" and not isinstance(value, Mapping):
        return f"{name} is {value!r}: it has to be a table of names and values{_HOW}"
    if kind != "list":
        return ""
    if isinstance(value, (str, Mapping)) or not hasattr(value, "__iter__"):
        return f"{name} is {value!r}: it has to be a list{_HOW}"
    if option.get("elements") == "dict":
        strange = [each for each in value if not isinstance(each, Mapping)]
        if strange:
            return f"{name} has {strange[0]!r}, which has to be a table of names and values{_HOW}"
    if option.get("elements") == "str":
        strange = [each for each in value if isinstance(each, (Mapping, list))]
        if strange:
            return f"{name} has {strange[0]!r}, which has to be one word{_HOW}"
    return ""


_HOW: Final = (
    ", as in YAML, in INI as ['one', 'two'] or {'name': 'value'}, and on the command line as"
    ' -e \'{"name": ["one", "two"]}\'.'
)
