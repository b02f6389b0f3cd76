# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work inside a droplet: commands, small programs, and the load generator on its own loopback.

Load from within does not pass the published port of the container that stands for the droplet, nor
its firewall, so what is measured is the proxy and the application. Only what every droplet has is
used there: Python's standard library.
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
import tarfile
import threading
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from dev import settings
from dev.docker_cli import docker
from dev.engine import docker_command
from dev.shell import CommandError
from tests.load.driver import LoadError
from tests.load.options import LoadOptions

COMMAND_SECONDS = 120.0
STOP_SECONDS = 30.0
"""What a load may take beyond its planned time: requests in flight, up to their time limit."""
PROGRAMS = (Path("tests") / "load", Path("tests") / "sample_api")
"""The load generator, and the frames of WebSocket that it shares with the sample API."""


@dataclass(frozen=True)
class Sent:
    """What came of one load: counts, and (Unix time planned, milliseconds) of each request.

    `failed_before` counts those that failed and were planned before the first named phase.
    """

    requests: int
    failed: int
    reasons: dict[str, int]
    samples: list[tuple[float, float]]
    failed_before: int = 0


def sent(result: dict[str, Any], pairs: bytes) -> Sent:
    """Return the outcome of a load from its report and its file of samples (doubles)."""
    numbers = array("d", pairs)
    began = float(result["began_at"])
    samples = [(began + at, took) for at, took in zip(numbers[::2], numbers[1::2], strict=True)]
    before = result["phases"][0]["failed"]
    return Sent(result["requests"], result["failed"], dict(result["reasons"]), samples, before)


def packed(folders: Sequence[Path]) -> str:
    """Return the Python files of folders of this project as a compressed archive in base64."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in sorted(path for one in folders for path in (settings.ROOT / one).glob("*.py")):
            archive.add(path, arcname=str(path.relative_to(settings.ROOT)))
    return base64.b64encode(buffer.getvalue()).decode("ascii")


class Inside:
    """A folder of ours inside the droplet `name`; the end of the context removes it."""

    def __init__(self, name: str) -> None:
        """Name the droplet; nothing is done yet."""
        self.container = settings.container(name)
        self.folder = ""

    def __enter__(self) -> Inside:
        """Make the folder and put the load generator in. Raises CommandError."""
        self.folder = self.run("mktemp -d /var/tmp/greenlight-bench.XXXXXX").strip()
        try:
            self.run(f"base64 -d | tar -xz -C {self.folder}", input_text=packed(PROGRAMS))
        except CommandError:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the folder, whatever happened."""
        self.close()

    def close(self) -> None:
        """Remove the folder; safe to repeat."""
        if self.folder:
            self.run(f"rm -rf {self.folder}")
            self.folder = ""

    def run(
        self, command: str, *, input_text: str | None = None, seconds: float = COMMAND_SECONDS
    ) -> str:
        """Run a shell command as root, return its stdout. Raises CommandError."""
        limited = ("timeout", f"{seconds:.0f}", "bash", "-c", command)
        outer = seconds + 10  # the limit inside comes first: then nothing runs on in there
        interactive = ("-i",) if input_text is not None else ()
        words = ("exec", *interactive, self.container, *limited)
        return docker(*words, input_text=input_text, timeout=outer)

    def write(self, name: str, text: str) -> str:
        """Write a file into the folder and return its path."""
        path = f"{self.folder}/{name}"
        self.run(f"cat > {path}", input_text=text)
        return path

    def python(self, program: str, *arguments: str, seconds: float = COMMAND_SECONDS) -> Any:
        """Run a Python program's text inside and return the JSON that it prints."""
        words = " ".join(("python3", "-", *arguments))
        return json.loads(self.run(words, input_text=program, seconds=seconds))


class InsideLoad:
    """A load that runs inside the droplet until `stop`, at most for its planned seconds."""

    def __init__(self, inside: Inside, name: str, options: LoadOptions) -> None:
        """Plan the load; `name` tells its files from those of another one at the same time."""
        self._inside = inside
        self._options = options
        self._base = f"{inside.folder}/{name}"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> InsideLoad:
        """Start to send; returns when the first request is about to go. Raises LoadError."""
        words = [
            f"--{key.replace('_', '-')}={value}"
            for key, value in asdict(self._options).items()
            if key != "max_in_flight"
        ]
        files = ["--report", f"{self._base}.json", "--samples", f"{self._base}.samples"]
        limit = f"{self._options.seconds + STOP_SECONDS:.0f}"
        python = ["timeout", limit, "python3", "-m", "tests.load", *words, "--controlled", *files]
        place = ["exec", "-i", "--workdir", self._inside.folder, self._inside.container]
        self._process = subprocess.Popen(
            [*docker_command(), *place, *python],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if not self._line():
            self._end()
            raise LoadError(f"the load generator did not start in {self._inside.container}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the sending, whatever happened."""
        self._end()

    def start_phase(self, name: str) -> None:
        """Requests planned from now on belong to the phase `name`. Raises LoadError."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"phase": name}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise LoadError("the load is over; plan more seconds") from exc
        if not self._line():
            raise LoadError(f"the load generator ended in {self._inside.container}")

    def _line(self) -> str:
        """Read what the generator says; empty when it has ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _end(self) -> None:
        """Close the generator's input, which is its sign to stop, and wait for its end."""
        process = self._process
        if process is None:
            return
        killer = threading.Timer(self._options.seconds + STOP_SECONDS, process.kill)
        killer.start()
        try:
            process.communicate()
        finally:
            killer.cancel()
            self._process = None

    def stop(self) -> Sent:
        """Stop sending, wait for what is in flight, return the outcome. Raises CommandError."""
        self._end()
        report = json.loads(self._inside.run(f"cat {self._base}.json"))
        pairs = base64.b64decode(self._inside.run(f"base64 -w0 {self._base}.samples"))
        return sent(report, pairs)
