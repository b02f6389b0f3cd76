# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one registry: logging in, redirects, patience, and one bound on the whole.

For tokens it follows distribution's token authentication. Credentials go to the registry and to
the place that it names for tokens, to nobody else, and never without TLS when the registry has it.
"""

from __future__ import annotations

import base64
import calendar
import dataclasses
import email.utils
import socket
import ssl
import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from .._core import http
from .._core.boundary import parse_json
from .._core.clock import Clock
from .._core.errors import RegistryError
from .._model.spec import Source
from .challenge import parse_challenges, token_url
from .registry_way import Way

BOUND: t.Final = 60.0
"""Seconds that all requests of one session may take, waits among them."""

_TIMEOUT: t.Final = 15.0
"""Seconds that one request may take, from the connection to the last byte of its answer."""

_PAUSES: t.Final = (0.5, 1.0, 2.0)
"""Seconds to wait before a request is made again, unless the registry names another time."""

_AGAIN: t.Final = (429, 500, 502, 503, 504)
"""The statuses that may pass by themselves."""

_REDIRECTS: t.Final = 5
_JSON: t.Final = "application/json"


@dataclass(frozen=True)
class Request:
    """What is asked for: a URL, the media types that are understood, at most how many bytes."""

    url: str
    accept: str = _JSON
    limit: int = http.BODY_LIMIT


class Session:
    """Requests to the registry of a repository with the credentials of its source."""

    def __init__(self, source: Source, host: str, repository: str, way: Way, clock: Clock) -> None:
        self._source = source
        self._repository = repository
        self._way = way
        self._clock = clock
        self._end = clock.now() + BOUND
        self._authorization = ""
        self.base = f"{'http' if source.plain_http else 'https'}://{host}"

    def get(self, request: Request) -> http.Answer:
        """Make a request and follow redirects. Raises RegistryError when there is no answer."""
        for _hop in range(_REDIRECTS + 1):
            answer = self._authorized(request)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            request = self._redirected(request, answer)
        raise RegistryError(
            f"The registry {self.base} redirects more than {_REDIRECTS} times, at last to"
            f" {_shown(request.url)}. Nothing was changed."
        )

    def _authorized(self, request: Request) -> http.Answer:
        # Blobs are often served by a storage host, which must not be shown the credentials.
        if _origin(request.url) != _origin(self.base):
            return self._patient(request, "")
        answer = self._patient(request, self._authorization)
        if answer.status == 401:
            fresh = self._log_in(request, answer.headers.get("www-authenticate", ""))
            if fresh and fresh != self._authorization:
                self._authorization = fresh
                answer = self._patient(request, fresh)
        return answer

    def _redirected(self, request: Request, answer: http.Answer) -> Request:
        location = answer.headers.get("location", "").strip()
        target = urljoin(request.url, quote(location, safe="%/:=&?~#+!$,;'@()*[]"))
        if not location or urlsplit(target).scheme not in ("http", "https"):
            raise RegistryError(
                f"The registry {self.base} redirects to {location[:200]!r}, which is no address."
                " Nothing was changed."
            )
        self._refuse_downgrade(request.url, target, "redirects")
        return dataclasses.replace(request, url=target)

    def _refuse_downgrade(self, before: str, after: str, what: str) -> None:
        if (urlsplit(before).scheme, urlsplit(after).scheme) == ("https", "http"):
            raise RegistryError(
                f"The registry {self.base} {what} from {_shown(before)} to {_shown(after)}, which"
                " has no TLS: what comes from there could be anybody's, so it is not asked. Let the"
                " registry name its addresses with https. Nothing was changed."
            )

    # -- credentials -----------------------------------------------------------------------------

    def _log_in(self, request: Request, header: str) -> str:
        """Return the Authorization header that a challenge asks for; empty when we have none."""
        pair = f"{self._source.username}:{self._source.password}".encode()
        basic = f"Basic {base64.b64encode(pair).decode()}" if self._source.username else ""
        challenges = parse_challenges(header)
        bearer = next((c for c in challenges if c.scheme == "bearer"), None)
        if bearer is None:
            return basic
        scope = f"repository:{self._repository}:pull"
        url = token_url(request.url, bearer.parameters, scope)
        self._refuse_downgrade(request.url, url, "wants its tokens fetched")
        return f"Bearer {self._token(Request(url), basic)}"

    def _token(self, request: Request, basic: str) -> str:
        asked = request.url
        for _hop in range(_REDIRECTS + 1):
            known = _origin(request.url) == _origin(asked)
            answer = self._patient(request, basic if known else "")
            if answer.status not in (301, 302, 303, 307, 308):
                break
            request = self._redirected(request, answer)
        self.refuse_unless_ok(answer)
        document = self.json(answer)
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str):
            raise RegistryError(
                f"{_shown(request.url)} has no token in its answer, which the registry"
                f" {self.base} wants. Nothing was changed."
            )
        return token

    # -- patience --------------------------------------------------------------------------------

    def _patient(self, request: Request, authorization: str) -> http.Answer:
        """Make a request, and again after what may pass: a cut connection, 5xx, too many of them.

        Returns the last answer; raises RegistryError when there was none.
        """
        for pause in (*_PAUSES, None):
            try:
                answer = self._once(request, authorization)
            except http.NoAnswer as exc:
                if pause is None or _is_final(exc.__cause__) or not self._wait(pause):
                    raise self._unreachable(request.url, exc) from exc
                continue
            if answer.status not in _AGAIN or pause is None:
                break
            asked = _retry_after(answer.headers.get("retry-after", ""), self._clock.wall())
            if not self._wait(pause if asked is None else asked):
                break
        return answer

    def _wait(self, seconds: float) -> bool:
        """Sleep that long when the bound leaves time for it and for one more request."""
        if self._clock.now() + seconds >= self._end:
            return False
        self._clock.sleep(seconds)
        return True

    def _once(self, request: Request, authorization: str) -> http.Answer:
        left = self._end - self._clock.now()
        if left <= 0:
            raise RegistryError(
                f"The registry {self.base} has not given all that was asked for within {BOUND:g} s."
                " Nothing was changed. Try again when it is faster."
            )
        parts = urlsplit(request.url)
        tls = parts.scheme == "https"
        headers = {"Accept": request.accept, "User-Agent": "greenlight"}
        if authorization:
            headers["Authorization"] = authorization
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        host, port = _place(parts)
        return http.get(
            host,
            port,
            path,
            headers=headers,
            timeout=min(_TIMEOUT, left),
            tls=tls,
            limit=request.limit,
            trust=self._way.trust() if tls else None,
            proxy=self._way.proxy(request.url),
        )

    def _unreachable(self, url: str, exc: http.NoAnswer) -> RegistryError:
        proxy = urlsplit(self._way.proxy(url))
        through = f" through Docker's proxy {proxy.hostname}:{proxy.port or 80}" if proxy[1] else ""
        host, port = _place(urlsplit(url))
        text = (
            f"The registry {host}:{port} cannot be reached from this host{through}: {exc}. Nothing"
            " was changed. Check the name, the network and its certificate."
        )
        if isinstance(exc.__cause__, ssl.SSLCertVerificationError):
            text += f" {self._way.advice}"
        return RegistryError(text)

    # -- answers ---------------------------------------------------------------------------------

    def json(self, answer: http.Answer) -> dict[str, t.Any]:
        """Return the answer's JSON object; an empty one for other JSON. Raises RegistryError."""
        try:
            # The beginning of an answer may be JSON by itself.
            document = parse_json("" if answer.cut_at else answer.body)
        except ValueError as exc:
            size = f", longer than {answer.cut_at} bytes" if answer.cut_at else ""
            raise RegistryError(
                f"{urlsplit(self.base).hostname} does not answer like a registry (no JSON{size},"
                f" HTTP {answer.status})."
                " Check the image name; for a registry without TLS set registry_plain_http."
            ) from exc
        return document if isinstance(document, dict) else {}

    def refuse_unless_ok(self, answer: http.Answer) -> None:
        """Raise RegistryError unless the status is 200."""
        host, port = _place(urlsplit(self.base))
        if answer.status in (401, 403):
            who = f"user {self._source.username!r}" if self._source.username else "no user"
            raise RegistryError(
                f"The registry {host}:{port} refused {who} (HTTP {answer.status})."
                " Check registry_username and registry_password, and the right to read"
                f" {self._repository}; nothing was changed."
            )
        if answer.status == 429:
            asked = _retry_after(answer.headers.get("retry-after", ""), self._clock.wall())
            later = f", and asks to come back in {asked:.0f} s" if asked else ""
            raise RegistryError(
                f"The registry {host}:{port} has had too many requests (HTTP 429){later}. At most"
                f" {BOUND:.0f} s are waited. Release again later; a registry often lets a user"
                " (registry_username) ask more often than nobody. Nothing was changed."
            )
        if answer.status != 200:
            raise RegistryError(
                f"The registry {host}:{port} answered HTTP {answer.status} for"
                f" {self._repository}; nothing was changed. Try again when it works."
            )


def _is_final(cause: BaseException | None) -> bool:
    """Tell whether the next request would get no answer either, or this one has waited enough."""
    if isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return False
    if isinstance(cause, socket.gaierror):
        return cause.errno != socket.EAI_AGAIN
    return isinstance(cause, (ssl.SSLError, PermissionError, TimeoutError, ValueError))


def _place(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return (parts.scheme, *_place(parts))


def _shown(url: str) -> str:
    """Return a URL without its query, in which storage hosts have signatures."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def _retry_after(value: str, now: float) -> float | None:
    """Return the seconds that a Retry-After header means; None when it means none."""
    if value.strip().isdigit():
        return float(value)
    parsed = email.utils.parsedate(value)
    return max(calendar.timegm(parsed) - now, 0.0) if parsed else None
