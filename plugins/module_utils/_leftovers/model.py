# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What set-up finds of others on a host that is not fresh."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Findings:
    """`refused` keeps set-up from going on, `notes` are for people to know.

    `foreign` says that a file of others stands where ours will; `corrections` is the text of a file
    that takes the harm out of what stays.
    """

    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    foreign: bool = False
    corrections: str = ""
