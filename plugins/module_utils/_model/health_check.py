# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one definition of a health check: the gate, the watch, HAProxy and the balancer all ask so.

Pure. JSON is judged where the application runs, by the gate and the watch; HAProxy and the balancer
judge the status alone.
"""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

_ALWAYS: t.Final = {"User-Agent": "greenlight-health-check", "Accept": "application/json"}
"""Headers of every request, unless the check names others."""


@dataclass(frozen=True)
class HealthCheck:
    """How a slot proves that it works. Times are in seconds."""

    path: str
    host: str
    headers: dict[str, str]
    status: tuple[int, ...]
    expect: str
    interval: float
    timeout: float
    successes: int
    deadline: float

    @classmethod
    def of_facts(cls, facts: t.Mapping[str, t.Any]) -> HealthCheck:
        """Return what options or a journal say. Raises TypeError and KeyError for too little.

        Runs that an earlier version has begun say nothing of headers; what a later one says more
        is passed over.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        known = {name: value for name, value in facts.items() if name in names}
        return cls(**{"headers": {}, **known, "status": tuple(facts["status"])})

    @property
    def request_headers(self) -> dict[str, str]:
        """All headers of a request, the Host header first."""
        return request_headers(self.host, self.headers)


def request_headers(host: str, headers: t.Mapping[str, str]) -> dict[str, str]:
    """Return all headers of a health request; none named `Host` when `host` is empty."""
    named = {name.lower() for name in headers}
    always = {name: value for name, value in _ALWAYS.items() if name.lower() not in named}
    return {**({"Host": host} if host else {}), **always, **headers}
