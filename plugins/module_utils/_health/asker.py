# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the health path beside other work: who watches a release sees its counters meanwhile."""

from __future__ import annotations

import queue
import threading

from .._core.boundary import FAULTS
from .._core.errors import GreenlightError
from .._model.health_check import HealthCheck
from .probe import Verdict, probe


class Asker:
    """Asks one address, one request at a time. `asked` is the number of requests so far."""

    def __init__(self, address: str, port: int, check: HealthCheck) -> None:
        self._address = address
        self._port = port
        self._check = check
        self._answers: queue.SimpleQueue[Verdict | Exception] = queue.SimpleQueue()
        self.is_waiting = False
        self.asked = 0

    def verdict(self, seconds: float) -> Verdict | None:
        """Ask, unless a request is under way, and wait that long for its judgement; None: not yet.

        A request takes the check's timeout at most, so that the judgement comes at last. Raises
        what `probe` does.
        """
        if not self.is_waiting:
            self.is_waiting = True
            self.asked += 1
            # It ends by itself in the time of one answer; nobody waits for it at the end.
            threading.Thread(target=self._ask, daemon=True).start()
        try:
            found = self._answers.get(timeout=seconds)
        except queue.Empty:
            return None
        self.is_waiting = False
        if isinstance(found, Exception):
            raise found
        return found

    def _ask(self) -> None:
        try:
            self._answers.put(probe(self._address, self._port, self._check))
        except (GreenlightError, *FAULTS) as exc:
            self._answers.put(exc)
