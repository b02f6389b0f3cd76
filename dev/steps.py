# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line per step with its seconds; a long step shows that it is alive."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PROGRESS_SECONDS = 10.0


class Step:
    """A step that runs; `note` becomes the result, `detail` is shown while it takes long."""

    def __init__(self, title: str) -> None:
        """Start the clock of the step `title`."""
        self.title = title
        self.note = ""
        self._detail = ""
        self._began = time.monotonic()

    def detail(self, line: str) -> None:
        """Remember the last thing a long command said."""
        self._detail = line[:60]

    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._began

    def line(self, mark: str) -> str:
        """The line to print for this step, e.g. `ok      1.2 s  key pair: made`."""
        text = self.note if mark == "ok" else self._detail
        return f"{mark:<4}{self.seconds():7.1f} s  {self.title}{': ' + text if text else ''}"


def _show_progress(step: Step, done: threading.Event) -> None:
    while not done.wait(PROGRESS_SECONDS):
        print(step.line(".."), flush=True)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Time a block and print its line; every 10 seconds of a long one print what it does."""
    current = Step(title)
    done = threading.Event()
    watcher = threading.Thread(target=_show_progress, args=(current, done), daemon=True)
    watcher.start()
    mark = "FAIL"
    try:
        yield current
        mark = "ok"
    finally:
        done.set()
        watcher.join()
        print(current.line(mark), flush=True)
