# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several files as one: nothing is written before everything has been checked."""

from __future__ import annotations

import grp
import os
import pwd
import typing as t
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import file_set
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FileError,
    SpecError,
)

OWNER = {
    "owner": pwd.getpwuid(os.getuid()).pw_name,
    "group": grp.getgrgid(os.getgid()).gr_name,
}


def wanted(path: Path, content: str = "a\n", **values: t.Any) -> file_set.WantedFile:
    """One entry as the module gets it."""
    raw = {"mode": "0644", "validate": "", **OWNER, **values}
    return file_set.parse_file({"path": str(path), "content": content, **raw})


def install(*files: file_set.WantedFile, absent: t.Sequence[str] = ()) -> list[str]:
    """Do what the module does; return the paths that changed."""
    differences = file_set.find_differences(files, absent)
    file_set.validate(differences, check_mode=False)
    file_set.apply(differences)
    return [difference.path for difference in differences]


def test_files_are_written_once_with_their_folder_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.conf"
    assert install(wanted(path, mode="0600")) == [str(path)]
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("a\n", 0o600)
    assert install(wanted(path, mode="0600")) == []


def test_a_mode_alone_is_a_difference(tmp_path: Path) -> None:
    path = tmp_path / "a.conf"
    install(wanted(path))
    (difference,) = file_set.find_differences([wanted(path, mode="0640")], [])
    assert (difference.before, difference.after) == ("a\n", "a\n")
    assert difference.before_permissions.startswith("0644 ")
    assert difference.after_permissions.startswith("0640 ")


def test_a_refused_file_keeps_all_the_others_back(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    refusing = "sh -c 'echo line 1 of $0 is bad; exit 1' %s"
    with pytest.raises(FileError, match=rf"sh' refuses it: line 1 of {bad} is bad"):
        install(wanted(good), wanted(bad, validate=refusing))
    assert list(tmp_path.iterdir()) == []


def test_what_must_not_be_there_goes(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_text("x")
    assert install(absent=[str(path)]) == [str(path)]
    assert not path.exists()
    assert install(absent=[str(path)]) == []


def test_a_checking_program_may_be_missing_in_check_mode_alone(tmp_path: Path) -> None:
    differences = file_set.find_differences(
        [wanted(tmp_path / "a", validate="/nowhere/program %s")], []
    )
    file_set.validate(differences, check_mode=True)
    with pytest.raises(FileError, match="/nowhere/program is not installed"):
        file_set.validate(differences, check_mode=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mode": "420x"}, "mode '420x' of /a/b is no octal mode"),
        ({"mode": "98"}, "no octal mode"),
        ({"validate": "sshd -t"}, "lacks %s"),
    ],
)
def test_bad_input_is_named(values: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        wanted(Path("/a/b"), **values)


@pytest.mark.parametrize("path", ["a/b", "/a/../b", "/a/"])
def test_a_path_is_absolute_and_has_no_detours(path: str) -> None:
    with pytest.raises(SpecError, match="is not an absolute path without detours"):
        file_set.check_path(path)


def test_a_path_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is given twice"):
        file_set.find_differences([wanted(tmp_path / "a")], [str(tmp_path / "a")])


def test_an_unknown_owner_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nobody-here:.* is not known"):
        install(wanted(tmp_path / "a", owner="nobody-here"))
