# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw charts as SVG and PNG with matplotlib. The same chart gives the same SVG, byte for byte."""

from __future__ import annotations

import io
import statistics
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator
from PIL import Image

from tests.bench import charts
from tests.bench.figures import amount, number
from tests.bench.model import OURS

WIDTH = 8.5
BAR = 0.3
"""Width of a figure and height of a bar with its gap, in inches."""
DOTS_PER_INCH = 150
COLOURS = 48
"""Colours of a picture's palette: enough for smooth edges."""
WIDE = 30.0
"""Medians that differ by more than this factor are drawn on a logarithmic axis."""
LABEL_CHARACTERS = 34

OWN_COLOUR = "#0b7a4b"
OTHER_COLOUR = "#8d99a6"
SECOND_COLOUR = "#d9822b"
# Told apart by people who see few colours (Okabe and Ito's palette).
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b5b5b", "#f0e442")


def _style() -> AbstractContextManager[None]:
    """Set fonts and colours for what is drawn within; nothing random, nothing of this machine."""
    return mpl.rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": 9,
            "axes.titlesize": 9.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.facecolor": "white",
            "svg.fonttype": "path",
            "svg.hashsalt": OURS,
        }
    )


def draw(chart: charts.Chart, folder: Path) -> list[Path]:
    """Write a chart as SVG and as PNG into a folder; return the two files."""
    with _style():
        if isinstance(chart, charts.BarChart):
            figure = _bar_figure(chart)
        elif isinstance(chart, charts.LineChart):
            figure = _line_figure(chart)
        else:
            figure = _stack_figure(chart)
        figure.suptitle(chart.title, fontsize=11, fontweight="bold")
        folder.mkdir(parents=True, exist_ok=True)
        svg, png = (folder / f"{chart.file}.{kind}" for kind in ("svg", "png"))
        figure.savefig(svg, metadata={"Date": None, "Creator": None})
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=DOTS_PER_INCH)
    # A palette makes the picture a third as large; a plot has few colours and their edges.
    with Image.open(picture) as image:
        image.convert("RGB").quantize(COLOURS).save(png, optimize=True)
    # matplotlib leaves blanks at the ends of lines, which would show as damage in every diff.
    lines = svg.read_text(encoding="utf-8").splitlines()
    svg.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")
    return [svg, png]


def _height_of(panel: charts.Panel) -> float:
    return BAR * sum(len(row.bars) for row in panel.rows) + 0.55


def _bar_figure(chart: charts.BarChart) -> Figure:
    heights = [_height_of(panel) for panel in chart.panels]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.5), layout="constrained")
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    for index, panel in enumerate(chart.panels):
        _bar_panel(figure.add_subplot(grid[index, 0]), panel)
    return figure


def _bar_panel(axes: Axes, panel: charts.Panel) -> None:
    """Draw the rows from top to bottom; a legend only where a row has more than one bar."""
    paired = any(len(row.bars) > 1 for row in panel.rows)
    names = list(dict.fromkeys(item.name for row in panel.rows for item in row.bars))
    medians = [statistics.median(item.values) for row in panel.rows for item in row.bars]
    _value_axis(axes, [value for row in panel.rows for item in row.bars for value in item.values])
    ticks, labelled, top = [], set(), 0
    for row in panel.rows:
        ticks.append(top + (len(row.bars) - 1) / 2)
        for item in row.bars:
            is_second = paired and names.index(item.name) > 0
            own = OURS in {row.label, item.name} or paired
            colour = SECOND_COLOUR if is_second else OWN_COLOUR if own else OTHER_COLOUR
            legend = item.name if paired and item.name not in labelled else None
            labelled.add(item.name)
            axes.barh(top, statistics.median(item.values), 0.78, color=colour, label=legend)
            _rounds(axes, top, item, panel.unit)
            top += 1
    axes.set_yticks(ticks, [textwrap.fill(row.label, LABEL_CHARACTERS) for row in panel.rows])
    axes.set_ylim(len(medians) - 0.5, -0.5)
    axes.set_xlabel(panel.unit)
    axes.set_title(panel.title, loc="left")
    if paired:
        axes.legend(loc="best", fontsize=8, frameon=False)


def _rounds(axes: Axes, height: float, item: charts.Bar, unit: str) -> None:
    """Draw a dot for each round and write the median behind the last of them."""
    if len(item.values) > 1:
        axes.scatter(
            item.values, [height] * len(item.values), s=9, color="black", alpha=0.55, zorder=3
        )
    text = amount(statistics.median(item.values), unit)
    axes.annotate(
        text,
        (max(item.values), height),
        (6, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
    )


def _value_axis(axes: Axes, values: Sequence[float]) -> None:
    """Choose the axis: from 0, or logarithmic when the values are far apart; room for text."""
    low, high = min(values), max(values)
    if low > 0 and high / low > WIDE:
        axes.set_xscale("log")
        axes.set_xlim(low / 2, high * (high / low) ** 0.2)
    else:
        axes.set_xlim(min(0.0, low), high * 1.2 if high > 0 else 1.0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: number(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _line_figure(chart: charts.LineChart) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    whole, each = figure.subplots(1, 2)
    for index, line in enumerate(chart.lines):
        hosts = [count for count, _values in line.points]
        for axes, divided in ((whole, False), (each, True)):
            medians, low, high = [], [], []
            for count, values in line.points:
                shares = [value / (count if divided else 1) for value in values]
                medians.append(statistics.median(shares))
                low.append(medians[-1] - min(shares))
                high.append(max(shares) - medians[-1])
            colour = PALETTE[index % len(PALETTE)]
            name = None if divided else line.name
            axes.errorbar(
                hosts, medians, [low, high], color=colour, marker="o", ms=4, capsize=2, label=name
            )
    _host_axes(whole, each, [count for line in chart.lines for count, _values in line.points])
    figure.legend(loc="outside lower center", ncols=min(4, len(chart.lines)), frameon=False)
    return figure


def _host_axes(whole: Axes, each: Axes, hosts: Sequence[int]) -> None:
    for axes, title in ((whole, "whole command"), (each, "divided by the number of hosts")):
        axes.set_title(title)
        axes.set_xlabel("hosts")
        axes.set_ylabel("seconds")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(sorted(set(hosts)))
        axes.xaxis.set_minor_locator(NullLocator())
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _position: number(value)))
        axes.yaxis.set_minor_formatter(FuncFormatter(_few_minor))
        axes.yaxis.grid(visible=True, which="both", color="#dddddd", linewidth=0.6)


def _few_minor(value: float, _position: int | None) -> str:
    """Label 2 and 5 between the powers of ten, so that a short range has marks as well."""
    leading = f"{value:e}"[0]
    return number(value) if leading in "25" else ""


def _stack_figure(chart: charts.StackChart) -> Figure:
    names = list(dict.fromkeys(name for stack in chart.stacks.values() for name in stack))
    legend = 0.22 * -(-len(names) // 3)
    figure = Figure(figsize=(WIDTH, 1.3 + 0.5 * len(chart.stacks) + legend), layout="constrained")
    axes = figure.subplots()
    for row, stack in enumerate(chart.stacks.values()):
        begin, total = 0.0, sum(stack.values())
        for name, seconds in stack.items():
            colour = PALETTE[names.index(name) % len(PALETTE)]
            axes.barh(row, seconds, 0.7, begin, color=colour, edgecolor="white", label=name)
            if seconds > total * 0.07:
                middle = begin + seconds / 2
                axes.text(middle, row, number(round(seconds, 3)), ha="center", va="center")
            begin += seconds
    labels = [textwrap.fill(name, LABEL_CHARACTERS) for name in chart.stacks]
    axes.set_yticks(range(len(chart.stacks)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=3, frameon=False
    )
    return figure
