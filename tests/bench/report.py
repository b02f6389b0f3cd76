# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page docs/benchmarks.md: parts in, Markdown out. Pure, and the same for the same parts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from tests.bench import charts, figures
from tests.bench.model import OURS, Part, Series, Target

MOST = 3
"""So many measures in which others are ahead are named at the top; the tables hold all."""

NOTE = "<!-- Written by `python -m tests.bench report` from benchmarks/*.json. Do not edit. -->"

HOW_TO_RUN = """\
## How to run it yourself

    make bench                              # every part, five rounds: most of an hour
    make bench args="release --rounds 3"    # one part, fewer rounds
    make bench args=report                  # only write this page and its plots again

It needs what `make test` needs, and a machine that does nothing else meanwhile. Each part keeps its
figures in `docs/benchmarks/<part>.json` as soon as it is done, so an interrupted run loses one part
at most. This page is written from all that are kept, each with its own date."""

HOW_TO_READ = """\
Each contender does the same work on the same droplet once a round, and the one that begins changes
from round to round. The median of the rounds counts. Absolute times belong to the machine; the
column "by ours" divides a contender's median by Greenlight's, and that is what to compare."""


def page(parts: Sequence[Part]) -> str:
    """Return the whole page for the parts that were kept, in the order given."""
    sections = ["# Benchmarks", NOTE, summary(parts)]
    if parts:
        sections += [HOW_TO_READ, *_targets(parts), *_machines(parts)]
    for part in parts:
        sections += _part(part)
    return "\n\n".join([*sections, HOW_TO_RUN]) + "\n"


def summary(parts: Sequence[Part]) -> str:
    """Return the paragraph that says what stands out, made from the figures alone."""
    if not parts:
        return "No figures are kept yet. `make bench` measures them and writes this page."
    sentences = [*_reached([target for part in parts for target in part.targets])]
    sentences += [sentence for part in parts for sentence in _lead(part)]
    return " ".join([*sentences, *_ahead(parts)])


def _reached(targets: Sequence[Target]) -> Iterator[str]:
    if not targets:
        return
    missed = [
        f"{target.text} ({figures.amount(target.value, target.unit)}, {figures.limit(target)})"
        for target in targets
        if not target.is_met
    ]
    met = f"{len(targets) - len(missed)} of {len(targets)} targets are met"
    yield f"{met}; missed: {'; '.join(missed)}." if missed else f"{met}."


def _lead(part: Part) -> Iterator[str]:
    """Yield a sentence on the measure with the most contenders, the first of them."""
    every = list(figures.comparisons(part))
    if not every:
        return
    names = [item.own.measure for item in every]
    measure = max(dict.fromkeys(names), key=names.count)
    rivals = [item for item in every if item.own.measure == measure]
    rivals.sort(key=lambda item: (item.lead, abs(item.other.median - item.own.median)))
    shown = [rivals[0]] if len(rivals) == 1 else [rivals[0], rivals[-1]]
    own = rivals[0].own
    others = ", ".join(_beside(item) for item in shown)
    yield f"{_sentence(measure)}: {figures.amount(own.median, own.unit)} with {OURS}, {others}."


def _beside(item: figures.Comparison) -> str:
    ratio = item.other.median / item.own.median if item.own.median else None
    suffix = "" if ratio is None else f" ({figures.times(ratio)})"
    return (
        f"{figures.amount(item.other.median, item.other.unit)} with {item.other.contender}{suffix}"
    )


def _ahead(parts: Sequence[Part]) -> Iterator[str]:
    """Yield a sentence on where others are better, the clearest first."""
    every = [item for part in parts for item in figures.comparisons(part)]
    behind = [item for item in every if item.lead * figures.CLOSE < 1]
    behind.sort(key=lambda item: item.lead)
    if not every:
        return
    if not behind:
        yield f"In no measure is another contender ahead of {OURS}."
        return
    named = [
        f"{item.other.contender} in {item.own.measure}"
        f" ({figures.number(item.other.median)} against"
        f" {figures.amount(item.own.median, item.own.unit)})"
        for item in behind[:MOST]
    ]
    rest = f", and {len(behind) - MOST} more in the tables" if len(behind) > MOST else ""
    yield f"Ahead of {OURS}: {', '.join(named)}{rest}."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return a Markdown table; the columns in `right` are aligned to the right."""
    rule = ["---:" if index in right else "---" for index in range(len(heads))]
    lines = [heads, rule, *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _targets(parts: Sequence[Part]) -> list[str]:
    rows = [
        (
            part.title,
            target.text,
            figures.limit(target),
            figures.amount(target.value, target.unit),
            "yes" if target.is_met else "**no**",
        )
        for part in parts
        for target in part.targets
    ]
    if not rows:
        return []
    return ["## Targets", _table(("Part", "Target", "Limit", "Reached", "Met"), rows, (3,))]


def _machines(parts: Sequence[Part]) -> list[str]:
    keys = list(dict.fromkeys(key for part in parts for key in part.machine))
    heads = ("Part", "Date", "Rounds", *(_sentence(key) for key in keys))
    rows = [
        (part.title, part.date, str(part.rounds), *(part.machine.get(key, "-") for key in keys))
        for part in parts
    ]
    return ["## Machine and date", _table(heads, rows)]


def _part(part: Part) -> list[str]:
    sections = [f"## {part.title}"]
    if part.method:
        sections.append(" ".join(part.method))
    if part.series:
        sections.append(_medians(part))
    sections += [_picture(chart) for chart in charts.charts(part)]
    for name, account in part.account.items():
        sections += [f"### Where the time goes: {name}", _account(account)]
    if part.notes:
        notes = "\n".join(f"- {' '.join(note.split())}" for note in part.notes)
        sections += ["### Notes", notes]
    return sections


def _medians(part: Part) -> str:
    rows = []
    for measure in part.measures():
        for series in (item for item in part.series if item.measure == measure):
            rows.append(
                (
                    measure,
                    f"**{OURS}**" if series.contender == OURS else series.contender,
                    figures.amount(series.median, series.unit),
                    _range(series),
                    figures.times(figures.against_ours(part, series)),
                    str(len(series.values)),
                )
            )
    heads = ("Measure", "Contender", "Median", "Least to most", "By ours", "Rounds")
    return _table(heads, rows, (2, 3, 4, 5))


def _range(series: Series) -> str:
    if len(series.values) == 1:
        return "-"
    return f"{figures.number(min(series.values))} to {figures.number(max(series.values))}"


def _picture(chart: charts.Chart) -> str:
    where = f"benchmarks/{chart.file}"
    return f"![{_cell(chart.title)}]({where}.svg)\n\n[The same as PNG]({where}.png)"


def _account(account: dict[str, float]) -> str:
    total = math.fsum(account.values())
    rows = [
        (name, figures.amount(seconds, "s"), f"{100 * seconds / total:.0f} %" if total else "-")
        for name, seconds in account.items()
    ]
    return _table(
        ("What", "Time", "Share"), [*rows, ("sum", figures.amount(total, "s"), "")], (1, 2)
    )
