# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that a run of the benchmarks prints at its end. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench import figures
from tests.bench.model import Part

MEDIANS = ("MEASURE", "CONTENDER", "MEDIAN", "BY OURS")
TARGETS = ("TARGET", "LIMIT", "REACHED", "MET")


def table(parts: Sequence[Part]) -> str:
    """Return the medians of all contenders, the targets, and what was left out."""
    blocks = [_columns(MEDIANS, list(_medians(parts))), _columns(TARGETS, list(_targets(parts)))]
    notes = [f"  {part.name}: {note}" for part in parts for note in part.notes]
    return "\n\n".join(block for block in (*blocks, "\n".join(notes)) if block)


def _medians(parts: Sequence[Part]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each contender; the measure's name stands in its first row only."""
    for part in parts:
        for measure in part.measures():
            name = measure
            for series in (item for item in part.series if item.measure == measure):
                median = figures.amount(series.median, series.unit)
                ratio = figures.times(figures.against_ours(part, series))
                yield name, series.contender, median, ratio
                name = ""


def _targets(parts: Sequence[Part]) -> Iterator[tuple[str, ...]]:
    for part in parts:
        for target in part.targets:
            value = figures.amount(target.value, target.unit)
            yield target.text, figures.limit(target), value, "met" if target.is_met else "MISSED"


def _columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows below their heads, the last two columns to the right; nothing without rows."""
    if not rows:
        return ""
    widths = [max(len(row[index]) for row in (heads, *rows)) for index in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        left = (cell.ljust(width) for cell, width in zip(cells[:-2], widths[:-2], strict=True))
        right = (cell.rjust(width) for cell, width in zip(cells[-2:], widths[-2:], strict=True))
        return "  ".join((*left, *right)).rstrip()

    return "\n".join([line(heads), line(["-" * width for width in widths]), *map(line, rows)])
