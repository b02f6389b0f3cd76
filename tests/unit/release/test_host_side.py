# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which copy of the host side carries out a call of module release."""

from __future__ import annotations

import base64
import io
import os
import sys
import typing as t
import zipfile
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._release import host_side

OLD, NEW = "1111111111111111", "2222222222222222"
PROGRAM = """
def run_module(module, *, outdated=False):
    module.exit_json(by={name!r}, outdated=outdated)
"""
RESULT = {"changed": False, "run": "run-1"}


class Module:
    """What a call needs of AnsibleModule; `left` is the result, `failed` whether it is an error."""

    def __init__(self, folder: Path, **params: t.Any) -> None:
        given = {"state": "planned", "digest": "", "command_version": "", "archive": ""}
        self.params = {**given, "run": "run-1", "secrets": {"A": "e"}, **params}
        self.no_log_values = {"e"}
        self.tmpdir = str(folder)
        self.left: dict[str, t.Any] = {}

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        """Remember the result and leave."""
        self.left = result
        raise SystemExit(0)

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        """Remember the error and leave."""
        self.left = {"failed": True, **result}
        raise SystemExit(1)


def write(folder: Path, name: str) -> None:
    """Put a version on a host whose work is to say its name."""
    room = folder / "greenlight" / "_release"
    room.mkdir(parents=True)
    (room / "entrypoint.py").write_text(PROGRAM.format(name=name), encoding="utf-8")
    for package in (room.parent, room):
        (package / "__init__.py").touch()


@pytest.fixture
def yielded() -> list[int]:
    """By how much the process has lowered its priority, each time."""
    return []


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, yielded: list[int]) -> t.Iterator[Path]:
    """A folder with the old and the new version; the new one is installed."""
    for version in (OLD, NEW):
        write(tmp_path / version, version)
    monkeypatch.setattr(host_side, "FOLDER", str(tmp_path))
    monkeypatch.setattr(host_side, "DESCRIPTOR_FOLDER", str(tmp_path))
    monkeypatch.setattr(os, "nice", yielded.append)
    monkeypatch.setattr(host_side, "installed_version", lambda: NEW)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "greenlight"]:
        del sys.modules[name]


def call(folder: Path, **params: t.Any) -> dict[str, t.Any]:
    """Make one call; its result."""
    module: t.Any = Module(folder, **params)
    with pytest.raises(SystemExit):
        host_side.run_module(module)
    return dict(module.left)


@pytest.mark.parametrize("version", ["", NEW])
def test_the_installed_version_carries_a_call_out(
    root: Path, version: str, yielded: list[int]
) -> None:
    assert call(root, command_version=version) == {"by": NEW, "outdated": False}
    assert yielded == [host_side.NICENESS]


@pytest.mark.parametrize("state", ["planned", "settled"])
def test_no_run_begins_with_another_version(root: Path, state: str) -> None:
    found = call(root, command_version=OLD, state=state)
    assert found["outdated_command"]
    assert found | RESULT == found


def test_what_ends_here_returns_no_parameter_and_no_stars(root: Path) -> None:
    module: t.Any = Module(root, command_version=OLD)
    with pytest.raises(SystemExit):
        host_side.run_module(module)
    assert (module.params, module.no_log_values) == ({}, set())


@pytest.mark.parametrize("state", ["staged", "live", "proved", "committed", "settled"])
def test_a_run_goes_on_with_the_version_it_began_with(root: Path, state: str) -> None:
    assert call(root, command_version=OLD, state=state, digest="sha256:1")["by"] == OLD


def test_a_run_is_taken_back_with_the_version_it_began_with(root: Path) -> None:
    assert call(root, command_version=OLD, state="reverted")["by"] == OLD


@pytest.mark.parametrize("state", ["staged", "settled"])
def test_a_phase_whose_version_is_gone_fails(root: Path, state: str) -> None:
    found = call(root, command_version="3" * 16, state=state, digest="sha256:1")
    assert found["failed"]
    assert f"Version {'3' * 16} of the command greenlight, with which this run" in found["msg"]


def test_a_host_without_the_command_is_told_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_side, "installed_version", lambda: "")
    assert "This host is not set up for releases: the command" in call(root)["msg"]
    # Set-up by an earlier version had no command yet, so the release brings it.
    assert call(root, command_version=NEW)["outdated_command"]


def test_nothing_is_installed_on_a_bare_host(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_side, "installed_version", lambda: "")
    monkeypatch.setattr(host_side, "DESCRIPTOR_FOLDER", str(root / "none"))
    assert "This host is not set up" in call(root, command_version="3" * 16)["msg"]


def test_a_bare_host_that_once_got_the_command_is_told_to_be_set_up(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_side, "DESCRIPTOR_FOLDER", str(root / "none"))
    assert "This host is not set up" in call(root, command_version="3" * 16)["msg"]


@pytest.mark.parametrize(
    "damage", ["def run_mod", "", "\0", "raise ImportError", "raise EOFError", None]
)
def test_a_version_that_is_not_whole_is_not_used(root: Path, damage: str | None) -> None:
    path = root / NEW / "greenlight" / "_release" / "entrypoint.py"
    path.unlink() if damage is None else path.write_text(damage, encoding="utf-8")
    assert "not whole" in call(root)["msg"]
    assert call(root, state="live", digest="sha256:1")["msg"].endswith("has changed nothing.")


def packed(folder: Path) -> str:
    """Pack a version as the lookup does."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in folder.rglob("*.py"):
            archive.write(path, str(path.relative_to(folder)))
    return base64.b64encode(stream.getvalue()).decode()


def test_what_is_sent_along_comes_first(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("sent")
    write(folder / "x", "sent")
    found = call(folder, archive=packed(folder / "x"), command_version=OLD)
    assert found == {"by": "sent", "outdated": True}


@pytest.mark.parametrize("archive", ["no base64", base64.b64encode(b"no zip").decode()])
def test_an_archive_that_is_none_is_named(root: Path, archive: str) -> None:
    assert call(root, archive=archive)["msg"].startswith("archive is not what lookup")
