# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that speaks HTTP: one request, no redirect followed, a bounded body."""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass

BODY_LIMIT = 1024 * 1024
"""At most this many bytes of an answer are read, unless the caller says otherwise."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers with lower-case names, body text, seconds it took."""

    status: int
    headers: dict[str, str]
    body: str = ""
    seconds: float = 0.0


class NoAnswer(Exception):
    """The request got no HTTP answer; the text says why."""


def get(
    address: str,
    port: int,
    path: str,
    *,
    headers: dict[str, str],
    timeout: float,
    tls: bool = False,
    method: str = "GET",
    limit: int = BODY_LIMIT,
) -> Answer:
    """Make one request on a new connection. `timeout` is in seconds, `limit` in bytes.

    Raises NoAnswer.
    """
    begin = time.monotonic()
    connection = (
        http.client.HTTPSConnection(
            address, port, timeout=timeout, context=ssl.create_default_context()
        )
        if tls
        else http.client.HTTPConnection(address, port, timeout=timeout)
    )
    try:
        connection.request(method, path, headers={"Connection": "close", **headers})
        response = connection.getresponse()
        body = response.read(limit)
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            body.decode("utf-8", "replace"),
            time.monotonic() - begin,
        )
    except TimeoutError as exc:
        raise NoAnswer(f"no answer within {timeout:g} s") from exc
    except (OSError, http.client.HTTPException) as exc:
        raise NoAnswer(f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__) from exc
    finally:
        connection.close()
