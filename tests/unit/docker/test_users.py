# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which number a container's user has: Docker says a number, a name, or nothing."""

from __future__ import annotations

import io
import tarfile

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import CheckError
from ansible_collections.greenlight.droplet.plugins.module_utils._docker.users import (
    only_file,
    user_number,
)

USERS = "root:x:0:0::/root:/bin/sh\n# odd line\napp:x:10001:10002::/srv:/bin/false\nbad:x:y:1\n"


@pytest.mark.parametrize(
    ("user", "number"),
    [
        ("", 0),
        ("0:5", 0),
        ("10001", 10001),
        ("10001:7", 10001),
        ("app", 10001),
        ("app:root", 10001),
    ],
)
def test_a_user_has_a_number(user: str, number: int) -> None:
    assert user_number(user, lambda: USERS) == number


@pytest.mark.parametrize("user", ["nobody", "bad", "ap"])
@pytest.mark.parametrize("known", [USERS, ""])
def test_a_name_that_the_image_does_not_know_is_an_error_with_a_way_out(
    user: str, known: str
) -> None:
    with pytest.raises(CheckError, match=rf"'{user}', which is not in .*Set app_user to a number"):
        user_number(user, lambda: known)


def packed(name: str, text: str) -> bytes:
    """An archive with one file in it, as Docker sends one."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


def test_the_file_of_an_archive_is_read() -> None:
    assert only_file(packed("passwd", USERS)) == USERS


@pytest.mark.parametrize("archive", [b"", b"x" * 600])
def test_what_is_no_archive_is_an_error(archive: bytes) -> None:
    with pytest.raises(ValueError, match="no archive"):
        only_file(archive)
