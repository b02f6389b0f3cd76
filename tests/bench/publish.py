# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the page and its plots from the figures that were kept."""

from __future__ import annotations

from pathlib import Path

from tests.bench import charts, model, plots, report

PAGE = "benchmarks.md"


def publish(docs: Path = model.DATA.parent) -> list[model.Part]:
    """Write docs/benchmarks.md and docs/benchmarks/*.{svg,png}; return the parts they show.

    A plot of a part that no longer shows it is removed.
    """
    folder = docs / model.DATA.name
    parts = model.kept(folder)
    (docs / PAGE).write_text(report.page(parts), encoding="utf-8")
    made = {
        path
        for part in parts
        for chart in charts.charts(part)
        for path in plots.draw(chart, folder)
    }
    for name in model.PARTS:
        for kind in ("svg", "png"):
            for path in set(folder.glob(f"{name}-*.{kind}")) - made:
                path.unlink()
    return parts
