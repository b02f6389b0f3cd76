# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the sample API: `python -m tests.sample_api`."""

from __future__ import annotations

import asyncio
import os
import time

from tests.sample_api.server import Server, log
from tests.sample_api.settings import Settings


def main() -> None:
    """Start, after the delay that the environment asks for, and serve until SIGTERM."""
    settings = Settings.read(dict(os.environ))
    behaviour = ",".join(sorted(settings.behaviours)) or "good"
    log(f"starting: sha {settings.sha}, behaviour {behaviour}")
    if "crash-on-start" in settings.behaviours:
        raise ConnectionRefusedError("cannot connect to database at db.internal:5432 (planned)")
    time.sleep(settings.start_seconds)
    asyncio.run(Server(settings).run())


if __name__ == "__main__":
    main()
