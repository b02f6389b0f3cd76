# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn of each part: bars, lines and stacks, as data. Pure; plots.py draws them.

Measures are picked by how their names begin. What a part does not hold is not drawn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.figures import number
from tests.bench.model import OURS, Part, Series

HOSTS = re.compile(r"(?P<what>.+), (?P<hosts>\d+) hosts?(?P<more>.*)")
LATENCY = re.compile(r"(?P<percentile>p[\d.]+ latency), (?P<when>.+)")
PER_HOST = "time per host"


@dataclass(frozen=True)
class Bar:
    """One bar: its length is the median of the values, each value is a dot."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Row:
    """Bars that belong together, under one label."""

    label: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Panel:
    """Rows with one axis."""

    title: str
    unit: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars. `file` is the name without suffix."""

    file: str
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Line:
    """Points of one line: hosts, and the values of the rounds in seconds."""

    name: str
    points: Sequence[tuple[int, Sequence[float]]]


@dataclass(frozen=True)
class LineChart:
    """Seconds by number of hosts, for the whole command and for each host."""

    file: str
    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class StackChart:
    """Where time goes: one bar of many pieces for each account, in seconds."""

    file: str
    title: str
    stacks: dict[str, dict[str, float]]


Chart = BarChart | LineChart | StackChart


def charts(part: Part) -> list[Chart]:
    """Return what is drawn of a part, in the order of the page."""
    makers = {
        "release": _release,
        "load": _load,
        "scale": _scale,
        "setup": _setup,
        "footprint": _footprint,
        "profile": _profile,
    }
    made = makers[part.name](part) if part.name in makers else [_bars(part, "all", part.title)]
    return [chart for chart in made if chart is not None]


def _release(part: Part) -> list[Chart | None]:
    return [
        _bars(part, "times", "Time of one release, whole command", ("release",)),
        _bars(part, "others", "Rollback, nothing to do, check mode", but=("release",)),
        _stack(part, "account", "Where the time of one release goes"),
    ]


def _load(part: Part) -> list[Chart | None]:
    return [
        _bars(part, "failed", "Requests failed during one release", ("requests failed",)),
        _latency(part),
        _bars(part, "throughput", "Throughput", ("throughput",)),
    ]


def _scale(part: Part) -> list[Chart | None]:
    return [_lines(part)]


def _setup(part: Part) -> list[Chart | None]:
    return [
        _roles(part),
        _bars(part, "firewall", "Firewall rules applied", ("firewall",)),
        _bars(part, "others", "Crowded hosts", but=("firewall", "set-up")),
    ]


def _footprint(part: Part) -> list[Chart | None]:
    return [
        _bars(part, "memory", "Resident memory", ("resident memory",)),
        _bars(part, "others", "Processor and more", but=("resident memory",)),
    ]


def _profile(part: Part) -> list[Chart | None]:
    return [
        _bars(part, "steps", "The controller's share of a command"),
        _stack(part, "account", "Where the time goes"),
    ]


def _chosen(part: Part, begins: Sequence[str], but: Sequence[str]) -> list[Series]:
    return [
        series
        for series in part.series
        if series.measure.startswith(tuple(begins)) and not series.measure.startswith(tuple(but))
    ]


def _bars(
    part: Part, name: str, title: str, begins: Sequence[str] = ("",), but: Sequence[str] = ()
) -> BarChart | None:
    """Make a panel of each measure with rivals, and one for all that have none by unit."""
    chosen = _chosen(part, begins, but)
    groups: dict[tuple[str, str], list[Row]] = {}
    for series in chosen:
        alone = sum(other.measure == series.measure for other in chosen) == 1
        label = series.contender
        if alone:
            suffix = "" if series.contender == OURS else f": {series.contender}"
            label = f"{series.measure}{suffix}"
        row = Row(label, [Bar(series.contender, series.values)])
        groups.setdefault(("" if alone else series.measure, series.unit), []).append(row)
    panels = [Panel(measure, unit, rows) for (measure, unit), rows in groups.items()]
    return BarChart(f"{part.name}-{name}", title, panels) if panels else None


def _latency(part: Part) -> BarChart | None:
    """Make a panel of each percentile; steady and around the cutover stand side by side."""
    panels: dict[tuple[str, str], dict[str, list[Bar]]] = {}
    for series in part.series:
        match = LATENCY.fullmatch(series.measure)
        if match:
            rows = panels.setdefault((match["percentile"], series.unit), {})
            rows.setdefault(series.contender, []).append(Bar(match["when"], series.values))
    made = [
        Panel(percentile, unit, [Row(label, bars) for label, bars in rows.items()])
        for (percentile, unit), rows in panels.items()
    ]
    title = "Latency, steady and around the cutover"
    return BarChart(f"{part.name}-latency", title, made) if made else None


def _lines(part: Part) -> LineChart | None:
    lines: dict[str, dict[int, Sequence[float]]] = {}
    for series in part.series:
        match = HOSTS.fullmatch(series.measure)
        if match and series.unit == "s" and not series.measure.startswith(PER_HOST):
            suffix = "" if series.contender == OURS else f", {series.contender}"
            name = f"{match['what']}{match['more']}{suffix}"
            lines.setdefault(name, {})[int(match["hosts"])] = series.values
    made = [Line(name, sorted(points.items())) for name, points in lines.items()]
    return LineChart(f"{part.name}-hosts", "Time by number of hosts", made) if made else None


def _roles(part: Part) -> BarChart | None:
    """Make a row of each name in the accounts, with a bar for each account: role by run."""
    names = dict.fromkeys(name for account in part.account.values() for name in account)
    rows = [
        Row(name, [Bar(run, [of[name]]) for run, of in part.account.items() if name in of])
        for name in names
    ]
    panels = [Panel("", "s", rows)] if rows else []
    return BarChart(f"{part.name}-roles", "Set-up, by role", panels) if panels else None


def _stack(part: Part, name: str, title: str) -> StackChart | None:
    stacks = {
        f"{label} ({number(round(sum(account.values()), 3))} s)": account
        for label, account in part.account.items()
        if account
    }
    return StackChart(f"{part.name}-{name}", title, stacks) if stacks else None
