# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host side as a package of its own: complete, without Ansible, and only what is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.plugin_utils import host_files

IMPORT_ALL = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(name="package", scope="module")
def fixture_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the host has it for a version."""
    folder = tmp_path_factory.mktemp("version")
    for name, content in host_files.sources().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def imported(package: Path, *names: str) -> set[str]:
    """What a fresh interpreter has loaded after importing these, with nothing else on its path."""
    command = [sys.executable, "-I", "-S", "-c", IMPORT_ALL, str(package), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_every_module_works_without_ansible(package: Path) -> None:
    names = [
        ".".join(Path(name).with_suffix("").parts).removesuffix(".__init__")
        for name in host_files.sources()
    ]
    assert "greenlight._cli.main" in names
    found = imported(package, *names)
    assert set(names) <= found
    assert not any(name.split(".")[0] in ("ansible", "ansible_collections") for name in found)


@pytest.mark.parametrize("module", ["_cli.main", "_firewall.refresh", "_access.restore"])
def test_what_runs_before_docker_is_there_does_not_look_for_it(package: Path, module: str) -> None:
    # -S leaves out site-packages, so the SDK could not be found; it must not even be asked for.
    found = imported(package, f"greenlight.{module}")
    assert "greenlight._docker.client" not in found
    assert "greenlight._release.context" not in found


def test_restoring_access_needs_little(package: Path) -> None:
    found = imported(package, "greenlight._cli.main", "greenlight._access.restore")
    ours = {name for name in found if name.startswith("greenlight.") and name.count(".") == 2}
    assert ours == {
        "greenlight._access.restore",
        "greenlight._cli.main",
        "greenlight._core.console",
        "greenlight._core.errors",
        "greenlight._core.text",
        "greenlight._state.installation",
    }
