# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one shape of the tables that are printed for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import one_line

_CELL_CHARACTERS = 500
"""How much of a text a cell shows at most."""


def shortened(text: str, width: int) -> str:
    """Return a text, or its beginning when it has more than `width` characters."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines with aligned columns; what hosts and users said is one line each."""
    cells = [[one_line(cell, _CELL_CHARACTERS) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
