# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases held back: a message that says why, and who asked for it. Rollbacks are never held."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from .._core import files
from .._core.boundary import parse_json
from .._core.clock import Clock, utc_stamp
from .._core.errors import FrozenError
from .descriptor import read_application


@dataclass(frozen=True)
class Freeze:
    """A freeze: why, who, and since when (UTC)."""

    reason: str
    holder: str
    since: str

    def describe(self) -> str:
        """Say it in one line."""
        return f"{self.reason} ({self.holder}, since {self.since})"


class FreezeFile:
    """The freeze of one application on this host, a file beside the journal."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self._path = f"{folder}/freeze.json"
        self._clock = clock

    def read(self) -> Freeze | None:
        """Return the freeze, or None. A damaged file holds back as well: better safe."""
        text = files.read_damaged_text(self._path)
        if not text:
            return None
        try:
            raw = parse_json(text)
            return Freeze(str(raw["reason"]), str(raw["holder"]), str(raw["since"]))
        except (ValueError, KeyError, TypeError):
            return Freeze(f"the file {self._path} is damaged", "unknown", "unknown")

    def set(self, reason: str, holder: str) -> Freeze:
        """Hold releases back from now on."""
        freeze = Freeze(reason, holder, utc_stamp(self._clock.wall()))
        files.write_atomic(self._path, json.dumps(dataclasses.asdict(freeze)) + "\n", 0o600)
        return freeze

    def lift(self) -> None:
        """Let releases through again."""
        files.remove(self._path)

    def check(self) -> None:
        """Raise FrozenError when releases are held back."""
        freeze = self.read()
        if freeze is not None:
            raise FrozenError(
                f"Releases are frozen: {freeze.describe()}. Nothing was changed. Rollbacks are"
                " allowed. Lift it with 'ansible-playbook playbooks/freeze-api.yml -e"
                " state=absent', or release all the same with a reason, which is recorded: add"
                """ -e '{"app_ignore_freeze": "why it cannot wait"}' to the command"""
            )


def change_freeze(
    app: str, wanted: Freeze | None, check_mode: bool
) -> tuple[Freeze | None, Freeze | None]:
    """Set, replace or lift the freeze of an application; return it before and after.

    The same reason again changes nothing, whoever asks. Raises NotSetUpError and SpecError.
    """
    file = FreezeFile(read_application(app).folder, Clock())
    before = file.read()
    if (wanted and wanted.reason) == (before and before.reason):
        return before, before
    if wanted is None:
        if not check_mode:
            file.lift()
        return before, None
    return before, wanted if check_mode else file.set(wanted.reason, wanted.holder)
