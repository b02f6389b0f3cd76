# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker's SDK for Python: how it is loaded and connected, and what its errors mean here."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import sys
import typing as t
from http.client import HTTPException

from .._core import http
from .._core.boundary import FAULTS, told
from .._core.errors import EngineError, NotSetUpError

__all__ = [
    "SDK_FAULTS",
    "SOCKET",
    "EndpointConfig",
    "IPAMConfig",
    "IPAMPool",
    "NotFound",
    "connect",
    "translated",
]

_IMPORT_FAULT: Exception | None = None
try:
    from docker import APIClient
    from docker.errors import APIError, DockerException, NotFound
    from docker.types import EndpointConfig, IPAMConfig, IPAMPool
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    # What the SDK raises itself, and what it lets through from the libraries that it stands on.
    SDK_FAULTS: tuple[type[Exception], ...] = (DockerException, HTTPError, HTTPException, *FAULTS)
except (SyntaxError, *FAULTS) as exc:
    # Whatever stands in its way: libraries that do not fit, another Python, half an installation.
    SDK_FAULTS = FAULTS
    _IMPORT_FAULT = exc

SOCKET: t.Final = "unix:///var/run/docker.sock"
CALL_TIMEOUT: t.Final = 120
"""Seconds that one call may stay silent."""

API: t.Final = (1, 44)
"""The version of the Engine API whose answers are read here: the oldest that Engine 29 speaks.

An older engine is spoken to in its newest version, 1.41 at least; a newer one in its oldest.
"""
_PING_SECONDS: t.Final = 10.0

_LIBRARIES: t.Final = ("docker", "requests", "urllib3")


def _require_sdk() -> None:
    """Raise NotSetUpError unless the SDK could be loaded; say what stands in its way."""
    if _IMPORT_FAULT is None:
        return
    if isinstance(_IMPORT_FAULT, ModuleNotFoundError) and _IMPORT_FAULT.name == "docker":
        raise NotSetUpError(
            f"This host has no Docker SDK for Python (python3-docker) that its {_python()} finds."
            " Run setup-api.yml first. When it has been run, ansible_python_interpreter must name"
            " the distribution's Python, /usr/bin/python3."
        )
    raise NotSetUpError(
        f"The Docker SDK of this host cannot be loaded by its Python, {_python()}:"
        f" {told(_IMPORT_FAULT)}. {_mismatch_advice()}"
    ) from _IMPORT_FAULT


def _python() -> str:
    return f"{sys.executable} {'.'.join(str(number) for number in sys.version_info[:3])}"


def _mismatch_advice() -> str:
    there = ", ".join(map(_version, _LIBRARIES))
    return (
        f"There are {there}. What fits together is the distribution's own: python3-docker with"
        " /usr/bin/python3. Remove what pip has installed beside it (see 'pip3 list' and"
        " /usr/local/lib/python3*/dist-packages), or let ansible_python_interpreter name"
        " /usr/bin/python3. Nothing was changed."
    )


def _version(name: str) -> str:
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return f"no {name}"


@contextlib.contextmanager
def translated(what: str, *, may_be_gone: bool = False) -> t.Iterator[None]:
    """Turn what the SDK raises into an EngineError that says what failed.

    With `may_be_gone` its NotFound passes, which says that what is meant is not there.
    """
    _require_sdk()
    try:
        yield
    except APIError as exc:
        if may_be_gone and isinstance(exc, NotFound):
            raise
        raise EngineError(f"Docker could not {what}: {exc.explanation or exc}") from exc
    except (DockerException, RequestException) as exc:
        raise EngineError(f"Docker did not answer the call to {what}: {exc}") from exc
    except SDK_FAULTS as exc:
        text = f"Docker's answer to the call to {what} cannot be used: {told(exc)}"
        raise EngineError(text) from exc


@functools.cache
def connect(address: str) -> APIClient:
    """Return the SDK's client for an engine, the same one for all phases of a session.

    Raises NotSetUpError when nothing answers at the address, or when the SDK cannot speak to what
    does.
    """
    _require_sdk()
    try:
        with _no_settings_of_users():
            client = _client(address, API)
            offered = client.version(api_version=False)
            version = _common_version(offered)
            if version != API:
                client = _client(address, version)
    except SDK_FAULTS as exc:
        raise _no_client(address, exc) from exc
    return client


def _client(address: str, version: tuple[int, int]) -> APIClient:
    named = ".".join(str(number) for number in version)
    client = APIClient(base_url=address, version=named, timeout=CALL_TIMEOUT)
    # It speaks to a socket of this host: neither a proxy nor a password file concerns it, and to
    # look for them at each call takes a fifth of its time.
    client.trust_env = False
    return client


def _common_version(offered: t.Mapping[str, t.Any]) -> tuple[int, int]:
    """Return the version of the API to speak, from what the engine says that it speaks."""
    newest = _parsed(offered["ApiVersion"])
    oldest = _parsed(offered.get("MinAPIVersion") or offered["ApiVersion"])
    return max(min(API, newest), oldest)


def _parsed(version: str) -> tuple[int, int]:
    major, _dot, minor = version.partition(".")
    return int(major), int(minor)


@contextlib.contextmanager
def _no_settings_of_users() -> t.Iterator[None]:
    """Let the SDK find no config.json: what somebody's `docker login` has left is not ours.

    It would fail on a broken one, ask the helpers that one names for passwords, and hand its
    proxies to containers.
    """
    names = ("DOCKER_CONFIG", "HOME")
    before = {name: os.environ[name] for name in names if name in os.environ}
    # Below what is no folder there is nothing.
    os.environ.update(dict.fromkeys(names, os.devnull))
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]
        os.environ.update(before)


def _no_client(address: str, exc: Exception) -> NotSetUpError:
    """Say whether it is the engine that does not answer, or the SDK that cannot speak to it."""
    try:
        path = address.removeprefix("unix://")
        answer = http.get(path, 0, "/_ping", headers={"Host": "docker"}, timeout=_PING_SECONDS)
    except http.NoAnswer:
        return NotSetUpError(
            "The Docker engine does not answer on this host. 'systemctl status docker' says"
            f" why; on a new host run setup-api.yml first. ({exc})"
        )
    if answer.status != 200:
        return NotSetUpError(
            f"The Docker engine of this host is not ready: it answers HTTP {answer.status}"
            f" ({answer.body.strip()[:200]}). 'systemctl status docker' says why. ({exc})"
        )
    return NotSetUpError(
        f"The Docker SDK of this host's Python, {_python()}, cannot speak to the engine, which does"
        f" answer: {told(exc)}. {_mismatch_advice()}"
    )
