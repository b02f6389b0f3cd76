# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others said reaches no terminal in a form that moves, hides or turns around text."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import errors
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import (
    one_line,
    printable,
    printable_lines,
    printable_value,
)

SHOWN = [
    ("plain ä 漢 🚀 \\x1b", "plain ä 漢 🚀 \\x1b"),
    ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
    ("a\tb\u00a0c\u3000d", "a b c d"),
    ("one\r\ntwo\x0bthree\u2028four", "one\\r\\ntwo\\x0bthree\\u2028four"),
    ("\x00\x7f\x9b31m\x85", "\\x00\\x7f\\x9b31m\\x85"),
    ("\u202egnp.exe\u2066\u200b\ufeff\u00ad", "\\u202egnp.exe\\u2066\\u200b\\ufeff\\xad"),
    ("\U000e0041\ud800", "\\U000e0041\\ud800"),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_every_character_can_be_seen(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_no_character_of_unicode_is_left_that_a_terminal_obeys() -> None:
    everything = "".join(map(chr, range(0x110000)))
    shown = printable(everything)
    assert shown.isprintable()
    assert shown.encode("utf-8")


def test_lines_stay_lines() -> None:
    assert printable_lines("a\x1b\nb\tc\n") == "a\\x1b\nb c\n"


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("a\n  b\r\n\tc ", 99, "a b c"),
        ("\x1b" * 5, 6, "\\x1b\\x"),
        ("z\n" * 400, 5, "z z z"),
        ("", 5, ""),
    ],
)
def test_one_line_is_cut_last(text: str, limit: int, shown: str) -> None:
    assert one_line(text, limit) == shown


def test_values_are_shown_at_any_depth_and_keys_too() -> None:
    value = {"a\x1b": ["\x1b", ("b\nc\r",), {"deep": "\u202e"}], "n": 3, "none": None, "no": False}
    assert printable_value(value) == {
        "a\\x1b": ["\\x1b", ["b\nc\\r"], {"deep": "\\u202e"}],
        "n": 3,
        "none": None,
        "no": False,
    }


def error_classes() -> list[type[errors.GreenlightError]]:
    """Every error of ours that is made from a message alone."""
    found: list[type[errors.GreenlightError]] = [errors.GreenlightError]
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if kind.__init__ is errors.GreenlightError.__init__]


@pytest.mark.parametrize("kind", error_classes())
def test_errors_come_out_without_control_characters(kind: type[errors.GreenlightError]) -> None:
    assert str(kind("HAProxy said \x1b[2J\nand more")) == "HAProxy said \\x1b[2J\nand more"


def test_a_check_error_does_too() -> None:
    found: t.Any = errors.CheckError("\x1b[2J", "check", "answer")
    assert str(found) == "\\x1b[2J"
