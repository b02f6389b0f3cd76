# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.bench [part ...]`: measure, keep the figures, print ratios, write the page."""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from tests.bench import model, rounds

PARTS = ("release", "load", "scale", "setup", "footprint", "profile")
"""Each is a module of tests.bench.parts with `run(rounds, say) -> model.Part`."""


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def measure(name: str, count: int) -> model.Part:
    """Run one part and keep its outcome."""
    print(f"== {name}", flush=True)
    began = time.monotonic()
    part: model.Part = importlib.import_module(f"tests.bench.parts.{name}").run(count, _say)
    path = model.write(part)
    print(f"== {name}: {time.monotonic() - began:.0f} s, kept in {path.name}", flush=True)
    return part


def main(arguments: list[str]) -> int:
    """Measure the parts that were named, or all; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which parts; all without")
    parser.add_argument("--rounds", type=int, default=rounds.ROUNDS, help="rounds of each measure")
    options = parser.parse_args(arguments)
    parts = [measure(name, options.rounds) for name in options.parts or PARTS]
    missed = [target for part in parts for target in part.targets if not target.is_met]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
