# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of secrets of the releases of one application: in memory for the containers, and kept.

A container starts again after a reboot, when memory is empty and nobody is there who knows the
secrets. So a release's are also kept in one file for root alone, which goes with its container.
"""

from __future__ import annotations

import json
import os
import typing as t

from .._core import files, trees
from .._core.boundary import parse_json
from .._core.errors import FileError, SpecError
from .._model.secret_files import HOST_FOLDER, host_folder, is_release

Owner = tuple[int, int]
"""A user and a group of the host, by number."""


class SecretStore:
    """The store of one application on this host. Whoever calls holds the lock, or boots."""

    def __init__(self, app: str, folder: str) -> None:
        self._app = app
        self._kept = f"{folder}/secrets"

    def _file(self, release: str) -> str:
        return f"{self._kept}/{release}.json"

    @property
    def is_used(self) -> bool:
        """Whether any release was given files since the application is on this host."""
        return files.permissions(self._kept) is not None

    def open_folder(self, release: str) -> str:
        """Make the release's folder in memory, still empty and root's; return it.

        Raises SpecError when the folder would not be in memory, FileError when it cannot be made.
        """
        path = host_folder(self._app, release)
        files.make_folder(self._kept, 0o700)
        for part in (os.path.dirname(HOST_FOLDER), HOST_FOLDER, os.path.dirname(path), path):
            # No user of the host who has the number of the container's user gets in.
            files.make_folder(part, 0o700)
        kind = files.file_system(path)
        if kind not in ("tmpfs", "ramfs"):
            raise SpecError(
                f"secret_files needs a folder in memory, and {path} is on a file system of type"
                f" {kind}. Mount a tmpfs at /run, as systemd does."
            )
        return path

    def put(self, release: str, values: t.Mapping[str, str], owner: Owner) -> None:
        """Keep the release's secrets and lay them out for its container. Raises FileError."""
        files.make_folder(self._kept, 0o700)
        text = json.dumps({"owner": owner, "values": dict(values)})
        files.write_atomic(self._file(release), f"{text}\n", 0o600)
        self._lay_out(release, values, owner)

    def _lay_out(self, release: str, values: t.Mapping[str, str], owner: Owner) -> None:
        path = self.open_folder(release)
        for name, value in values.items():
            files.write_atomic(f"{path}/{name}", value, 0o400, owner)
        files.make_folder(path, 0o500, owner)

    def ensure(self, release: str) -> None:
        """Lay a release's secrets out again when memory has lost them. Raises FileError.

        A release that was given none as files has nothing here.
        """
        text = files.read_text(self._file(release)) if is_release(release) else None
        if text is None:
            return
        try:
            raw = parse_json(text)
            values = {str(name): str(value) for name, value in raw["values"].items()}
            owner = (int(raw["owner"][0]), int(raw["owner"][1]))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
            raise FileError(
                f"{self._file(release)} is damaged ({type(exc).__name__}), so the secrets of this"
                " release are lost. Release its SHA again."
            ) from exc
        path = host_folder(self._app, release)
        if files.permissions(path) is None or any(
            files.permissions(f"{path}/{name}") is None for name in values
        ):
            self._lay_out(release, values, owner)

    def ensure_all(self) -> int:
        """Lay out what is kept for all releases; return for how many. Raises FileError."""
        releases = files.list_stems(self._kept, ".json")
        for release in releases:
            self.ensure(release)
        return len(releases)

    def remove(self, release: str) -> None:
        """Forget a release's secrets, whose container is gone. Raises FileError."""
        if not is_release(release):
            return
        path = host_folder(self._app, release)
        if files.permissions(path) is not None:
            trees.remove(path)
        files.remove(self._file(release))

    def sweep(self, kept: t.Collection[str]) -> None:
        """Forget those of all releases but the ones in `kept`, and torn files. Raises FileError."""
        for name in files.list_stems(self._kept, ""):
            if name.startswith("."):
                files.remove(f"{self._kept}/{name}")
        folder = f"{HOST_FOLDER}/{self._app}"
        found = {*files.list_stems(self._kept, ".json"), *files.list_stems(folder, "")}
        for release in sorted(found - set(kept)):
            self.remove(release)
