# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Option health becomes the one definition that hosts, HAProxy and the controller share. Pure."""

from __future__ import annotations

import re
import typing as t

from .._core.errors import SpecError
from .._model.health_check import HealthCheck
from . import option_checks

_NAME: t.Final = re.compile(r"[A-Za-z0-9-]+")
_VALUE: t.Final = re.compile(r"[!-~]([ -~]*[!-~])?")

_TAKEN: t.Final = frozenset(
    {
        *("connection", "content-length", "expect", "keep-alive", "proxy", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
"""Headers that change how the request itself is read, or that HAProxy takes out of requests."""


def build_health(raw: t.Mapping[str, t.Any]) -> HealthCheck:
    """Return the health check that the complete option says. Raises SpecError."""
    option_checks.check_group("health", raw)
    option_checks.check_health(dict(raw))
    return HealthCheck.of_facts({**raw, "headers": _headers(raw["headers"])})


def _headers(raw: t.Mapping[t.Any, t.Any]) -> dict[str, str]:
    headers = {str(name): _text(str(name), value) for name, value in raw.items()}
    lowered = [name.lower() for name in headers]
    for name in headers:
        if name.lower() == "host":
            raise SpecError("health.headers has Host, which is set by health.host.")
        if not _NAME.fullmatch(name) or name.lower() in _TAKEN:
            raise SpecError(
                f"health.headers has {name!r}, which no health check can send: a name is made of"
                " letters, digits and '-', and is none of those that say how the request is read,"
                " such as 'Connection'."
            )
        if lowered.count(name.lower()) > 1:
            raise SpecError(f"health.headers has {name!r} twice. Keep one of them.")
    return headers


def _text(name: str, value: t.Any) -> str:
    # YAML's true is 'true' to an application that reads a header; Python says 'True'.
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, (dict, list)) or value is None or not _VALUE.fullmatch(text):
        raise SpecError(
            f"health.headers.{name} is {value!r}; give text of printable ASCII characters, with no"
            " space at either end."
        )
    return text
