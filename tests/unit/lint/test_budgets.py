# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every limit on Python files is enforced, and nothing within the limits is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint import budgets


def handler(head: str, *body: str) -> str:
    """A try statement whose handler is `head` with `body`."""
    return "\n    ".join(["try:\n    print()\n" + head, *body]) + "\n"


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" * budgets.FILE_LINES,
        'DOCUMENTATION = r"""\n' + "words\n" * budgets.FILE_LINES + '"""\n',
        "def f():\n" + "    x = 1\n" * (budgets.FUNCTION_LINES - 1),
        handler("except OSError:", "pass"),
        handler("except (OSError, ValueError):", "pass"),
        handler("except BaseException:", "print()", "raise"),
        "with suppress(OSError, ValueError):\n    pass\n",
        "text = '# noqa'\n",
    ],
)
def test_within_the_limits(source: str) -> None:
    assert list(budgets.check(source)) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\n" * (budgets.FILE_LINES + 1), "301 lines without its documentation, 300 allowed"),
        ("def f():\n" + "    x = 1\n" * 40, "line 1: f() has 41 lines, 40 allowed"),
        ("async def f():\n" + "    x = 1\n" * 40, "line 1: f() has 41 lines, 40 allowed"),
        (handler("except:", "pass"), "line 3: broad except"),
        (handler("except Exception:", "pass"), "line 3: broad except"),
        (handler("except BaseException as exc:", "raise OSError from exc"), "line 3: broad except"),
        (handler("except (OSError, Exception):", "pass"), "line 3: broad except"),
        ("with contextlib.suppress(Exception):\n    pass\n", "line 1: broad suppress"),
        ("with suppress(OSError, BaseException):\n    pass\n", "line 1: broad suppress"),
        ("x = 1  # noqa: E501\n", "line 1: suppresses a finding: # noqa: E501"),
        ("x = 1  # type: ignore[misc]\n", "line 1: suppresses a finding: # type: ignore[misc]"),
        ("x = 1  # nosec\n", "line 1: suppresses a finding: # nosec"),
        ("# pylint: disable=all\n", "line 1: suppresses a finding: # pylint: disable=all"),
        ("# mypy: ignore-errors\n", "line 1: suppresses a finding: # mypy: ignore-errors"),
    ],
)
def test_beyond_the_limits(source: str, expected: str) -> None:
    assert list(budgets.check(source)) == [expected]


def test_plugins_have_no_broad_except_at_all(tmp_path: Path) -> None:
    source = handler("except BaseException:", "print()", "raise")
    for folder in ("plugins", "scripts"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text(source, encoding="utf-8")
    assert budgets.problems(tmp_path) == ["plugins/a.py: line 3: broad except"]


def test_problems_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "a.py").write_text("x = 1  # nosec\n", encoding="utf-8")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "b.py").write_text("x = 1  # nosec\n", encoding="utf-8")
    problems = budgets.problems(tmp_path)
    assert problems == ["plugins/a.py: line 1: suppresses a finding: # nosec"]
