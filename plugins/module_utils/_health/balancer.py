# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load balancer shows: which hosts answer, and from which slot."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from .._core import http
from .._core.boundary import boundary
from .._core.clock import Clock
from .._core.errors import SpecError

HOST_HEADER: t.Final = "x-greenlight-host"
SLOT_HEADER: t.Final = "x-greenlight-slot"

_REQUESTS_PER_HOST: t.Final = 3
"""Requests of one attempt for each host: with round robin, one would do; balancers vary."""


@dataclass(frozen=True)
class Seen:
    """What the last attempt saw; `missing` is empty when all was as expected."""

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
) -> Seen:
    """Ask through the balancer until all is as expected; `delay` and `timeout` are in seconds.

    One attempt takes at most `timeout`, one answer included, however many requests it makes.
    """
    with boundary(f"url {url!r} is not a URL such as http://203.0.113.10/v1/health", SpecError):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("it needs http:// or https://, and a host")
    missing = ""
    seen: dict[str, list[str]] = {}
    for attempt in range(1, attempts + 1):
        requests = (len(expected) + len(others)) * _REQUESTS_PER_HOST
        seen, strange = _attempt(url, host_header, requests, timeout, status)
        missing = compare(expected, seen, strange, others)
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


def _attempt(
    url: str, host_header: str, requests: int, timeout: float, status: t.Collection[int]
) -> tuple[dict[str, list[str]], list[str]]:
    """Make that many requests; return the backends by host, and what was no proper answer."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    headers = {"User-Agent": "greenlight-balancer-check"}
    if host_header:
        headers["Host"] = host_header
    seen: dict[str, set[str]] = {}
    strange: list[str] = []
    end = time.monotonic() + timeout
    for _request in range(requests):
        if time.monotonic() > end:
            strange.append(f"an attempt took longer than {timeout:g} s")
            break
        try:
            answer = http.get(
                t.cast("str", parts.hostname),
                parts.port or (443 if tls else 80),
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                headers=headers,
                timeout=timeout,
                tls=tls,
            )
        except http.NoAnswer as exc:
            strange.append(f"a request got no answer ({exc})")
            continue
        host = answer.headers.get(HOST_HEADER, "")
        if host and answer.status in status:
            seen.setdefault(host, set()).add(answer.headers.get(SLOT_HEADER, "?"))
        else:
            source = host or "something that is no droplet of ours"
            strange.append(f"{source} answered HTTP {answer.status}")
    return {host: sorted(backends) for host, backends in seen.items()}, strange
