# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that runs beside the test: watched line by line, ended when the test says so."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from types import TracebackType

from dev.demo_process import BIN
from dev.settings import ROOT
from tests.e2e.playbooks import environment

LIMIT_SECONDS = 180.0


class Controller:
    """An ansible-playbook in a process group of its own. Use as a context manager."""

    def __init__(self, playbook: str, *arguments: str) -> None:
        """Plan it; nothing runs yet."""
        self._command = [str(BIN / "ansible-playbook"), f"playbooks/{playbook}.yml", *arguments]
        self._process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> Controller:
        """Start it."""
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it whatever happened."""
        self.kill()

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def _read(self) -> None:
        stream = self._running().stdout
        assert stream is not None
        for line in stream:
            self._lines.append(line.rstrip("\n"))

    @property
    def text(self) -> str:
        """All that it has printed so far."""
        return "\n".join(self._lines)

    def wait_for(self, text: str) -> None:
        """Wait until it has printed a text."""
        end = time.monotonic() + LIMIT_SECONDS
        while text not in self.text:
            assert self._running().poll() is None, self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.02)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to all of its processes, as a cancelled CI job or Ctrl-C would."""
        process = self._running()
        if process.poll() is None:
            os.killpg(process.pid, how)
        process.wait(timeout=LIMIT_SECONDS)
        self._reader.join(timeout=LIMIT_SECONDS)
        if process.stdout is not None:
            process.stdout.close()

    def end(self) -> int:
        """Wait for its end; return the exit code."""
        code = self._running().wait(timeout=LIMIT_SECONDS)
        self._reader.join(timeout=LIMIT_SECONDS)
        return code
