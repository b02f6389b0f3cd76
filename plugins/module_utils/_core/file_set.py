# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of small files as one: compared first, checked by the programs that read them, then put.

One call for all files of a role spares the round trips that a task for each of them would take.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass

from . import files
from .errors import FileError, SpecError

VALIDATE_SECONDS: t.Final = 30
"""Seconds that a program may take to check a file."""


@dataclass(frozen=True)
class WantedFile:
    """A file as it is to be; `validate` is a command in which %s stands for the new text's path."""

    path: str
    content: str
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    validate: str = ""


@dataclass(frozen=True)
class Difference:
    """One file that is not as wanted: its text and its permissions, before and after.

    `wanted` is None for a file that has to go.
    """

    path: str
    before: str
    after: str
    before_permissions: str
    after_permissions: str
    wanted: WantedFile | None


def parse_file(raw: dict[str, t.Any]) -> WantedFile:
    """Read one entry of option `files`. Raises SpecError that names the path and the value."""
    path, mode = raw["path"], str(raw["mode"])
    check_path(path)
    if not mode.isdigit() or set(mode) - set("01234567") or len(mode) not in (3, 4):
        raise SpecError(f"mode {mode!r} of {path} is no octal mode. Quote it, as in mode: '0644'.")
    validate = raw["validate"] or ""
    if validate and "%s" not in validate:
        raise SpecError(f"validate of {path} lacks %s, which stands for the file: {validate!r}.")
    return WantedFile(path, raw["content"], int(mode, 8), raw["owner"], raw["group"], validate)


def check_path(path: str) -> None:
    """Raise SpecError unless the path is absolute and has no detours."""
    if not path.startswith("/") or os.path.normpath(path) != path:
        raise SpecError(f"path {path!r} is not an absolute path without detours.")


def find_differences(wanted: t.Sequence[WantedFile], absent: t.Sequence[str]) -> list[Difference]:
    """Compare the host with what is wanted. Raises FileError, and SpecError for a path twice."""
    paths = [*(file.path for file in wanted), *absent]
    if twice := sorted({path for path in paths if paths.count(path) > 1}):
        raise SpecError(f"path {twice[0]} is given twice.")
    found = [_compare(file) for file in wanted]
    gone = [
        Difference(path, files.read_damaged_text(path), "", _shown(path), "absent", None)
        for path in absent
        if files.permissions(path) is not None
    ]
    return [difference for difference in found if difference is not None] + gone


def _compare(file: WantedFile) -> Difference | None:
    before = files.read_damaged_text(file.path)
    present, after = _shown(file.path), f"{file.mode:04o} {file.owner}:{file.group}"
    if before == file.content and present == after:
        return None
    return Difference(file.path, before, file.content, present, after, file)


def _shown(path: str) -> str:
    """Mode, owner and group for people."""
    found = files.permissions(path)
    if found is None:
        return "absent"
    mode, user, group = found
    return f"{mode:04o} {files.user_name(user)}:{files.group_name(group)}"


def validate(differences: t.Sequence[Difference], check_mode: bool) -> None:
    """Have every new text checked before the first file is written. Raises FileError.

    In check mode a program that is not installed yet checks nothing.
    """
    for difference in differences:
        if difference.wanted is not None and difference.wanted.validate:
            _validate(difference.wanted, check_mode)


def _validate(file: WantedFile, check_mode: bool) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as stream:
        stream.write(file.content)
        stream.flush()
        command = [word.replace("%s", stream.name) for word in shlex.split(file.validate)]
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=VALIDATE_SECONDS,
            )
        except FileNotFoundError as exc:
            if check_mode:
                return
            raise FileError(f"Cannot check {file.path}: {command[0]} is not installed.") from exc
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise FileError(f"Cannot check {file.path} with '{file.validate}': {exc}.") from exc
        if done.returncode != 0:
            said = done.stdout.replace(stream.name, file.path).strip()
            raise FileError(
                f"{file.path} was not written, nor any other file, because '{command[0]}' refuses"
                f" it: {said}"
            )


def apply(differences: t.Sequence[Difference]) -> None:
    """Write and remove, in order. Raises FileError; what was written before stays."""
    for difference in differences:
        file = difference.wanted
        if file is None:
            files.remove(difference.path)
            continue
        folder = os.path.dirname(file.path)
        if files.permissions(folder) is None:
            files.make_folder(folder, 0o755)
        files.write_atomic(file.path, file.content, file.mode, _numbers(file))


def _numbers(file: WantedFile) -> tuple[int, int]:
    try:
        return pwd.getpwnam(file.owner).pw_uid, grp.getgrnam(file.group).gr_gid
    except KeyError as exc:
        raise FileError(
            f"{file.path} was not written: {file.owner}:{file.group} is not known on this host"
            f" ({exc})."
        ) from exc
