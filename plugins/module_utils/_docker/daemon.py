# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's own settings on this host: what is there, what it becomes, and the way back.

An engine that does not start with the new settings gets the old ones again, so that it is never
left down.
"""

from __future__ import annotations

import glob
import os
import re
import typing as t
from dataclasses import dataclass

from .._core import files
from .._core.errors import EngineError, NotSetUpError, SpecError, TimerError
from .._state import timers
from . import daemon_settings
from .daemon_settings import Settings

PATH: t.Final = daemon_settings.PATH

COPY: t.Final = f"{PATH}.before-greenlight"
"""The file as it was before we changed it for the first time."""

RECORD: t.Final = "/var/lib/greenlight/docker-daemon.json"
"""What we have written into the file, so that it can be told from what others have."""

PENDING: t.Final = f"{RECORD}.pending"
"""Is there while a changed file waits for the engine to take it over."""

DEFAULTS: t.Final = "/etc/default/docker"
DATA_ROOT: t.Final = "/var/lib/docker"
PACKAGES: t.Final = "/var/lib/dpkg/status"
SNAP: t.Final = "/var/snap/docker"

START_SECONDS: t.Final = 180
"""Seconds that the engine may take to start; with live-restore it looks at each container."""

ENGINES: t.Final = ("docker.io", "docker-ce", "docker-ee", "moby-engine")
"""Packages that bring an engine; each removes the others."""


@dataclass(frozen=True)
class Plan:
    """What the file says, and what it is to say; `first` when it was never ours."""

    before: str
    after: str
    record: str
    first: bool
    loses_containers: bool
    pending: bool = False

    @property
    def changed(self) -> bool:
        """True when the file is not as it is to be, or the engine has not taken it over yet."""
        return self.before != self.after or self.pending


def installed_engines() -> list[str]:
    """Return which packages with an engine are installed. Raises SpecError for one by snap."""
    if os.path.isdir(SNAP):
        raise SpecError(
            "Docker is installed by snap on this host. Its engine keeps images elsewhere and takes"
            " the socket of any other: move what you need and remove it with 'snap remove docker',"
            " then run this again. Nothing was changed."
        )
    text = files.read_damaged_text(PACKAGES)
    names = "|".join(map(re.escape, ENGINES))
    found = re.findall(rf"^Package: ({names})\nStatus: \S+ ok installed$", text, re.MULTILINE)
    return sorted(found)


def plan(wanted: Settings) -> Plan:
    """Compare the host with the settings. Raises SpecError for what contradicts them."""
    before, record = files.read_text(PATH), files.read_text(RECORD)
    if record is None:
        # An earlier run was cut off before the engine ran with what it had written.
        record = files.read_text(PENDING) or None
    present = daemon_settings.read(before)
    ours = daemon_settings.written_by_us(present, record)
    words = command_line()
    merged = daemon_settings.merge(present, wanted, ours)
    daemon_settings.refuse_flags(words, wanted)
    if wanted.get("live-restore"):
        _refuse_swarm(present, words)
    # The same settings in another form are left alone: the engine would be restarted for nothing.
    after = before if before is not None and present == merged else daemon_settings.render(merged)
    pending = os.path.exists(PENDING)
    loses = bool(wanted.get("live-restore")) and not present.get("live-restore")
    return Plan(before or "", after, daemon_settings.render(wanted), not ours, loses, pending)


def command_line() -> list[str]:
    """Return the words of dockerd's command line, DOCKER_OPTS included; none without a unit."""
    try:
        done = timers.call("systemctl", "show", "--property=ExecStart", "docker.service")
    except TimerError:
        return []
    found = re.search(r"argv\[\]=(.*?) ;", done.stdout)
    words = found[1].split() if found else []
    options = files.read_damaged_text(DEFAULTS)
    if "$DOCKER_OPTS" in words:
        for said in re.findall(r"^DOCKER_OPTS=(.*)$", options, re.MULTILINE)[-1:]:
            words += said.strip("\"' ").split()
    return words


def _refuse_swarm(present: Settings, words: t.Sequence[str]) -> None:
    given = [word.partition("=")[2] for word in words if word.startswith("--data-root=")]
    root = str(present.get("data-root") or (given or [DATA_ROOT])[0])
    if found := glob.glob(f"{root}/swarm/docker-state.json"):
        raise SpecError(
            f"This host is a node of a Docker Swarm ({found[0]}). The engine does not start as one"
            " with live-restore, by which containers outlive its restarts. Take the host out with"
            " 'docker swarm leave', or release on another one. Nothing was changed."
        )


def apply(found: Plan) -> None:
    """Write the settings and let the engine take them over.

    Raises EngineError when it does not start with them; it then runs with the old ones, or the
    text says that it does not either.
    """
    files.make_folder(os.path.dirname(RECORD), 0o755)
    if found.changed:
        if found.first and found.before and files.read_text(COPY) is None:
            files.write_atomic(COPY, found.before, 0o600)
        if not os.path.isdir(os.path.dirname(PATH)):
            files.make_folder(os.path.dirname(PATH), 0o755)
        # A run that ends here leaves the next one what is ours in the file, and what is theirs.
        files.write_atomic(PENDING, found.record, 0o600)
        _write(found.after)
        _restart(found)
        files.remove(PENDING)
    if files.read_text(RECORD) != found.record:
        files.write_atomic(RECORD, found.record, 0o600)


def _write(text: str) -> None:
    """Write the settings; a file that is there keeps its mode and owner: it may hold a password."""
    mode, *owner = files.permissions(PATH) or (0o644, 0, 0)
    files.write_atomic(PATH, text, mode, (owner[0], owner[1]))


def shown(text: str) -> str:
    """Return settings as a diff may show them, without the passwords in the URLs of proxies."""
    return re.sub(r"//[^/@\s\"]*@", "//***@", text)


def _restart(found: Plan) -> None:
    if not timers.call("systemctl", "cat", "docker.service").stdout:
        raise NotSetUpError("Docker is not installed on this host, so it cannot take settings.")
    if found.loses_containers:
        # Read while it runs, this one setting keeps the containers through the restart.
        timers.call("systemctl", "reload", "docker.service")
    said = _start()
    if not said:
        return
    if found.before:
        _write(found.before)
    else:
        files.remove(PATH)
    files.remove(PENDING)
    again = _start()
    state = f"does not start with the old ones either: {again}" if again else "runs with the old"
    raise EngineError(
        f"Docker does not start with the new settings: {said} {PATH} is as it was before, and the"
        f" engine {state}. 'journalctl -u docker' tells more."
    )


def _start() -> str:
    """Restart the engine; return what it said when it does not start, else nothing."""
    timers.call("systemctl", "reset-failed", "docker.service", "docker.socket")
    try:
        done = timers.call("systemctl", "restart", "docker.service", seconds=START_SECONDS)
    except TimerError as exc:
        return str(exc)
    if done.returncode == 0:
        return ""
    tail = timers.call("journalctl", "-u", "docker", "-n", "5", "-o", "cat", "--no-pager").stdout
    return f"{done.stderr.strip()} {' '.join(tail.split())[-500:]}"
