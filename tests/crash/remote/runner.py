# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the droplet: one module of the collection with its parameters, watched or not.

Usage: python3 -m tests.crash.remote.runner MODULE plain|record|kill|pause [FOLDER [KEY]] < JSON

- plain: just run it; the result goes to stdout, as the module prints it
- record: run it and write the keys of all points to FOLDER/points.json
- kill: SIGKILL this process right before the point KEY takes effect
- pause: right before the point KEY write FOLDER/reached and wait there, so that whoever called can
  cut the power from outside; who is not cut off within a minute ends by SIGKILL
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from tests.crash.remote.points import Points, install
from tests.integration.support.remote.calls import run

PAUSE_SECONDS = 60.0


def kill_self() -> None:
    """End at once, without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(module: str, mode: str, folder: str = "", key: str = "") -> None:
    """Run the module in this mode."""
    seen: list[str] = []

    def act(point: str) -> None:
        seen.append(point)
        if point == key and mode == "kill":
            kill_self()
        elif point == key and mode == "pause":
            Path(folder, "reached").write_text(point, encoding="utf-8")
            time.sleep(PAUSE_SECONDS)
            kill_self()

    parameters = json.load(sys.stdin)
    points = Points(act)
    if mode != "plain":
        install(points)
    try:
        run(module, parameters)
    finally:
        points.effect("end")
        points.watching = False
        if mode == "record":
            Path(folder, "points.json").write_text(json.dumps(seen), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
