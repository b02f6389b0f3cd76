# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration of HAProxy of somebody else's is told from ours and from the package's."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._leftovers import haproxy

PACKAGE = "global\n\tlog /dev/log local0\n\ndefaults\n\tmode http\n"
PACKAGES = (
    "Package: haproxy\nStatus: install ok installed\nConffiles:\n"
    " /etc/haproxy/haproxy.cfg 7009c5489b2eccf20ef725e5ff14800d\n"
    " /etc/logrotate.d/haproxy 11111111111111111111111111111111\n"
)
OURS = f"# Ansible managed, checksum {'a' * 64}\nglobal\n"
OURS_EARLIER = "# Ansible managed\n use_backend %[str(api),map(/var/lib/greenlight/api/live.map)]\n"
FOREIGN = f"{PACKAGE}\nfrontend shop\n  bind :80\nlisten stats\n  bind :9000\n"


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("", False),
        (PACKAGE, False),
        (OURS, False),
        (OURS.replace("global", "global # edited by hand"), False),
        (OURS_EARLIER, False),
        (FOREIGN, True),
        (f"{PACKAGE}# one comment\n", True),
    ],
)
def test_whose_a_configuration_is(text: str, foreign: bool) -> None:
    assert haproxy.is_foreign(text, PACKAGES) is foreign


def test_a_file_of_a_package_that_nobody_installed_is_somebodys() -> None:
    assert haproxy.is_foreign(PACKAGE, "")


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with a foreign configuration."""
    (tmp_path / "haproxy.cfg").write_text(FOREIGN, encoding="utf-8")
    (tmp_path / "status").write_text(PACKAGES, encoding="utf-8")
    monkeypatch.setattr(haproxy, "CONFIGURATION", str(tmp_path / "haproxy.cfg"))
    monkeypatch.setattr(haproxy, "PACKAGES", str(tmp_path / "status"))
    monkeypatch.setattr(haproxy, "DEFAULTS", str(tmp_path / "default"))
    return tmp_path


def test_it_is_refused_with_what_it_serves_unless_it_may_be_replaced(host: Path) -> None:
    (said,) = haproxy.find(take_over=False).refused
    assert "frontend shop, listen stats" in said
    assert "proxy_take_over: true" in said
    assert str(host) in said
    found = haproxy.find(take_over=True)
    assert (found.refused, found.foreign) == ((), True)


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ('CONFIG="/etc/haproxy/other.cfg"', True),
        ('EXTRAOPTS="-f /etc/haproxy/conf.d"', True),
        ("EXTRAOPTS='-de -m 16'", False),
        ("#CONFIG=/etc/other.cfg", False),
    ],
)
def test_settings_that_lead_past_ours_are_refused(host: Path, line: str, refused: bool) -> None:
    (host / "default").write_text(f"{line}\n", encoding="utf-8")
    assert bool(haproxy.find(take_over=True).refused) is refused
