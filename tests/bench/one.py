# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.bench.one PART ROUNDS`: measure one part and keep it, in this process."""

from __future__ import annotations

import importlib
import signal
import sys
import time

from tests.bench import model


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def measure(name: str, rounds: int) -> model.Part:
    """Run one part and keep its outcome. Raises whatever the part raises."""
    began = time.monotonic()
    part: model.Part = importlib.import_module(f"tests.bench.parts.{name}").run(rounds, _say)
    path = model.write(part)
    print(f"== {name}: {time.monotonic() - began:.0f} s, kept in {path.name}", flush=True)
    return part


def _end(_number: int, _frame: object) -> None:
    """End as after Ctrl-C, so that what the part has started is taken down."""
    raise SystemExit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    measure(sys.argv[1], int(sys.argv[2]))
