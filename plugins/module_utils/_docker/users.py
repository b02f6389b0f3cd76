# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which number the user of a container has. Pure."""

from __future__ import annotations

import io
import tarfile
import typing as t

from .._core.errors import CheckError

USERS_FILE: t.Final = "/etc/passwd"
"""Where an image names its users."""


def user_number(user: str, read_passwd: t.Callable[[], str]) -> int:
    """Return the number of a container's user, which Docker has as a number or a name.

    Raises CheckError when the image does not know the name.
    """
    name = user.partition(":")[0].strip()
    if not name or name.isdigit():
        return int(name or 0)
    for line in read_passwd().splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[0] == name and fields[2].isdigit():
            return int(fields[2])
    raise CheckError(
        f"secret_files needs the number of the container's user {name!r}, which is not in"
        f" {USERS_FILE} of the image. Set app_user to a number, such as '10001:10001'",
        "user of the image",
        user,
    )


def only_file(archive: bytes) -> str:
    """Return the text of the one file in an archive as Docker sends it; empty without one.

    Raises ValueError for what is no archive.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            for member in packed:
                content = packed.extractfile(member) if member.isfile() else None
                if content is not None:
                    return content.read().decode("utf-8", "replace")
    except tarfile.TarError as exc:
        raise ValueError(f"no archive: {exc}") from exc
    return ""
