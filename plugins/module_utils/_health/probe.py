# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a slot work? One probe, and the pure judgement of its answer."""

from __future__ import annotations

import functools
import importlib
import json
import types
from dataclasses import dataclass

from .._core import http
from .._core.boundary import FAULTS, boundary, parse_json, told
from .._core.errors import SpecError
from .._model.health_check import HealthCheck


@dataclass(frozen=True)
class Verdict:
    """The judgement of one probe: is it healthy, is waiting pointless, why, and what came back."""

    healthy: bool
    reason: str
    answer: str
    final: bool = False


@functools.cache
def _jmespath() -> types.ModuleType:
    """Load the library when there is an expression for it: most health checks have none.

    Raises SpecError on a host without it.
    """
    try:
        return importlib.import_module("jmespath")
    except ImportError as exc:
        raise SpecError(
            "health.expect needs python3-jmespath on the host. Run setup-api.yml again."
        ) from exc


def check_expectation(expression: str) -> None:
    """Raise SpecError when the JMESPath expression cannot be compiled on this host."""
    if not expression:
        return
    library = _jmespath()
    with boundary(f"health.expect {expression!r} is not a JMESPath expression", SpecError):
        library.compile(expression)


def describe(answer: http.Answer) -> str:
    """Say what an answer was, with the whole body: who shows it takes the secrets out and cuts."""
    body = answer.body if answer.body.strip() else "(empty body)"
    return f"HTTP {answer.status} in {answer.seconds * 1000:.0f} ms: {body}"


def judge(answer: http.Answer, check: HealthCheck) -> Verdict:
    """Tell whether an answer is the one the health check wants. Pure."""
    said = describe(answer)
    if answer.status not in check.status and 300 <= answer.status < 400:
        target = answer.headers.get("location", "(no Location header)")
        reason = (
            f"the health path {check.path} redirects to {target}; redirects are not followed,"
            " because they would judge another server. Set health.path to the final path,"
            " health.host to the name the application wants, or X-Forwarded-Proto in health.headers"
            " when it wants https"
        )
        return Verdict(False, reason, said, final=True)
    if answer.status not in check.status:
        wanted = " or ".join(str(code) for code in check.status)
        return Verdict(False, f"status {answer.status}, wanted {wanted}", said)
    if not check.expect:
        return Verdict(True, f"status {answer.status}", said)
    reason = _unexpected(answer, check.expect)
    return Verdict(not reason, reason or f"status {answer.status} and {check.expect}", said)


def _unexpected(answer: http.Answer, expression: str) -> str:
    """Say why the body is not the one that the expression expects; empty when it is."""
    if answer.cut_at:
        return f"the body is longer than {answer.cut_at} bytes, and health.expect needs all of it"
    try:
        document = parse_json(answer.body)
    except ValueError as exc:
        return f"the body is not JSON, and health.expect needs JSON ({exc})"
    library = _jmespath()
    try:
        found = library.search(expression, document)
        return "" if found is True else f"{expression!r} gave {json.dumps(found)}, wanted true"
    except FAULTS as exc:
        return f"{expression!r} cannot be evaluated: {told(exc)}"


def probe(address: str, port: int, check: HealthCheck) -> Verdict:
    """Ask the health path once and judge what comes back."""
    try:
        answer = http.get(
            address,
            port,
            check.path,
            headers=check.request_headers,
            timeout=check.timeout,
        )
    except http.NoAnswer as exc:
        return Verdict(False, f"no HTTP answer ({exc})", f"none ({exc})")
    return judge(answer, check)
