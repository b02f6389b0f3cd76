# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Foreign text made safe to show: nothing in it moves the cursor, hides or turns around. Pure."""

from __future__ import annotations

import typing as t


def printable(text: str) -> str:
    r"""Return a text as one line in which every character can be seen.

    Control characters, line breaks, format characters (such as those that change the direction of
    writing) and lone surrogates become escapes such as `\x1b`; a tab or another blank, a space.
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    # What is left and counts as a blank is a space of some width or, like LF, moves the cursor.
    if char.isspace() and char not in _BREAKS:
        return " "
    return char.encode("unicode_escape").decode("ascii")


_BREAKS: t.Final = "\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def printable_lines(text: str) -> str:
    """Return a text of several lines, each of them as `printable` has it."""
    return text if text.isprintable() else "\n".join(map(printable, text.split("\n")))


def one_line(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text, its line breaks and blanks made one space."""
    return printable(" ".join(text.split()))[:limit]


def diff_of(parts: t.Iterable[tuple[str, str, str]]) -> list[dict[str, str]]:
    """Return name, text before and text after of each part as a module's result has its diff."""
    return [
        {"before_header": name, "after_header": name, "before": before, "after": after}
        for name, before, after in parts
    ]


def printable_value(value: t.Any) -> t.Any:
    """Return a JSON value with all its texts, keys too, as `printable_lines` has them."""
    if isinstance(value, str):
        return printable_lines(value)
    if isinstance(value, dict):
        return {printable_value(key): printable_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable_value(item) for item in value]
    return value
