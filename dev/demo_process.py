# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs whose output is shown as it comes, and why one of them ended badly."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dev import settings

# The virtual environment's programs stand beside its interpreter; the link is not resolved.
BIN = Path(sys.executable).parent
SILENCE_SECONDS = 10.0
INDENT = "    | "
REASON = re.compile(r"failed at step '|^fatal: |^error: |^ERROR! |^\[ERROR\]|was not released")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with the virtual environment's programs first on the path."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": path, **(extra or {})}


def stream(
    command: Sequence[str],
    on_line: Callable[[str], None],
    *,
    cwd: Path = settings.ROOT,
    env: Mapping[str, str] | None = None,
) -> int:
    """Run `command`, give each line of its output to `on_line` at once; return the exit code."""
    with subprocess.Popen(
        list(command),
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            on_line(line.rstrip("\n"))
    return process.returncode


class Screen:
    """Prints a program's lines indented; says every 10 seconds of silence that it still runs."""

    def __init__(self) -> None:
        """Start the clock; nothing is printed yet."""
        self.lines: list[str] = []
        self._began = self._last = time.monotonic()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Screen:
        """Start to watch for silence."""
        self._watcher.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End the watching."""
        self._done.set()
        self._watcher.join()

    def show(self, line: str) -> None:
        """Print a line of the program and remember it."""
        self._last = time.monotonic()
        self.lines.append(line)
        print(f"{INDENT}{line}", flush=True)

    def _watch(self) -> None:
        while not self._done.wait(1.0):
            now = time.monotonic()
            if now - self._last >= SILENCE_SECONDS:
                self._last = now
                print(f"{INDENT}.. still at it after {now - self._began:.0f} s", flush=True)


def run_shown(command: Sequence[str], env: Mapping[str, str]) -> tuple[int, list[str]]:
    """Run a program with its output shown; return its exit code and its lines."""
    with Screen() as screen:
        code = stream(command, screen.show, env=env)
    return code, screen.lines


def reason(lines: Sequence[str]) -> str:
    """The line that says why a program failed: the first that names a cause, else the last one."""
    said = [line.strip() for line in lines if line.strip()]
    causes = [line for line in said if REASON.search(line)]
    return (causes or said[-1:] or ["it said nothing"])[0]
