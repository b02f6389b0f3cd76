# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guard the way in while it changes: a copy of its files, and a timer that puts them back.

The timer is a unit of its own, not a transient one: after a reboot in the middle of a change it
starts again, so that a host whose new way in was never proved gets the old one back all the same.
"""

from __future__ import annotations

import json
import os
import typing as t

from .._core import files
from .._core.errors import NotSetUpError, SpecError, TimerError
from .._state import timers
from .._state.installation import LAUNCHER
from . import restore

PROGRAM: t.Final = (LAUNCHER, "restore-access")
UNIT: t.Final = "greenlight-way-in"
UNITS: t.Final = "/etc/systemd/system"
TIMER: t.Final = f"{UNITS}/{UNIT}.timer"
SERVICE: t.Final = f"{UNITS}/{UNIT}.service"

LEAST_SECONDS: t.Final = 5
"""A shorter time would put the way in back before a fresh connection can be tried."""

_SERVICE_TEXT: t.Final = f"""\
# Written by the module way_in of greenlight.droplet; gone once the way in is proved.
[Unit]
Description=Put firewall and sshd back, because no fresh connection proved the new way in

[Service]
Type=oneshot
ExecStart={" ".join(PROGRAM)}
# What fails once, on a full disk for instance, may go well later.
Restart=on-failure
RestartSec=30s
"""

_TIMER_TEXT: t.Final = """\
# Written by the module way_in of greenlight.droplet; gone once the way in is proved.
[Unit]
Description=Time left to prove the new way in

[Timer]
OnActiveSec={seconds}s
AccuracySec=1s
"""


def is_guarded() -> bool:
    """Tell whether a change of the way in waits for its proof."""
    return os.path.exists(restore.GUARD)


def guard(paths: t.Sequence[str], services: t.Sequence[str], seconds: int) -> bool:
    """Copy the paths and start the timer that puts them back; return whether that was new.

    While a guard stands its copies stay, for they are the last way in that was proved; only the
    timer begins anew. Raises GreenlightError, and then nothing is guarded.
    """
    _check(paths, seconds)
    _check_program()
    files.make_folder(restore.FOLDER, 0o700)
    descriptor = restore.lock()
    try:
        new = not is_guarded()
        restore.remove(restore.RECORD)
        stored = _stored() if not new else _fresh()
        known = {item["path"] for item in stored["paths"]}
        stored["paths"] += [_keep(path, len(known) + n) for n, path in _missing(paths, known)]
        stored["services"] += [name for name in services if name not in stored["services"]]
        files.write_atomic(restore.GUARD, json.dumps(stored) + "\n", 0o600)
        _start_timer(seconds)
    finally:
        os.close(descriptor)
    return new


def _check(paths: t.Sequence[str], seconds: int) -> None:
    if seconds < LEAST_SECONDS:
        raise SpecError(
            f"seconds is {seconds}; at least {LEAST_SECONDS} are needed to try a fresh connection."
            " Nothing was changed."
        )
    for path in paths:
        if os.path.normpath(path) != path or path.count("/") < 2 or not path.startswith("/"):
            raise SpecError(
                f"The path {path!r} cannot be guarded: it must be absolute, without '..' or a slash"
                " at its end, and below a folder of the root, such as /etc/ssh. Nothing was"
                " changed."
            )


def _check_program() -> None:
    """See that what the timer is to start does start; a guard that cannot act is none."""
    command = (*PROGRAM, "--check")
    done = timers.call(*command) if os.path.exists(LAUNCHER) else None
    if done is None or done.returncode != 0:
        said = done.stderr.strip()[:300] if done else f"{LAUNCHER} is not installed"
        raise NotSetUpError(
            f"Nothing could put the way in back: '{' '.join(command)}' fails ({said}). Role command"
            " of setup-api.yml installs it. Nothing was changed."
        )


def _stored() -> dict[str, t.Any]:
    text = files.read_text(restore.GUARD) or "{}"
    return t.cast("dict[str, t.Any]", json.loads(text))


def _fresh() -> dict[str, t.Any]:
    """Begin a guard with what services were before; copies without a guard are left-overs."""
    restore.remove(restore.COPIES)
    files.make_folder(restore.COPIES, 0o700)
    settings = files.read_text("/etc/ufw/ufw.conf") or ""
    table = os.path.exists("/usr/sbin/nft") and (
        timers.call("nft", "list", "table", "inet", "greenlight").returncode == 0
    )
    active = "ENABLED=yes" in settings.splitlines()
    return {"paths": [], "services": [], "ufw_active": active, "nftables_table": table}


def _missing(paths: t.Sequence[str], known: set[str]) -> list[tuple[int, str]]:
    return list(enumerate(path for path in dict.fromkeys(paths) if path not in known))


def _keep(path: str, number: int) -> dict[str, str]:
    """Copy one path; where nothing is, an empty name says so."""
    if not os.path.lexists(path):
        return {"path": path, "copy": ""}
    name = str(number)
    restore.replace(path, f"{restore.COPIES}/{name}")
    return {"path": path, "copy": name}


def _start_timer(seconds: int) -> None:
    files.write_atomic(SERVICE, _SERVICE_TEXT, 0o644)
    files.write_atomic(TIMER, _TIMER_TEXT.format(seconds=seconds), 0o644)
    files.make_folder(os.path.dirname(restore.AT_BOOT), 0o755)
    if not os.path.islink(restore.AT_BOOT):
        os.symlink(TIMER, restore.AT_BOOT)
    timers.demand("systemctl", "daemon-reload")
    timers.demand("systemctl", "restart", f"{UNIT}.timer")


def prove() -> bool:
    """End the guard: the present way in is the good one. Return whether there was a guard.

    Raises TimerError when the old way in was put back before this call.
    """
    if not os.path.isdir(restore.FOLDER):
        return False
    descriptor = restore.lock()
    try:
        record = files.read_text(restore.RECORD)
        if record:
            raise TimerError(
                f"The way in was put back at {json.loads(record)['at']}, before the new one was"
                " proved. Find out why the fresh connection took so long, or give it more seconds,"
                " and run the play again."
            )
        if not is_guarded():
            return False
        files.remove(restore.GUARD)
        for path in (restore.AT_BOOT, TIMER, SERVICE):
            files.remove(path)
        restore.remove(restore.COPIES)
    finally:
        os.close(descriptor)
    timers.call("systemctl", "stop", f"{UNIT}.timer")
    timers.demand("systemctl", "daemon-reload")
    return True
