# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measured sizes say of sizes that nobody has measured. Pure.

Two straight lines are fitted: the wall time, and the controller's processor time. The first is
checked against the largest size that was measured. The second is what remains when every host has
processors of its own, so it says how many hosts one controller can serve.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass


class FitError(ValueError):
    """There are too few sizes to fit a line."""


@dataclass(frozen=True)
class Line:
    """Seconds for n hosts: `start`, and `per_host` for each of them."""

    start: float
    per_host: float

    def at(self, hosts: int) -> float:
        """Return the seconds for that many hosts."""
        return self.start + self.per_host * hosts


def fit(seconds: Mapping[int, float]) -> Line:
    """Return the line with the least squares through seconds by hosts. Raises FitError."""
    if len(seconds) < 2:
        raise FitError(f"a line through {len(seconds)} sizes; at least two are needed")
    slope, intercept = statistics.linear_regression(list(seconds), list(seconds.values()))
    return Line(intercept, slope)


def error_at_largest(seconds: Mapping[int, float]) -> float:
    """Predict the largest size from all others; return the error as a share of the measured.

    0.1 means that 10 % more was predicted than measured. Raises FitError.
    """
    largest = max(seconds, default=0)
    line = fit({hosts: value for hosts, value in seconds.items() if hosts != largest})
    return line.at(largest) / seconds[largest] - 1


@dataclass(frozen=True)
class Model:
    """A command over hosts that have processors of their own, run from one controller.

    `controller` is its processor time, spread over `cores` of them; `alone` is what one host takes
    beyond the controller's work for it, in seconds, and passes on all hosts at once.
    """

    controller: Line
    alone: float
    cores: int

    @classmethod
    def of(cls, wall: Mapping[int, float], controller: Mapping[int, float], cores: int) -> Model:
        """Fit the model to seconds by hosts. Raises FitError, also without a size of one host."""
        if 1 not in wall:
            raise FitError("the time of one host is needed, and it was not measured")
        line = fit(controller)
        return cls(line, max(0.0, wall[1] - line.at(1)), cores)

    def wave(self, hosts: int) -> float:
        """Return the seconds of one command over hosts that are all served at once."""
        return self.controller.start + self.controller.per_host * hosts / self.cores + self.alone

    def fleet(self, hosts: int, forks: int) -> float:
        """Return the seconds for the hosts in as many commands as forks make necessary."""
        waves, rest = divmod(hosts, forks)
        return waves * self.wave(forks) + (self.wave(rest) if rest else 0.0)

    def crossing(self) -> int:
        """Return from how many hosts on the controller's work takes longer than a host's own."""
        if self.controller.per_host <= 0:
            raise FitError("the controller's work does not grow with the hosts")
        return math.ceil(self.alone * self.cores / self.controller.per_host)

    def hosts_within(self, seconds: float) -> int:
        """Return how many hosts one command can serve in that time; 0 for none."""
        if self.controller.per_host <= 0:
            raise FitError("the controller's work does not grow with the hosts")
        left = seconds - self.controller.start - self.alone
        return max(0, math.floor(left * self.cores / self.controller.per_host))
