# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands: one place, typed, with the output in the error."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TAIL_LINES = 20


class CommandError(RuntimeError):
    """A command ended with a code other than 0, or took too long."""

    def __init__(self, command: Sequence[str], reason: str, output: str) -> None:
        """Keep the command, why it failed and the last lines of what it wrote."""
        self.command = list(command)
        self.reason = reason
        self.output = output
        tail = "\n".join(output.strip().splitlines()[-TAIL_LINES:])
        super().__init__(f"{' '.join(self.command[:6])}: {reason}\n{tail}".rstrip())


def as_root(command: Sequence[str]) -> list[str]:
    """The same command as root: unchanged for root, through sudo (never asking) otherwise."""
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


def run(
    command: Sequence[str],
    *,
    input_text: str | None = None,
    timeout: float | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run `command`, return its stdout; CommandError on failure or after `timeout` seconds."""
    try:
        done = subprocess.run(
            list(command),
            input=input_text,
            text=True,
            capture_output=True,
            timeout=timeout,
            env=None if env is None else {**os.environ, **env},
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise CommandError(command, f"no end after {timeout} s", "") from exc
    except FileNotFoundError as exc:
        raise CommandError(command, "not installed", "") from exc
    if done.returncode != 0:
        raise CommandError(command, f"exit code {done.returncode}", done.stdout + done.stderr)
    return done.stdout


def succeeds(command: Sequence[str], *, timeout: float | None = None) -> bool:
    """True when `command` ends with 0 within `timeout` seconds."""
    try:
        run(command, timeout=timeout)
    except CommandError:
        return False
    return True


def run_logged(
    command: Sequence[str],
    log: Path,
    on_line: Callable[[str], None],
) -> None:
    """Run a long command; its output goes to the file `log` and each line to `on_line`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            list(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            out.write(line)
            if line.strip():
                on_line(line.strip())
    if process.returncode != 0:
        text = log.read_text(encoding="utf-8")
        raise CommandError(command, f"exit code {process.returncode}, log in {log}", text)


def installed(program: str) -> bool:
    """True when `program` is found, also in the folders that only root has on its path."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
