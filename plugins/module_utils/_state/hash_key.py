# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key of one application on this host, with which the hash of its configuration is made.

A hash without a key tells a short secret to whoever tries all of them, and hashes are printed, for
instance into the log of a CI job. The key stays on the host, in a file for root alone.
"""

from __future__ import annotations

import functools
import os
import re
import typing as t

from .._core import files

NAME: t.Final = "hash.key"
"""The name of the file, beside the journal."""

_BYTES: t.Final = 32
"""As long as the hash that is made with it (RFC 2104, section 3)."""


class HashKey:
    """The key file. Set-up writes it; where it is missing a run does, but a mere look does not."""

    def __init__(self, folder: str) -> None:
        self.path = f"{folder}/{NAME}"

    @functools.cached_property
    def _kept(self) -> bytes:
        """The key as the file has it; empty when there is none, or none that can be used."""
        text = files.read_damaged_text(self.path).strip()
        return bytes.fromhex(text) if re.fullmatch(rf"[0-9a-f]{{{2 * _BYTES}}}", text) else b""

    @functools.cached_property
    def value(self) -> bytes:
        """The key of this host, or a new one that `keep` will write. Raises FileError."""
        return self._kept or os.urandom(_BYTES)

    @property
    def is_kept(self) -> bool:
        """Whether the file holds a key. Raises FileError."""
        return bool(self._kept)

    @property
    def is_damaged(self) -> bool:
        """Whether there is a file that holds no key. Raises FileError."""
        return not self._kept and files.size(self.path) > 0

    def keep(self) -> None:
        """Write the key unless the file has it. Whoever calls holds the lock. Raises FileError."""
        if not self._kept:
            files.write_atomic(self.path, f"{self.value.hex()}\n", 0o600)
            self._kept = self.value
