# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that touches systemd: the timer that ends a warm standby.

The timer is transient (systemd-run): a reboot forgets it, and a warm standby does not come back
after a reboot either, because its container has no restart policy.
"""

from __future__ import annotations

import subprocess
import typing as t

from .._core.errors import TimerError
from .installation import LAUNCHER

RETIRE_PROGRAM: t.Final = (LAUNCHER, "retire")
"""It asks the pointer under the lock before it stops anything."""

CALL_TIMEOUT: t.Final = 10
"""Seconds that one call of systemd may take."""


class Timers:
    """The timer of one application on this host."""

    def __init__(self, app: str) -> None:
        self._app = app
        self.unit = f"greenlight-{app}-warm"

    def _call(self, *command: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=CALL_TIMEOUT
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise TimerError(f"systemd did not answer '{' '.join(command)}': {exc}.") from exc

    def planned(self) -> str:
        """Return the identifier of the container that the timer will stop; empty for none."""
        found = self._call("systemctl", "show", "-P", "Description", f"{self.unit}.timer")
        active = self._call("systemctl", "is-active", "-q", f"{self.unit}.timer")
        return found.stdout.strip().rpartition(" ")[2] if active.returncode == 0 else ""

    def plan(self, container: str, seconds: float, grace: int) -> None:
        """Stop the container after `seconds`, with `grace` seconds between SIGTERM and SIGKILL.

        Raises TimerError.
        """
        self.forget()
        done = self._call(
            "systemd-run",
            f"--unit={self.unit}",
            f"--description=End of the warm standby {container}",
            f"--on-active={seconds:.0f}",
            "--timer-property=AccuracySec=1s",
            "--quiet",
            *RETIRE_PROGRAM,
            self._app,
            container,
            str(grace),
        )
        if done.returncode != 0:
            raise TimerError(
                f"systemd could not plan the end of the warm standby: {done.stderr.strip()}."
            )

    def forget(self) -> None:
        """Forget the planned end, if there is one; also one that waits for the lock already."""
        self._call("systemctl", "stop", f"{self.unit}.timer", f"{self.unit}.service")
        self._call("systemctl", "reset-failed", f"{self.unit}.service")
