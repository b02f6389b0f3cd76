# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the benchmarks: made of the kept figures alone, and honest about what was missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import model, publish, report, rounds, table
from tests.bench.model import OURS, Part, Series, Target


def sample() -> Part:
    part = Part(
        "release", "Release", "2026-01-01 10:00 UTC", 5, {"cores": "2"}, ["How it was got."]
    )
    part.series = [
        Series("release, one host", OURS, "s", [2.0, 3.0, 2.5]),
        Series("release, one host", "stop-first script", "s", [5.0, 5.0, 6.0]),
        Series("release, one host", "quick | rival", "s", [1.0, 1.25, 1.0]),
    ]
    part.targets = [
        Target("release, one host", 3.0, 2.5, "s"),
        Target("throughput of nginx", 0.9, 0.7, "x", at_least=True),
    ]
    part.notes = ["Kamal is left out: its image is not there."]
    part.account = {"release": {"gate": 1.2, "start": 0.3}}
    return part


def test_page_shows_medians_ratios_targets_and_notes() -> None:
    text = report.page([sample()])
    for wanted in ("How it was got.", "Kamal is left out", "stop-first script", "1 of 2 targets"):
        assert wanted in text
    (row,) = [line for line in text.splitlines() if line.startswith("|") and "script" in line]
    assert "2.00x" in row
    assert "quick \\| rival" in text
    assert "Ahead of greenlight: quick" in text.replace("\\|", "|")


def test_page_without_figures_says_so() -> None:
    assert "No figures are kept yet" in report.page([])


def test_a_missed_target_is_named_first() -> None:
    paragraph = report.summary([sample()])
    assert "missed: throughput of nginx" in paragraph


def test_what_was_kept_is_read_back_the_same(tmp_path: Path) -> None:
    model.write(sample(), tmp_path)
    assert model.read("release", tmp_path) == sample()
    assert model.read("load", tmp_path) is None


def test_page_and_plots_are_made_again_byte_for_byte(tmp_path: Path) -> None:
    folder = tmp_path / model.DATA.name
    model.write(sample(), folder)
    publish.publish(tmp_path)
    first = {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.suffix in {".md", ".svg"}}
    assert any(name.endswith(".svg") for name in first)
    publish.publish(tmp_path)
    second = {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.suffix in {".md", ".svg"}}
    assert first == second


def test_the_committed_page_is_that_of_the_committed_figures() -> None:
    kept = model.kept(model.DATA)
    page = model.DATA.parent / publish.PAGE
    assert page.read_text(encoding="utf-8") == report.page(kept)


def test_the_console_shows_ratios_and_what_was_missed() -> None:
    text = table.table([sample()])
    assert "stop-first script" in text
    assert "MISSED" in text


def test_contenders_take_turns_at_being_first() -> None:
    order: list[str] = []

    def contender(name: str, value: float) -> float:
        order.append(name)
        return value

    found = rounds.alternate(
        "m", {"a": lambda _n: contender("a", 1.0), "b": lambda n: contender("b", n)}, 2, print
    )
    assert order == ["a", "b", "b", "a"]
    assert [series.values for series in found] == [[1.0, 1.0], [0.0, 1.0]]


@pytest.mark.parametrize(("percent", "value"), [(50, 2.0), (99, 4.0), (25, 1.0)])
def test_percentile_is_the_nearest_rank(percent: float, value: float) -> None:
    assert model.percentile([4.0, 1.0, 2.0, 3.0], percent) == value
    with pytest.raises(ValueError, match="no values"):
        model.percentile([], percent)


def test_a_target_may_be_a_least_or_a_most() -> None:
    assert Target("t", 3.0, 2.9, "s").is_met
    assert not Target("t", 3.0, 3.1, "s").is_met
    assert Target("t", 0.9, 0.95, "x", at_least=True).is_met
