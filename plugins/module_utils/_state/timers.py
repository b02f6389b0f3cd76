# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that calls systemd: for the end of a warm standby, and the watchdog of a run.

The timer is transient (systemd-run): a reboot forgets it, and a warm standby does not come back
after a reboot either, because its container has no restart policy.
"""

from __future__ import annotations

import subprocess
import typing as t

from .._core import files
from .._core.errors import TimerError
from .installation import LAUNCHER

RETIRE_PROGRAM: t.Final = (LAUNCHER, "retire")
"""It asks the pointer under the lock before it stops anything."""

WANTED: t.Final = "/etc/systemd/system/multi-user.target.wants"
"""Where systemd keeps what starts at a boot."""

SECRETS_UNIT: t.Final = "greenlight-secrets.service"
WITH_DOCKER: t.Final = "/etc/systemd/system/docker.service.wants"
"""Where systemd keeps what starts whenever Docker does."""

CALL_TIMEOUT: t.Final = 10
"""Seconds that one call may take while a release goes on."""

SET_UP_TIMEOUT: t.Final = 60
"""Seconds that one call of set-up may take, such as reading all units anew."""


def call(*command: str, seconds: float = SET_UP_TIMEOUT) -> subprocess.CompletedProcess[str]:
    """Run a program that asks systemd, or the kernel. Raises TimerError without an answer."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise TimerError(f"'{' '.join(command)}' gave no answer: {exc}.") from exc


def demand(*command: str, seconds: float = SET_UP_TIMEOUT, advice: str = "") -> None:
    """Run it and raise TimerError, with the advice, when it fails."""
    done = call(*command, seconds=seconds)
    if done.returncode != 0:
        raise TimerError(f"'{' '.join(command)}' failed: {done.stderr.strip()}.{advice}")


class Timers:
    """The timer of one application on this host."""

    def __init__(self, app: str) -> None:
        self._app = app
        self.unit = f"greenlight-{app}-warm"
        self.watchdog = f"greenlight-watchdog@{app}.service"

    def _call(self, *command: str) -> subprocess.CompletedProcess[str]:
        return call(*command, seconds=CALL_TIMEOUT)

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

    def arm_watchdog(self) -> None:
        """Start the unit that takes a run back when nobody goes on with it, now and at each boot.

        Started again, since one that is about to end would not see the run that begins now. Whoever
        calls holds the kernel lock, so the unit is in the middle of nothing. Raises TimerError.
        """
        if files.permissions(f"{WANTED}/{self.watchdog}") is None:
            self._require("enable", self.watchdog)
        # It waits until the command has been started, so that a missing one is noticed here.
        self._require("restart", self.watchdog)

    def enable_secrets(self) -> None:
        """Let a boot lay out the secrets before Docker starts containers. Raises TimerError."""
        if files.permissions(f"{WITH_DOCKER}/{SECRETS_UNIT}") is None:
            self._require("enable", SECRETS_UNIT)

    def _require(self, *arguments: str) -> None:
        advice = (
            " The host cannot take a release back without it: run setup-api.yml. Nothing was"
            " changed."
        )
        demand("systemctl", "--quiet", *arguments, seconds=CALL_TIMEOUT, advice=advice)

    def forget(self) -> None:
        """Forget the planned end, if there is one; also one that waits for the lock already."""
        self._call("systemctl", "stop", f"{self.unit}.timer", f"{self.unit}.service")
        self._call("systemctl", "reset-failed", f"{self.unit}.service")
