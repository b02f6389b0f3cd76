# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of roles that have to hold beside what others have set."""

from __future__ import annotations

import configparser
import typing as t
from pathlib import Path

import jinja2
import yaml

ROLES = Path(__file__).resolve().parents[3] / "roles"


def rendered(role: str, name: str, **values: t.Any) -> str:
    """A role's template with its defaults and these values."""
    path = ROLES / role / "templates" / name
    defaults = yaml.safe_load((ROLES / role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    environment = jinja2.Environment(
        trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=jinja2.select_autoescape([])
    )
    environment.filters["comment"] = lambda text: f"# {text}"
    environment.filters["bool"] = bool
    template = environment.from_string(path.read_text(encoding="utf-8"))
    return template.render(**{**defaults, "ansible_managed": "managed", **values})


def test_a_socket_listens_on_both_families_whatever_bindipv6only_says() -> None:
    text = rendered("ssh", "socket.conf.j2", __ssh_ports=[22, 2222])
    listens = [line.partition("=")[2] for line in text.splitlines() if line.startswith("Listen")]
    # The empty one forgets the ports of the package.
    assert listens == ["", "0.0.0.0:22", "[::]:22", "0.0.0.0:2222", "[::]:2222"]
    # Without it [::] would take the port of IPv4 too, and the second address would be in use.
    assert "BindIPv6Only=ipv6-only" in text.splitlines()


def test_jails_of_others_keep_their_backend_and_ours_name_their_own() -> None:
    parser = configparser.RawConfigParser(default_section="")
    parser.read_string(rendered("fail2ban", "jails.local.j2"))
    variables = yaml.safe_load((ROLES / "fail2ban" / "vars" / "main.yml").read_text("utf-8"))
    jails = [name for name in parser.sections() if name != "DEFAULT"]
    assert sorted(jails) == sorted(variables["__fail2ban_jails"])
    assert "backend" not in parser["DEFAULT"]
    assert {parser[name]["backend"] for name in jails} == {"systemd"}
