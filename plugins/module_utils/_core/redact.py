# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets taken out of what leaves the host. Pure."""

from __future__ import annotations

import json
import typing as t

HIDDEN: t.Final = "********"

_OUR_WORDS: t.Final = frozenset(
    ("sha", "digest", "release", "config", "slot", "state", "step", "name", "started")
)
"""Keys whose texts are identifiers and words of ours, with which the release goes on.

A secret such as `1` or `live` stands in many of them by chance; stars there would break the run.
"""

_SHORTEST_LINE: t.Final = 8
"""Characters from which on a single line of a secret is a secret too."""


def secrets_of(params: t.Mapping[str, t.Any]) -> list[str]:
    """Return the secret values among a transaction's parameters, as `spellings` does."""
    return spellings([*(params.get("secrets") or {}).values(), params.get("registry_password")])


def spellings(values: t.Iterable[t.Any]) -> list[str]:
    """Return every text that tells one of these secret values, the longest first.

    The longest first, so that a secret that is part of another one does not leave the rest of it.
    The lines of a key count one by one as well, because logs are told line by line, and each as
    JSON has it, because many applications log and answer in JSON.
    """
    whole = {text for value in values for text in _texts(value)}
    lines = {line.strip() for text in whole for line in text.splitlines()}
    told = whole | {line for line in lines if len(line) >= _SHORTEST_LINE}
    found = {spelled for text in told if text.strip() for spelled in (text, *_in_json(text))}
    return sorted(found, key=lambda text: (-len(text), text))


def _in_json(text: str) -> list[str]:
    """Return a text as it stands between the quotes of a JSON string, in ASCII and in UTF-8."""
    return [json.dumps(text, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)]


def _texts(value: t.Any) -> list[str]:
    """Return a value as containers get it and as Python says it."""
    if value is None:
        return []
    return [str(value), str(value).lower()] if isinstance(value, bool) else [str(value)]


def redact(value: t.Any, secrets: t.Sequence[str]) -> t.Any:
    """Return a JSON value with every secret in its texts replaced by stars.

    Keys stay, because they are names of ours, and so do identifiers.
    """
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, dict):
        return {
            key: item if key in _OUR_WORDS and isinstance(item, str) else redact(item, secrets)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redact(item, secrets) for item in value]
    return value
