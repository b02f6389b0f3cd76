# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check that fails makes `make lint` fail, and shows its output; one that passes is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import lint


def test_good_command_says_nothing(tmp_path: Path) -> None:
    assert lint.command("python", "-c", "print('noise')", cwd=tmp_path) == ""


def test_bad_command_gives_output_and_code(tmp_path: Path) -> None:
    output = lint.command("python", "-c", "import sys; print('why'); sys.exit(3)", cwd=tmp_path)
    assert output == "why\nexit code 3"


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint.report(lint.Check("good", lambda: ""))
    assert not lint.report(lint.Check("bad", lambda: "why\n"))
    first, second, third, *_rest = capsys.readouterr().out.splitlines()
    assert first.startswith("lint: ok ")
    assert first.endswith("good")
    assert second.startswith("lint: FAILED ")
    assert third == "why"


def test_unknown_name_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint.main(["no such check"]) == 1
    assert "0 passed, 0 failed" in capsys.readouterr().out
