# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker's SDK for Python: how it is loaded and connected, and what its errors mean here."""

from __future__ import annotations

import contextlib
import functools
import typing as t
from http.client import HTTPException

from .._core.boundary import FAULTS, told
from .._core.errors import EngineError, NotSetUpError

try:
    from docker import APIClient
    from docker.errors import APIError, DockerException, NotFound
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    # What the SDK raises itself, and what it lets through from the libraries that it stands on.
    SDK_FAULTS: tuple[type[Exception], ...] = (DockerException, HTTPError, HTTPException, *FAULTS)
    HAS_DOCKER = True
except ImportError:
    SDK_FAULTS = FAULTS
    HAS_DOCKER = False

SOCKET: t.Final = "unix:///var/run/docker.sock"
CALL_TIMEOUT: t.Final = 120
"""Seconds that one call may stay silent."""


@contextlib.contextmanager
def translated(what: str, *, may_be_gone: bool = False) -> t.Iterator[None]:
    """Turn what the SDK raises into an EngineError that says what failed.

    With `may_be_gone` its NotFound passes, which says that what is meant is not there.
    """
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

    Raises NotSetUpError when nothing answers at the address.
    """
    try:
        client = APIClient(base_url=address, version="auto", timeout=CALL_TIMEOUT)
    except SDK_FAULTS as exc:
        raise NotSetUpError(
            "The Docker engine does not answer on this host. 'systemctl status docker' says"
            f" why; on a new host run setup-api.yml first. ({exc})"
        ) from exc
    # It speaks to a socket of this host: neither a proxy nor a password file concerns it, and to
    # look for them at each call takes a fifth of its time.
    client.trust_env = False
    return client
