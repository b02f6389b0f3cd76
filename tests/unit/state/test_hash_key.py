# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key with which configurations are hashed stays on its host, for root alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import FileError
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    design_application,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release import provision
from ansible_collections.greenlight.droplet.plugins.module_utils._state.hash_key import HashKey


def test_a_look_at_a_host_without_a_key_writes_none(tmp_path: Path) -> None:
    assert len(HashKey(str(tmp_path)).value) == 32
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_kept_once_and_is_that_of_each_later_run(tmp_path: Path) -> None:
    first = HashKey(str(tmp_path))
    said = first.value
    first.keep()
    path = tmp_path / "hash.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.stat().st_mtime_ns
    for _run in range(2):
        later = HashKey(str(tmp_path))
        later.keep()
        assert later.value == first.value == said
        assert not later.is_damaged
    assert path.stat().st_mtime_ns == written


def test_two_hosts_have_two_keys(tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        key = HashKey(str(tmp_path / name))
        key.keep()
        keys.add(key.value)
    assert len(keys) == 2


@pytest.mark.parametrize("text", ["", "short", "g" * 64, "ab" * 16, "\0" * 64])
def test_a_damaged_key_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hash.key"
    path.write_text(text)
    key = HashKey(str(tmp_path))
    assert key.is_damaged is bool(text)
    key.keep()
    again = HashKey(str(tmp_path))
    assert again.value == key.value
    assert not again.is_damaged


def test_a_key_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"Cannot write .*/gone/hash\.key"):
        HashKey(str(tmp_path / "gone")).keep()


def test_set_up_makes_the_key_and_never_shows_it(tmp_path: Path) -> None:
    application = design_application("shop", 3102, 3102, "172.31.20.0/24", str(tmp_path))
    changes = [c for c in provision.find_changes(application, None) if "hash.key" in c.name]
    assert [change.before for change in changes] == [""]
    provision.apply_changes(application, None, changes, 0)
    made = (tmp_path / "shop" / "hash.key").read_text().strip()
    assert HashKey(str(tmp_path / "shop")).value.hex() == made
    assert made not in repr(changes)
    assert not any("hash.key" in c.name for c in provision.find_changes(application, None))
