# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets as files: in memory for their container alone, and again after a reboot."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._cli import secret_files
from ansible_collections.greenlight.droplet.plugins.module_utils._core import files
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FileError,
    SpecError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model import (
    secret_files as places,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state import secret_store
from ansible_collections.greenlight.droplet.plugins.module_utils._state.secret_store import (
    SecretStore,
)
from tests.unit.release.fakes import APPLICATION

R1, R2 = "20261127T080000Z-aaaaaaa", "20261127T090000Z-bbbbbbb"
VALUES = {"TOKEN": "marker-5711", "KEY": "-----BEGIN-----\nä\n"}
ME = (os.getuid(), os.getgid())


@pytest.fixture(name="memory")
def fixture_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands for the one in memory."""
    memory = tmp_path / "run" / "secrets"
    for module in (places, secret_store):
        monkeypatch.setattr(module, "HOST_FOLDER", str(memory))
    monkeypatch.setattr(files, "file_system", lambda _path: "tmpfs")
    return memory


@pytest.fixture(name="store")
def fixture_store(tmp_path: Path, memory: Path) -> SecretStore:
    """A store whose folders are the test's."""
    assert not memory.exists()
    (tmp_path / "state").mkdir()
    return SecretStore("api", str(tmp_path / "state"))


def mode(path: Path) -> int:
    """The permissions of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_files_are_for_their_owner_alone(store: SecretStore, memory: Path) -> None:
    store.open_folder(R1)
    store.put(R1, VALUES, ME)
    folder = memory / "api" / R1
    assert {path.name: path.read_text() for path in folder.iterdir()} == VALUES
    assert [mode(path) for path in folder.iterdir()] == [0o400, 0o400]
    assert mode(folder) == 0o500
    assert (folder / "TOKEN").stat().st_uid == ME[0]
    assert [mode(path) for path in (memory, memory.parent, memory / "api")] == [0o700] * 3


def test_what_is_kept_is_for_root_alone(store: SecretStore, tmp_path: Path) -> None:
    store.put(R1, VALUES, ME)
    kept = tmp_path / "state" / "secrets"
    assert mode(kept) == 0o700
    assert [mode(path) for path in kept.iterdir()] == [0o600]


def test_a_reboot_lays_them_out_again(store: SecretStore, memory: Path) -> None:
    for release in (R1, R2):
        store.put(release, VALUES, ME)
    shutil.rmtree(memory.parent)
    assert store.ensure_all() == 2
    for release in (R1, R2):
        assert (memory / "api" / release / "TOKEN").read_text() == "marker-5711"
        assert mode(memory / "api" / release) == 0o500
    before = (memory / "api" / R1 / "TOKEN").stat().st_ino
    store.ensure(R1)
    assert (memory / "api" / R1 / "TOKEN").stat().st_ino == before


def test_they_go_with_their_release(store: SecretStore, memory: Path, tmp_path: Path) -> None:
    for release in (R1, R2):
        store.put(release, VALUES, ME)
    torn = tmp_path / "state" / "secrets" / f".{R1}.json.abc"
    torn.write_text("marker-5711")
    store.sweep({R2})
    assert [path.name for path in (memory / "api").iterdir()] == [R2]
    assert [path.name for path in torn.parent.iterdir()] == [f"{R2}.json"]
    store.remove(R2)
    assert list((memory / "api").iterdir()) == []


def test_a_folder_that_was_made_for_nothing_goes_too(store: SecretStore, memory: Path) -> None:
    store.open_folder(R1)
    assert store.is_used
    store.sweep(set())
    assert list((memory / "api").iterdir()) == []


@pytest.mark.parametrize("release", ["", "..", "../..", "a/b", "."])
def test_a_label_of_a_stranger_leads_nowhere(
    store: SecretStore, memory: Path, release: str
) -> None:
    store.put(R1, VALUES, ME)
    store.remove(release)
    store.ensure(release)
    assert (memory / "api" / R1 / "TOKEN").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"owner": [1], "values": {}}', '{"values": 1}', "["])
def test_a_damaged_file_is_named(store: SecretStore, tmp_path: Path, text: str) -> None:
    store.put(R1, VALUES, ME)
    (tmp_path / "state" / "secrets" / f"{R1}.json").write_text(text)
    with pytest.raises(FileError, match=rf"{R1}\.json is damaged .*Release its SHA again"):
        store.ensure(R1)


def test_a_folder_on_a_disk_is_refused(store: SecretStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "file_system", lambda _path: "ext4")
    with pytest.raises(SpecError, match=r"on a file system of type ext4\. Mount a tmpfs at /run"):
        store.open_folder(R1)


def test_the_type_of_a_file_system_is_that_of_the_mount_on_top() -> None:
    assert files.file_system("/proc/self/status") == "proc"
    assert files.file_system("/sys") == "sysfs"


def test_one_damaged_application_keeps_no_other_from_its_secrets(
    store: SecretStore,
    memory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store.put(R1, VALUES, ME)
    shutil.rmtree(memory.parent)

    def read(app: str) -> object:
        if app == "bad":
            raise SpecError("bad.json is damaged")
        return APPLICATION

    monkeypatch.setattr(secret_files, "known_applications", lambda: ["bad", "api"])
    monkeypatch.setattr(secret_files, "read_application", read)
    monkeypatch.setattr(secret_files, "SecretStore", lambda _app, _folder: store)
    assert secret_files.restore() == 1
    said = capsys.readouterr()
    assert "bad: bad.json is damaged" in said.err
    assert "api: secrets of 1 releases" in said.out
    assert (memory / "api" / R1 / "TOKEN").exists()
