# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.bench [part ...]`: measure, keep the figures, print ratios, write the page.

Without a part all are measured; `report` measures nothing and only writes the page and its plots.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from dev.settings import ROOT
from tests.bench import model, publish, rounds, table

REPORT = "report"


def apart(name: str, count: int) -> bool:
    """Measure a part in a process of its own; True when it ended well.

    So a part that fails takes no other with it, and none inherits what another has loaded.
    """
    print(f"== {name}", flush=True)
    command = [sys.executable, "-m", "tests.bench.one", name, str(count)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            return process.wait() == 0
        except KeyboardInterrupt:
            # The part was interrupted as well and takes down what it started. That is waited for.
            process.wait()
            raise


def main(arguments: Sequence[str]) -> int:
    """Measure the parts that were named, or all.

    Returns 1 when a part failed or a target was missed, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = ", ".join(model.PARTS)
    parser.add_argument("parts", nargs="*", help=f"{names}; all without; or {REPORT} alone")
    parser.add_argument("--rounds", type=int, default=rounds.ROUNDS, help="rounds of each measure")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.parts == [REPORT]:
        publish.publish()
        return 0
    unknown = sorted(set(options.parts) - set(model.PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {names}")
    chosen = list(dict.fromkeys(options.parts)) or list(model.PARTS)
    failed = [name for name in chosen if not apart(name, options.rounds)]
    return _finish([name for name in chosen if name not in failed], failed)


def _finish(measured: Sequence[str], failed: Sequence[str]) -> int:
    """Write the page, print the table of what was measured; return the exit code."""
    parts = [part for part in publish.publish() if part.name in measured]
    print(f"\n{table.table(parts)}\n")
    for name in failed:
        print(f"== {name}: FAILED, see above; what was kept of an earlier run stays")
    print(f"== written: docs/{publish.PAGE}", flush=True)
    missed = [target for part in parts for target in part.targets if not target.is_met]
    return 1 if failed or missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
