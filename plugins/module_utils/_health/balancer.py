# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load balancer shows: which hosts answer, and from which slot."""

from __future__ import annotations

import functools
import time
import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .._core import http
from .._core.boundary import boundary
from .._core.clock import Clock
from .._core.errors import SpecError
from .._model.health_check import request_headers

HOST_HEADER: t.Final = "x-greenlight-host"
SLOT_HEADER: t.Final = "x-greenlight-slot"

_REQUESTS_PER_HOST: t.Final = 3
"""Requests of one attempt for each host at most: with round robin one does; balancers vary."""


@dataclass(frozen=True)
class Seen:
    """What the last attempt saw, with what was kept from those before it.

    `missing` is empty when all was as expected.
    """

    seen: dict[str, list[str]]
    attempts: int
    missing: str
    message: str = ""


def compare(
    expected: dict[str, str],
    seen: dict[str, list[str]],
    strange: list[str],
    others: t.Collection[str] = (),
) -> str:
    """Say what differs from what is expected, in one sentence; empty when nothing does. Pure.

    `others` are hosts that may answer too, from whatever slot.
    """
    faults: list[str] = []
    for host, backend in expected.items():
        found = seen.get(host, [])
        if not found:
            faults.append(f"{host} was not seen")
        elif found != [backend]:
            faults.append(f"{host} answered from {' and '.join(found)}, expected {backend}")
    faults += [
        f"unexpected host {host} answered"
        for host in sorted(set(seen) - set(expected) - set(others))
    ]
    faults += strange[:3]
    return "; ".join(faults)


def verify(
    clock: Clock,
    *,
    url: str,
    host_header: str,
    expected: dict[str, str],
    attempts: int,
    delay: float,
    timeout: float,
    others: t.Collection[str] = (),
    status: t.Collection[int] = (200,),
    headers: t.Mapping[str, str] | None = None,
) -> Seen:
    """Ask through the balancer until all is as expected; `delay` and `timeout` are in seconds.

    A host that was seen on its slot stays seen until it answers from another one, so that a
    balancer that picks at random, or a slow one, needs no luck. An attempt ends as soon as all were
    seen. It begins no request after `timeout`, and each of them has `timeout` as well.
    """
    more = {str(name): str(value) for name, value in (headers or {}).items()}
    ask = functools.partial(_ask, _split(url), request_headers(host_header, more), timeout)
    missing = ""
    seen: dict[str, list[str]] = {}
    for attempt in range(1, attempts + 1):
        kept = {host for host, backend in expected.items() if seen.get(host) == [backend]}
        seen, missing = _attempt(ask, expected, kept, others, status, timeout)
        if not missing:
            count = len(expected)
            message = f"{count} of {count} hosts seen on their expected slot, attempt {attempt}"
            return Seen(seen, attempt, "", f"{message} of {attempts}")
        if attempt < attempts:
            clock.sleep(delay)
    text = (
        f"The load balancer {url} does not show what is expected after {attempts} attempts"
        f" {delay:g} s apart: {missing}."
    )
    return Seen(seen, attempts, text)


def _split(url: str) -> SplitResult:
    with boundary(f"url {url!r} is not a URL such as http://203.0.113.10/v1/health", SpecError):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("it needs http:// or https://, and a host")
    return parts


def _attempt(
    ask: t.Callable[[], http.Answer],
    expected: dict[str, str],
    kept: t.Collection[str],
    others: t.Collection[str],
    status: t.Collection[int],
    seconds: float,
) -> tuple[dict[str, list[str]], str]:
    """Ask until all were seen; return the backends by host, `kept` among them, and what is wrong.

    As many requests as there are hosts are made at least: after a bad answer, not one alone passes.
    """
    hosts = len(expected) + len(others)
    seen = {host: [expected[host]] for host in kept}
    strange: list[str] = []
    end = time.monotonic() + seconds
    for number in range(hosts * _REQUESTS_PER_HOST):
        is_done = number >= hosts and not compare(expected, seen, strange, others)
        if is_done or time.monotonic() > end:
            break
        try:
            answer = ask()
        except http.NoAnswer as exc:
            strange.append(f"a request got no answer ({exc})")
            continue
        host = answer.headers.get(HOST_HEADER, "")
        if host and answer.status in status:
            backends = {*seen.get(host, []), answer.headers.get(SLOT_HEADER, "?")}
            seen[host] = sorted(backends)
        else:
            source = host or "something that is no droplet of ours"
            strange.append(f"{source} answered HTTP {answer.status}")
    return seen, compare(expected, seen, strange, others)


def _ask(parts: SplitResult, headers: dict[str, str], timeout: float) -> http.Answer:
    """Make one request on a new connection. Raises NoAnswer."""
    tls = parts.scheme == "https"
    return http.get(
        t.cast("str", parts.hostname),
        parts.port or (443 if tls else 80),
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        headers=headers,
        timeout=timeout,
        tls=tls,
    )
