# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How figures are written and compared, on the page, in the plots and in the table. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.model import OURS, Part, Series, Target

CLOSE = 1.05
"""Medians that differ by less than this factor are called equal: rounds differ by as much."""


def number(value: float) -> str:
    """Return three significant digits, whole from 100 on: 0.0123, 2.41, 12.1, 6,000."""
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{int(value):,}"
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 - math.floor(math.log10(size))}f}"


def amount(value: float, unit: str) -> str:
    """Return a figure with its unit; a ratio has none."""
    return f"{number(value)} {unit}".rstrip()


def times(ratio: float | None) -> str:
    """Return a ratio as `2.41x`, and `-` where there is none."""
    if ratio is None:
        return "-"
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:,.0f}x"


def more_is_better(unit: str) -> bool:
    """Whether a higher figure is the better one: so with rates, not with times or counts."""
    return unit.endswith("/s")


def limit(target: Target) -> str:
    """Return what a target demands: `at most 3 s`."""
    return (
        f"{'at least' if target.at_least else 'at most'} {target.limit:,g} {target.unit}".rstrip()
    )


def ours(part: Part, measure: str) -> Series | None:
    """Return our own series of a measure; None where only others were measured."""
    found = (item for item in part.series if (item.measure, item.contender) == (measure, OURS))
    return next(found, None)


def against_ours(part: Part, series: Series) -> float | None:
    """Return median by our median; None where nobody is compared, or when ours is 0."""
    own = ours(part, series.measure)
    if sum(other.measure == series.measure for other in part.series) == 1:
        return None
    return series.median / own.median if own is not None and own.median else None


@dataclass(frozen=True)
class Comparison:
    """One other contender beside us in one measure; `lead` is how many times better we are."""

    own: Series
    other: Series

    @property
    def lead(self) -> float:
        """Above 1 when we are better, infinite against a 0, 1 when both are 0."""
        low, high = self.own.median, self.other.median
        if more_is_better(self.own.unit):
            low, high = high, low
        if low:
            return high / low
        return math.inf if high else 1.0


def comparisons(part: Part) -> Iterator[Comparison]:
    """Every other contender of every measure that has one of ours, in the part's order."""
    for series in part.series:
        own = ours(part, series.measure)
        if own is not None and series.contender != OURS:
            yield Comparison(own, series)
