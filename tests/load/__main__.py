# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the load generator; with --controlled it is driven through its stdin."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.load.options import KINDS, LoadOptions
from tests.load.worker import Worker


def parser() -> argparse.ArgumentParser:
    """The command line."""
    main_parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    main_parser.add_argument("--url", required=True, help="http://127.0.0.1:PORT, nothing else")
    defaults = LoadOptions("http://127.0.0.1")
    lengths = ("stream_seconds", "websocket_seconds", "timeout")
    for name in ("seconds", *(f"{kind}_rate" for kind in KINDS), *lengths):
        flag = f"--{name.replace('_', '-')}"
        main_parser.add_argument(flag, type=float, default=getattr(defaults, name))
    for name in ("slow_ms", "connections"):
        flag = f"--{name.replace('_', '-')}"
        main_parser.add_argument(flag, type=int, default=getattr(defaults, name))
    main_parser.add_argument("--report", type=Path, help="write the whole result as JSON")
    main_parser.add_argument(
        "--samples", type=Path, help="write each request's planned second and milliseconds: doubles"
    )
    main_parser.add_argument("--controlled", action="store_true", help="take commands on stdin")
    return main_parser


def _command(worker: Worker, line: str) -> None:
    """Obey a line from the driver; its end means that the driver is gone."""
    if not line:
        worker.stop()
        return
    command = json.loads(line)
    if "phase" in command:
        worker.start_phase(str(command["phase"]))
    if "stop" in command:
        worker.stop()
    print(json.dumps(worker.progress()), flush=True)


async def _run(worker: Worker, *, controlled: bool) -> dict[str, Any]:
    if controlled:
        loop = asyncio.get_running_loop()

        def on_input() -> None:
            line = sys.stdin.readline()
            if not line:
                loop.remove_reader(sys.stdin)
            _command(worker, line)

        loop.add_reader(sys.stdin, on_input)
        print(json.dumps({"ready": True}), flush=True)
    return await worker.run()


def text_summary(result: dict[str, Any]) -> str:
    """A few lines for a person."""
    lines = [
        f"{result['requests']} requests in {result['seconds']} s: {result['ok']} ok, "
        f"{result['failed']} failed, {result['reconnects']} reconnects"
    ]
    for name, tally in result["kinds"].items():
        lines.append(
            f"  {name:<11}{tally['ok']:>8} ok {tally['failed']:>6} failed  "
            + "  ".join(f"{key} {value} ms" for key, value in tally["latency_ms"].items())
        )
    lines.extend(f"  failed: {count} x {name}" for name, count in result["reasons"].items())
    return "\n".join(lines)


def clean(result: dict[str, Any], options: LoadOptions) -> bool:
    """True when nothing failed and every kind that was asked for was really sent."""
    wanted = [kind for kind in KINDS if options.rate(kind) > 0]
    return result["failed"] == 0 and all(kind in result["kinds"] for kind in wanted)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a load; 0 when every request was answered, 1 when one was not, 2 for a bad call."""
    given = vars(parser().parse_args(arguments))
    report, controlled = given.pop("report"), given.pop("controlled")
    samples = given.pop("samples")
    try:
        options = LoadOptions(**given)
    except ValueError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2
    worker = Worker(options)
    result = asyncio.run(_run(worker, controlled=controlled))
    if samples is not None:
        samples.write_bytes(worker.recorder.samples.tobytes())
    if report is not None:
        report.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if not controlled:
        print(text_summary(result))
    return 0 if clean(result, options) else 1


if __name__ == "__main__":
    sys.exit(main())
