# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contenders take turns, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.bench.model import Series

ROUNDS = 5
"""Rounds of each measure; the median of fewer says little."""


def alternate(
    measure: str,
    contenders: Mapping[str, Callable[[int], float]],
    rounds: int,
    say: Callable[[str], None],
    unit: str = "s",
) -> list[Series]:
    """Measure each contender once a round and return a series for each.

    A contender gets the number of the round, from 0, and returns its value in `unit`. The order
    within a round moves on by one each round, so that nobody always follows the same one.
    """
    names = list(contenders)
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            values[name].append(round(contenders[name](number), 4))
            say(f"{measure}: round {number + 1} of {rounds}, {name} {values[name][-1]:.3g} {unit}")
    return [Series(measure, name, unit, values[name]) for name in names]
