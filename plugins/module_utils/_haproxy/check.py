# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's own check of a slot: its words in the configuration, written and read. Pure.

Set-up renders it from the application's health check, so that HAProxy asks as the gate does. What
HAProxy cannot do, such as judge JSON, stands in a comment beside it: the host has no inventory, and
reads there how a rollback at its console is to be judged.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from .._core.boundary import parse_json
from .._model.health_check import HealthCheck

_DEFINITION: t.Final = "# health check: "

_INTERIM: t.Final = ("100", "102", "103")
"""HAProxy takes an interim answer for the final one; that it came says that something answers."""

_COMPARED: t.Final = ("path", "host", "headers", "status", "timeout")
"""The options of a health check that HAProxy's own check follows."""


def word(text: str) -> str:
    """Quote a word for HAProxy's configuration, in which nothing inside has a meaning then."""
    return "'" + text.replace("'", "'\\''") + "'"


def bare_path(check: HealthCheck) -> str:
    """Return the path without its query: all that HAProxy's `path` has."""
    return check.path.partition("?")[0]


def check_lines(check: HealthCheck) -> list[str]:
    """Return the lines of a backend that make HAProxy ask as the gate does."""
    # What comes after `hdr NAME` is a format of log lines, where % has a meaning.
    headers = " ".join(
        f"hdr {name} {word(value.replace('%', '%%'))}"
        for name, value in check.request_headers.items()
    )
    expected = ",".join([*(str(code) for code in check.status), *_INTERIM])
    return [
        f"{_DEFINITION}{json.dumps(dataclasses.asdict(check), sort_keys=True)}",
        "option httpchk",
        f"timeout check {round(check.timeout * 1000)}ms",
        f"http-check send meth GET uri {word(check.path)} ver HTTP/1.1 {headers}",
        f"http-check expect status {expected}",
    ]


def read_check(configuration: str, backend: str) -> dict[str, t.Any]:
    """Return the options of the health check that set-up was told; what is not said is absent.

    A configuration of an earlier version says path, host and status alone.
    """
    _before, _name, rest = configuration.partition(f"\nbackend {backend}\n")
    body = re.split(r"^\S", rest, maxsplit=1, flags=re.MULTILINE)[0]
    if told := re.search(rf"^\s+{_DEFINITION}(.*)$", body, re.M):
        try:
            found = parse_json(told[1])
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
    return _read_words(body)


def _read_words(body: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    if sent := re.search(
        r"^\s+http-check send .*?\buri (\S+)(?: .*?\bhdr Host (\S+))?", body, re.M
    ):
        found["path"] = sent[1]
        found |= {"host": sent[2]} if sent[2] else {}
    if expected := re.search(r"^\s+http-check expect status ([0-9,]+)\s*$", body, re.M):
        found["status"] = [int(number) for number in expected[1].split(",")]
    return found


def differences(told: t.Mapping[str, t.Any], check: HealthCheck) -> list[str]:
    """Return the options in which HAProxy's check is another one than a release's."""
    asked = dataclasses.asdict(check)
    return [
        f"health.{name}"
        for name in _COMPARED
        if name in told and _plain(told[name]) != _plain(asked[name])
    ]


def _plain(value: t.Any) -> t.Any:
    return list(value) if isinstance(value, tuple) else value
