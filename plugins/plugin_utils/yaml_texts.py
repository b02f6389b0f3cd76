# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are to be text, and of which YAML has made something else. Pure.

Modules get text, whatever was written: `app_user: 10:10` arrives as the user 610. Only the
controller still sees what YAML has made of it.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterator, Mapping


def warnings_of(texts: Mapping[str, t.Any]) -> list[str]:
    """Return a warning that names each value, by variable, that is no text; none when all are."""
    said = [f"{label}: {value}" for label, value in _others(texts)]
    if not said:
        return []
    return [
        f"YAML made other values of what stands without quotes: {', '.join(said)}. If something"
        " else was meant, such as 10:10, 1.10 or NO, put it in quotes"
    ]


def _others(texts: Mapping[str, t.Any]) -> Iterator[tuple[str, str]]:
    for label, value in texts.items():
        if isinstance(value, Mapping):
            # Of numbers and booleans there module release tells, which has all it needs for it.
            dates = ((f"{label}.{key}", _date(item)) for key, item in value.items())
            yield from ((name, date) for name, date in dates if date)
        else:
            items = value if isinstance(value, (list, tuple)) else [value]
            yield from ((label, _plain(i)) for i in items if not isinstance(i, str) and _plain(i))


def _date(value: object) -> str:
    """Return a date as a module gets it; empty for what is none."""
    return value.isoformat() if isinstance(value, datetime.date) else ""


def _plain(value: object) -> str:
    return str(value) if isinstance(value, (bool, int, float)) else _date(value)
