# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets taken out of what leaves the host, however they are spelled. Pure.

A text is read as it is, and as what a reader of JSON or of a URL would make of it, in any order
and up to three deep. A secret that is found in any reading is covered where it stands in the text.
"""

from __future__ import annotations

import re
import typing as t

from .text import one_line, printable, printable_lines

HIDDEN: t.Final = "********"

_OUR_WORDS: t.Final = frozenset(
    ("sha", "digest", "release", "config", "slot", "state", "step", "name", "started", "run")
)
"""Keys whose texts are identifiers and words of ours, with which the release goes on.

A secret such as `1` or `live` stands in many of them by chance; stars there would break the run.
"""

_SHORTEST_LINE: t.Final = 8
"""Characters from which on a single line of a secret is a secret too."""

SHORTEST_PART: t.Final = 4
"""Characters from which on a secret is hidden inside a longer word as well."""

_DEPTH: t.Final = 3
"""How many spellings may lie around each other, such as a URL in a JSON text in a JSON text."""

_WIDEST: t.Final = 20
"""Characters that one character takes in the longest of these spellings, rounded up."""

_BLANKS: t.Final = 8
"""How many times as much as is shown is read of a foreign text, because blanks shrink."""


def secrets_of(params: t.Mapping[str, t.Any]) -> list[str]:
    """Return the secret values among a transaction's parameters, as `spellings` does."""
    return spellings([*(params.get("secrets") or {}).values(), params.get("registry_password")])


def spellings(values: t.Iterable[t.Any]) -> list[str]:
    """Return every text that tells one of these secret values, the longest first.

    The lines of a key count one by one as well, because logs are told line by line; so does each
    text as one line of ours has its blanks, and as bytes of UTF-8, which percent-encoding spells.
    """
    whole = {text for value in values for text in _texts(value)}
    lines = {line.strip() for text in whole for line in text.splitlines()}
    told = {text for text in whole if text.strip()}
    told |= {line for line in lines if len(line) >= _SHORTEST_LINE}
    told |= {
        spelled for text in told for spelled in (printable_lines(text), " ".join(text.split()))
    }
    told |= {text.encode("utf-8", "surrogatepass").decode("latin-1") for text in told}
    return sorted(told, key=lambda text: (-len(text), text))


def _texts(value: t.Any) -> list[str]:
    """Return a value as containers get it and as Python says it."""
    if value is None:
        return []
    return [str(value), str(value).lower()] if isinstance(value, bool) else [str(value)]


def redact(value: t.Any, secrets: t.Sequence[str]) -> t.Any:
    """Return a JSON value with every secret in its texts replaced by stars.

    `secrets` are what `spellings` returns. Keys stay, because they are names of ours, and so do
    identifiers.
    """
    if isinstance(value, str):
        return _cover(value, secrets) if secrets else value
    if isinstance(value, dict):
        return {
            key: item if key in _OUR_WORDS and isinstance(item, str) else redact(item, secrets)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redact(item, secrets) for item in value]
    return value


def tell(text: str, secrets: t.Sequence[str], limit: int, *, blanks: bool = False) -> str:
    """Return the beginning of a foreign text, as one line of at most `limit` characters.

    Secrets are taken out first, then control characters, and only then it is cut: nobody would
    recognize the part of a secret that a cut leaves. It is fast however long the text is. With
    `blanks` those between words stay as they are, for the lines of a log.
    """
    end = limit * _BLANKS
    longest = max(map(len, secrets), default=0)
    covered = _cover(text[: end + longest * _WIDEST], secrets, end)
    return printable(covered)[:limit] if blanks else one_line(covered, limit)


def _cover(text: str, secrets: t.Sequence[str], limit: int | None = None) -> str:
    """Put stars over each part of a text that some reading of it shows to be a secret.

    What begins behind `limit` characters is left out.
    """
    spans: set[tuple[int, int]] = set()
    for reading in _readings(text):
        for secret in secrets:
            spans.update((reading.at[i], reading.at[j]) for i, j in _find(reading.text, secret))
    parts: list[str] = []
    end = 0
    for first, last in sorted(spans):
        if limit is not None and first >= limit:
            break
        # What overlaps is one secret for a reader: the rest of a longer one must not stay.
        if first >= end:
            parts += (text[end:first], HIDDEN)
        end = max(end, last)
    return "".join((*parts, text[end:limit]))


def _find(text: str, secret: str) -> t.Iterator[tuple[int, int]]:
    """Return where a secret begins and ends; a short one only where it is a word by itself."""
    if len(secret) < SHORTEST_PART:
        alone = rf"(?<![\w/-])(?<!\w\.){re.escape(secret)}(?![\w/-])(?!\.\w)"
        yield from (found.span() for found in re.finditer(alone, text))
        return
    begin = text.find(secret)
    while begin >= 0:
        yield begin, begin + len(secret)
        begin = text.find(secret, begin + 1)


class _Reading(t.NamedTuple):
    """A text as it is read, and where each character of it, and its end, is in the original."""

    text: str
    at: t.Sequence[int]


_JSON: t.Final = re.compile(
    r"""\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"""
    r"""|u(?P<four>[0-9a-fA-F]{4})|x(?P<two>[0-9a-fA-F]{2})|U(?P<eight>000[0-9a-fA-F]{5})"""
    r"""|(?P<one>["'\\/bfnrt]))"""
)
"""An escape in a string of JSON (RFC 8259), or of Python or C, in which much is logged."""

_NAMED: t.Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PERCENT: t.Final = re.compile(r"%([0-9a-fA-F]{2})")
_FORM: t.Final = re.compile(r"%([0-9a-fA-F]{2})|\+")


def _from_json(found: re.Match[str]) -> str:
    if found["one"]:
        return _NAMED.get(found["one"], found["one"])
    if found["high"]:
        pair = 0x10000 + ((int(found["high"], 16) & 0x3FF) << 10) + (int(found["low"], 16) & 0x3FF)
        return chr(pair)
    number = int(found["four"] or found["two"] or found["eight"], 16)
    return chr(number) if number < 0x110000 else found[0]


def _from_percent(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else " "


_READERS: t.Final = ((_JSON, _from_json), (_PERCENT, _from_percent), (_FORM, _from_percent))


def _readings(text: str) -> list[_Reading]:
    """Return the text itself and each other reading of it, at most `_DEPTH` readers deep."""
    found = last = [_Reading(text, range(len(text) + 1))]
    seen = {text}
    for _depth in range(_DEPTH):
        new: list[_Reading] = []
        for reading in last:
            for pattern, read in _READERS:
                if pattern.search(reading.text) is None:
                    continue
                further = _read(reading, pattern, read)
                if further.text not in seen:
                    seen.add(further.text)
                    new.append(further)
        found, last = [*found, *new], new
    return found


def _read(
    reading: _Reading, pattern: re.Pattern[str], read: t.Callable[[re.Match[str]], str]
) -> _Reading:
    """Read what the pattern matches. Each match becomes one character."""
    parts: list[str] = []
    at: list[int] = []
    end = 0
    for found in pattern.finditer(reading.text):
        begin = found.start()
        char = read(found)
        parts += (reading.text[end:begin], char)
        at += reading.at[end:begin]
        at += [reading.at[begin]] * len(char)
        end = found.end()
    return _Reading("".join((*parts, reading.text[end:])), [*at, *reading.at[end:]])
