# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installation of the command: complete before it is used, kept while it is used."""

from __future__ import annotations

import base64
import fcntl
import grp
import io
import os
import pwd
import zipfile
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import file_set, trees
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FileError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state import (
    installation,
    installer,
    timers,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils import host_files


def archive(**sources: str) -> str:
    """A packed host side with these modules."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, text in sources.items():
            packed.writestr(f"greenlight/{name}.py", text)
    return base64.b64encode(stream.getvalue()).decode()


@pytest.fixture(name="reloads", autouse=True)
def fixture_reloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A host below a folder of the test; the list grows with each reload of systemd."""
    folder = tmp_path / "lib"
    for name in ("FOLDER", "CURRENT"):
        path = str(folder if name == "FOLDER" else folder / "current")
        monkeypatch.setattr(installation, name, path)
    unit = str(tmp_path / "units/greenlight-watchdog@.service")
    monkeypatch.setattr(installer, "UNIT", unit)
    monkeypatch.setattr(installer, "UNIT_FOLDERS", (str(tmp_path / "units"),))
    monkeypatch.setattr(installer, "OLD_PROGRAMS", (str(folder / "retire.py"),))
    me = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    wanted = (
        file_set.WantedFile(str(tmp_path / "sbin/greenlight"), "launcher\n", 0o755, *me),
        file_set.WantedFile(unit, "unit\n", 0o644, *me),
    )
    monkeypatch.setattr(installer, "_FILES", wanted)
    reloads: list[str] = []
    monkeypatch.setattr(timers, "demand", lambda *_command: reloads.append("reload"))
    return reloads


def install(**sources: str) -> installer.Installation:
    """Install it and return what was asked for."""
    wanted = installer.Installation(archive(**sources))
    wanted.apply()
    return wanted


def versions() -> list[str]:
    """The versions that are on the host, sorted."""
    return sorted(
        path.name for path in Path(installation.FOLDER).iterdir() if not path.is_symlink()
    )


def test_second_installation_changes_nothing(reloads: list[str]) -> None:
    first = install(one="A = 1\n")
    assert first.changed
    assert installation.installed_version() == first.version
    assert Path(f"{installation.CURRENT}/greenlight/one.py").read_text() == "A = 1\n"
    assert list(Path(installation.CURRENT).glob("greenlight/__pycache__/one.*.pyc"))
    assert not installer.Installation(archive(one="A = 1\n")).changed
    assert reloads == ["reload"]


def test_only_the_version_before_is_kept(reloads: list[str]) -> None:
    install(one="A = 1\n")
    second, third = install(one="A = 2\n"), install(one="A = 3\n")
    assert versions() == sorted([second.version, third.version])
    assert installation.installed_version() == third.version
    assert reloads == ["reload"]


def test_a_version_that_a_process_runs_with_stays() -> None:
    first = install(one="A = 1\n")
    descriptor = os.open(f"{installation.FOLDER}/{first.version}", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    install(one="A = 2\n")
    install(one="A = 3\n")
    assert first.version in versions()
    os.close(descriptor)
    install(one="A = 4\n")
    assert first.version not in versions()


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "launcher", "unit"])
def test_what_is_damaged_is_seen_and_mended(tmp_path: Path, damage: str) -> None:
    install(one="A = 1\n", two="")
    folder = Path(installation.CURRENT) / "greenlight"
    if damage == "changed":
        (folder / "one.py").write_text("A = 2\n")
    elif damage == "missing":
        (folder / "one.py").unlink()
    elif damage == "added":
        (folder / "three.py").write_text("")
    else:
        path = {"launcher": tmp_path / "sbin/greenlight", "unit": Path(installer.UNIT)}[damage]
        path.write_text("by hand\n")
    assert installer.Installation(archive(one="A = 1\n", two="")).changed
    install(one="A = 1\n", two="")
    assert not installer.Installation(archive(one="A = 1\n", two="")).changed
    assert sorted(path.name for path in folder.glob("*.py")) == ["one.py", "two.py"]


def test_the_link_moves_last(monkeypatch: pytest.MonkeyPatch) -> None:
    first = install(one="A = 1\n")

    def full(_folder: str) -> None:
        raise FileError("No space left on device.")

    monkeypatch.setattr(trees, "sync", full)
    with pytest.raises(FileError):
        install(one="A = 2\n")
    assert installation.installed_version() == first.version
    assert Path(f"{installation.CURRENT}/greenlight/one.py").read_text() == "A = 1\n"


def test_an_earlier_program_stays_while_a_unit_names_it(tmp_path: Path) -> None:
    install(one="A = 1\n")
    program = Path(installer.OLD_PROGRAMS[0])
    program.write_text("old\n")
    unit = tmp_path / "units/greenlight-api-warm.service"
    unit.write_text(f"[Service]\nExecStart=/usr/bin/python3 {program} api 1 2\n")
    assert not install(one="A = 1\n").changed
    assert program.exists()
    unit.unlink()
    assert install(one="A = 1\n").changed
    assert not program.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [("not base64!", "is not what lookup"), (base64.b64encode(b"no zip").decode(), "is not what")],
)
def test_what_is_no_archive_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        installer.Installation(text)


def test_a_path_that_leads_out_is_refused() -> None:
    with pytest.raises(SpecError, match="no part of the host side"):
        installer.Installation(archive(**{"../../evil": ""}))


def test_the_packed_collection_has_the_version_that_it_says() -> None:
    wanted = installer.Installation(host_files.archive())
    assert wanted.version == host_files.version()
    assert "greenlight/_cli/main.py" in installer.unpack(host_files.archive())
