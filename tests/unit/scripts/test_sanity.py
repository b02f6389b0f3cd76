# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test gets pip's settings and a pip without downloading one."""

from __future__ import annotations

import stat
from pathlib import Path

from scripts import sanity

LISTING = r""":env:.cert='/etc/ca.crt'
:env:.disable-pip-version-check='1'
global.cert='/etc/other.crt'
global.find-links='/one\n/two'
install.user='false'
"""

SETTINGS = """[global]
cert = /etc/ca.crt
disable-pip-version-check = 1
find-links = /one
    /two
[install]
user = false
"""


def test_settings_of_the_environment_win() -> None:
    assert sanity.pip_settings(LISTING) == SETTINGS


def test_no_settings() -> None:
    assert sanity.pip_settings("") == ""


def test_home_is_filled(tmp_path: Path) -> None:
    env = sanity.prepare(tmp_path)
    assert env["HOME"] == str(tmp_path)
    (script,) = tmp_path.glob(".ansible/test/cache/get_pip_*.py")
    assert "ensurepip" in script.read_text(encoding="utf-8")
    config = tmp_path / ".config" / "pip" / "pip.conf"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
