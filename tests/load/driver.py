# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load in a process of its own, driven from Python: start, name the phases, stop, read."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from array import array
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.load.options import KINDS, LoadOptions

ROOT = Path(__file__).resolve().parent.parent.parent
STOP_SECONDS = 30.0


class LoadError(RuntimeError):
    """The load generator itself failed; says nothing about the target."""


class LoadRun:
    """One load. Use as a context manager so that it never outlives the caller."""

    def __init__(self, options: LoadOptions) -> None:
        """Plan the load; nothing is sent yet."""
        self.options = options
        self._process: subprocess.Popen[str] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="load-")
        self._report = Path(self._folder.name) / "report.json"
        self._pairs = Path(self._folder.name) / "samples"

    def __enter__(self) -> LoadRun:
        """Start the load; one that fails to start leaves nothing behind."""
        try:
            self.start()
        except LoadError:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process whatever happened."""
        self.close()

    def close(self) -> None:
        """Kill the process if it still runs and remove its files."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            # Reads what is left and closes both pipes.
            self._process.communicate()
        self._folder.cleanup()

    def start(self) -> None:
        """Start sending; returns when the first request is about to go."""
        arguments = [
            f"--{name.replace('_', '-')}={value}"
            for name, value in asdict(self.options).items()
            if name != "max_in_flight"
        ]
        command = [sys.executable, "-m", "tests.load", *arguments]
        self._process = subprocess.Popen(
            [
                *command,
                "--controlled",
                "--report",
                str(self._report),
                "--samples",
                str(self._pairs),
            ],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._read()

    def start_phase(self, name: str) -> dict[str, Any]:
        """Requests from now on belong to the phase `name`; returns the counts so far."""
        return self._ask({"phase": name})

    def progress(self) -> dict[str, Any]:
        """Counts so far: seconds, ok, failed."""
        return self._ask({"progress": True})

    def stop(self) -> dict[str, Any]:
        """Stop sending, wait for what is in flight, return the result (see record.py)."""
        process = self._running()
        if process.poll() is None:
            self._ask({"stop": True})
        limit = STOP_SECONDS + max(self.options.limit(kind) for kind in KINDS)
        try:
            process.wait(timeout=limit)
        except subprocess.TimeoutExpired as exc:
            process.kill()
            raise LoadError(f"the load did not end in {limit:.0f} s") from exc
        if not self._report.exists():
            raise LoadError(f"the load generator ended with code {process.returncode}")
        return dict(json.loads(self._report.read_text(encoding="utf-8")))

    def samples(self) -> list[tuple[float, float]]:
        """Planned second (from the start of the load) and milliseconds of each request."""
        pairs = array("d", self._pairs.read_bytes())
        return list(zip(pairs[::2], pairs[1::2], strict=True))

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise LoadError("the load was not started")
        return self._process

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()
        except BrokenPipeError as exc:
            raise LoadError("the load is over; plan more seconds") from exc
        return self._read()

    def _read(self) -> dict[str, Any]:
        process = self._running()
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise LoadError("the load is over or failed to start")
        return dict(json.loads(line))
