# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with foreign data, or with us, is one line that names the part."""

from __future__ import annotations

import json

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import (
    boundary,
    parse_json,
    told,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    EngineError,
    GreenlightError,
    SpecError,
)

DEEP = "[" * 100_000 + "]" * 100_000


FAULTS = [
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    MemoryError,
    NameError,
    OSError,
    OverflowError,
    RecursionError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
    ZeroDivisionError,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_line_that_names_the_part(fault: type[Exception]) -> None:
    with pytest.raises(EngineError) as caught, boundary("Docker's answer", EngineError):
        raise fault("two\nlines \x1b")
    text = str(caught.value)
    assert text.startswith(f"Docker's answer: {fault.__name__}: ")
    assert "two" in text
    assert "\\x1b" in text
    assert "(test_boundary.py:" in text
    assert len(text.splitlines()) == 1
    assert isinstance(caught.value.__cause__, fault)


def test_errors_of_ours_and_the_end_of_the_process_pass_unchanged() -> None:
    with pytest.raises(SpecError, match=r"^as it is$"), boundary("part"):
        raise SpecError("as it is")
    for kind in (KeyboardInterrupt, SystemExit):
        with pytest.raises(kind), boundary("part"):
            raise kind
    with boundary("part"):
        pass


def test_an_exception_without_words_is_told_by_its_name() -> None:
    assert told(KeyError()) == "KeyError"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('"NaN"', "NaN"),
        ("null", None),
        (" [1.5] ", [1.5]),
    ],
)
def test_json_is_read(text: str, value: object) -> None:
    assert parse_json(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("NaN", "NaN is no JSON"),
        ('{"a": -Infinity}', "-Infinity is no JSON"),
        ("\ufeff\ufeff{}", "Unexpected UTF-8 BOM"),
        (DEEP, "nested too deep"),
        ('{"a":' * 100_000, "nested too deep"),
        ("1" * 5000, "4300 digits"),
    ],
)
def test_what_is_no_json_is_said(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_a_deep_document_is_beyond_the_library_itself() -> None:
    # Otherwise the test above would prove nothing.
    with pytest.raises(RecursionError):
        json.loads(DEEP)
    with pytest.raises(GreenlightError, match="RecursionError"), boundary("the body"):
        json.loads(DEEP)
