# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ansible-test sanity` needs to run without any host but a Python package index.

ansible-test bootstraps pip in its virtual environments with a script that it downloads. Python
brings a pip of its own, so a script that uses that one is put where ansible-test looks first. All
of it stands in a home of its own under .ansible/, and the user's ~/.ansible is left alone.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

BOOTSTRAP = '''"""Install the pip that Python brings along; stands in for the downloaded get-pip."""

import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True)
'''


def python_version() -> str:
    """Version of this Python as ansible-test writes it, e.g. `3.11`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def prepare(home: Path) -> dict[str, str]:
    """Fill `home` and give the environment in which to run ansible-test."""
    pip_version = get_venv_packages(SimpleNamespace(version=python_version()))["pip"]
    script = home / ".ansible/test/cache" / f"get_pip_{pip_version.replace('.', '_')}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(BOOTSTRAP, encoding="utf-8")
    config = home / ".config/pip/pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    # It may hold the password of a package index.
    config.touch(mode=0o600)
    config.write_text(pip_settings(_pip_config_list()), encoding="utf-8")
    return os.environ | {"HOME": str(home)}


def _pip_config_list() -> str:
    command = [sys.executable, "-m", "pip", "config", "list"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pip_settings(listing: str) -> str:
    """A pip.conf with the settings of `pip config list`.

    ansible-test keeps pip from seeing its settings from environment variables and from the user's
    home; a machine that reaches its package index only through them would otherwise not reach it.
    """
    settings: dict[str, dict[str, str]] = {}
    for line in listing.splitlines():
        name, value = line.split("=", maxsplit=1)
        section, key = name.split(".", maxsplit=1)
        # Variables of the environment come first in the list, and win.
        target = "global" if section == ":env:" else section
        settings.setdefault(target, {}).setdefault(key, str(ast.literal_eval(value)))
    return "".join(
        f"[{section}]\n" + "".join(f"{key} = {_indented(value)}\n" for key, value in keys.items())
        for section, keys in settings.items()
    )


def _indented(value: str) -> str:
    return value.replace("\n", "\n    ")
