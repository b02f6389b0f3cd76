# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a registry says which credentials it wants: the header WWW-Authenticate. Pure.

Read as RFC 9110, section 11.6.1, has it, and a little wider: values that ought to be in quotes and
are not, such as a URL, are taken as well.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

_PARAMETER: t.Final = re.compile(
    r'\s*,?\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)'
)
_SCHEME: t.Final = re.compile(r"\s*,?\s*([\w!#$%&'*+.^`|~-]+)(?=\s|,|$)")


@dataclass(frozen=True)
class Challenge:
    """One way to log in: the scheme in lower case and its parameters, names in lower case."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(header: str) -> list[Challenge]:
    """Return the challenges of a header, in their order; what cannot be read ends the list."""
    found: list[Challenge] = []
    position = 0
    while match := _SCHEME.match(header, position):
        position = match.end()
        parameters: dict[str, str] = {}
        while pair := _PARAMETER.match(header, position):
            parameters[pair[1].lower()] = _unquoted(pair[2])
            position = pair.end()
        found.append(Challenge(match[1].lower(), parameters))
    return found


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def token_url(asked: str, parameters: t.Mapping[str, str], scope: str) -> str:
    """Return the URL where a token is had, from a Bearer challenge to the request of URL `asked`.

    `scope` stands in for one that the challenge does not name. The realm may be relative, and have
    a query of its own.
    """
    realm = urlsplit(urljoin(asked, parameters.get("realm", "")))
    query = parse_qsl(realm.query, keep_blank_values=True)
    if parameters.get("service"):
        query.append(("service", parameters["service"]))
    # Several scopes are one parameter each (distribution's token specification).
    query += [("scope", each) for each in (parameters.get("scope") or scope).split()]
    return urlunsplit(realm._replace(query=urlencode(query), fragment=""))
