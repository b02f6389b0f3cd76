# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pull from its beginning to its end: what the engine says of it, its bound, and patience.

The engine itself tries each layer several times, but the manifest once: a registry that is busy or
restarts for a second would end a release that it had promised an image to.
"""

from __future__ import annotations

import queue
import re
import threading
import typing as t

from .._core.clock import Clock
from .._core.errors import EngineError
from .sdk import CALL_TIMEOUT, SDK_FAULTS, translated

_Told: t.TypeAlias = "queue.SimpleQueue[t.Any]"
_OVER: t.Final = object()

_PAUSES: t.Final = (1.0, 3.0)
"""Seconds to wait before a pull is begun again."""

_PASSING: t.Final = re.compile(
    r"\b(429|50[0234])\b|toomanyrequests|connection (reset|refused)|\bEOF\b|broken pipe"
    r"|i/o timeout|handshake timeout",
    re.IGNORECASE,
)
"""What an engine says of a registry that may well answer the next time."""

_LAYER: t.Final = ("Pulling fs layer", "Already exists", "Waiting", "Downloading")
"""What the engine says once it has the manifest."""


def pull(begin: t.Callable[[], t.Iterable[t.Any]], what: str, limit: float, clock: Clock) -> None:
    """Follow a pull that `begin` begins, and begin it again while it may be worth it.

    `what` names the image. All of it takes `limit` seconds, and one silence, at most. Raises
    EngineError.
    """
    end = clock.now() + limit
    for pause in (*_PAUSES, None):
        progress = _Progress(what, limit, end, clock)
        try:
            progress.follow(begin)
        except EngineError as exc:
            passing = not progress.has_manifest and _PASSING.search(str(exc))
            if pause is None or not passing or clock.now() + pause >= end:
                raise
            clock.sleep(pause)
        else:
            return


class _Progress:
    """What one pull has said; `end` is a time of the clock."""

    def __init__(self, what: str, limit: float, end: float, clock: Clock) -> None:
        self._what = what
        self._limit = limit
        self._end = end
        self._clock = clock
        self.has_manifest = False

    def follow(self, begin: t.Callable[[], t.Iterable[t.Any]]) -> None:
        told: _Told = queue.SimpleQueue()
        # The SDK waits for ever for the next message of a pull, so somebody else waits for it.
        threading.Thread(target=self._tell, args=(begin, told), daemon=True).start()
        try:
            while (message := self._next(told)) is not _OVER:
                self._take(message)
        except SDK_FAULTS as exc:
            raise EngineError(f"The pull of {self._what} was cut off: {exc}") from exc

    def _tell(self, begin: t.Callable[[], t.Iterable[t.Any]], told: _Told) -> None:
        """Hand on what the engine says, and how it ends; it may never come to its end."""
        try:
            with translated(f"pull {self._what}"):
                messages = begin()
            for message in messages:
                told.put(message)
            told.put(_OVER)
        except EngineError as exc:
            told.put(exc)
        except SDK_FAULTS as exc:
            told.put(exc)

    def _next(self, told: _Told) -> t.Any:
        """Return the next message, _OVER at the end.

        Raises EngineError, also after a silence, and what the SDK has raised.
        """
        left = self._end - self._clock.now()
        try:
            found = told.get(timeout=min(max(left, 0.0), CALL_TIMEOUT))
        except queue.Empty:
            if left <= CALL_TIMEOUT:
                raise self._late() from None
            raise EngineError(
                f"The pull of {self._what} was silent for {CALL_TIMEOUT} s. The registry or the"
                " network stands still."
            ) from None
        if isinstance(found, Exception):
            raise found
        return found

    def _late(self) -> EngineError:
        return EngineError(
            f"The pull of {self._what} was not over after {self._limit:g} s. The registry or"
            " the network is slow; set app_pull_seconds if that is so."
        )

    def _take(self, message: dict[str, t.Any]) -> None:
        if said := _error_of(message):
            raise EngineError(f"Docker could not pull {self._what}: {said}")
        self.has_manifest |= message.get("status") in _LAYER
        if self._clock.now() > self._end:
            raise self._late()


def _error_of(message: dict[str, t.Any]) -> str:
    """Return the error in a message of a pull; empty when there is none.

    Engines up to 28 name it twice, later ones in the detail alone (Engine API 1.48).
    """
    detail = message.get("errorDetail") or {}
    return str(detail.get("message") or message.get("error") or "")
