# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that touches HAProxy: its runtime socket and the map file that is the pointer.

Commands follow the HAProxy Management Guide, section 9.3 ("Unix Socket commands"); all of them
exist since HAProxy 2.4. Errors on that socket are plain text without a code, so every reply to a
command that changes something is compared with what success looks like: an empty one.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import socket
import time
from dataclasses import dataclass

from .._core import files
from .._core.boundary import boundary
from .._core.errors import ProxyError
from .._model.health_check import HealthCheck
from .._model.spec import SLOTS, Application, Slot
from . import check

TIMEOUT = 3.0
"""Seconds that one command on the runtime socket may take."""

CONFIGURATION = "/etc/haproxy/haproxy.cfg"
"""HAProxy's configuration, which set-up renders."""

MAP_FORMAT = 1
"""The format of the map files that this version writes and reads."""

MAP_HEADER = (
    f"# The live slot (format {MAP_FORMAT}). Written by greenlight.droplet; a change by hand is"
    " undone by the next run.\n"
)
"""The first line of every map file; HAProxy passes over it."""

CANARY_HEADER = (
    "# The canary's share lives in HAProxy's memory alone: after a restart there is no canary.\n"
)
"""All that the canary's map file holds."""


@dataclass(frozen=True)
class SlotStatus:
    """What HAProxy knows of a slot: its check's word, requests in flight, counters since start.

    `requests` have been sent to the slot, `answered` of them have got the head of an answer, and
    `aborted` were given up by the client.
    """

    status: str
    in_flight: int
    requests: int
    server_errors: int
    connection_errors: int
    answered: int = 0
    aborted: int = 0

    @property
    def is_up(self) -> bool:
        """True for exactly UP; a transitional 'UP 1/2' is not up."""
        return self.status == "UP"


@dataclass(frozen=True)
class Route:
    """The pointer as the file has it and as the running HAProxy has it; slot names or None.

    `answered` is False when HAProxy could not be asked. `canary` is the slot that gets a share of
    the requests before its cutover, and `percent` that share.
    """

    file: str | None
    runtime: str | None
    answered: bool
    canary: str | None = None
    percent: int = 0

    @property
    def slot(self) -> str | None:
        """The slot that serves: what the running HAProxy says, else what it will read at start."""
        return self.runtime if self.answered else self.file


def parse_map(text: str, app: str) -> str | None:
    """Return the value of the application's entry in a map file's text, or None."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 2 and fields[0] == app:
            return fields[1]
    return None


def parse_shown_map(text: str, app: str) -> str | None:
    """Return the application's value in a reply to 'show map': lines of pointer, key, value."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0].startswith("0x") and fields[1] == app:
            return fields[2]
    return None


def parse_stat(text: str, slot: Slot) -> SlotStatus | None:
    """Return the status of the slot's server from a reply to 'show stat' (CSV), or None."""
    rows = csv.DictReader(io.StringIO(text.lstrip("# ")))
    for row in rows:
        if row.get("pxname") == slot.backend and row.get("svname") == slot.server:
            return SlotStatus(
                status=row["status"] or "",
                in_flight=_number(row, "scur") + _number(row, "qcur"),
                # stot counts each try; req_tot of a server would count what has been answered.
                requests=_number(row, "stot") - _number(row, "wretr"),
                server_errors=_number(row, "hrsp_5xx"),
                connection_errors=_number(row, "econ") + _number(row, "eresp"),
                answered=sum(_number(row, f"hrsp_{kind}") for kind in _ANSWERS),
                aborted=_number(row, "cli_abrt"),
            )
    return None


_ANSWERS = ("1xx", "2xx", "3xx", "4xx", "5xx", "other")


def newer_format(text: str) -> int:
    """Return the format that a map file's header names when it is newer than ours, else 0."""
    found = re.search(r"^#.*\(format (\d+)\)", text, re.MULTILINE)
    number = int(found[1]) if found else MAP_FORMAT
    return number if number > MAP_FORMAT else 0


def is_edited(text: str) -> bool:
    """Tell whether a configuration of ours was changed: its first line has a checksum of the rest.

    One without such a line was written by somebody else, or by an older version.
    """
    first, _feed, rest = text.partition("\n")
    found = re.search(r"checksum ([0-9a-f]{64})", first)
    return found is None or found[1] != hashlib.sha256(rest.strip().encode()).hexdigest()


def _number(row: dict[str, str], name: str) -> int:
    return int(row.get(name) or 0)


class Proxy:
    """HAProxy of this host, for one application."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def _ask(self, command: str) -> str:
        """Send one command and return the reply. Raises ProxyError when nobody answers."""
        path = self._application.socket
        reply, end = bytearray(), time.monotonic() + TIMEOUT
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(TIMEOUT)
                connection.connect(path)
                connection.sendall(f"{command}\n".encode())
                while chunk := connection.recv(65536):
                    reply += chunk
                    # A timeout of zero would mean: do not wait, and say so in another way.
                    connection.settimeout(max(end - time.monotonic(), 0.001))
        except OSError as exc:
            raise ProxyError(
                f"HAProxy does not answer on {path} ({exc}). Look at 'systemctl status haproxy';"
                " 'systemctl restart haproxy' starts it with the same live slot."
            ) from exc
        return reply.decode("utf-8", "replace")

    def _order(self, command: str) -> None:
        """Send a command that changes something. Raises ProxyError unless the reply is empty."""
        reply = self._ask(command).strip()
        if reply:
            raise ProxyError(f"HAProxy refused '{command}': {reply}")

    def read_route(self) -> Route:
        """Return the pointer from the file and from the running HAProxy."""
        application = self._application
        text = files.read_damaged_text(application.map)
        if found := newer_format(text):
            raise ProxyError(
                f"The map {application.map} has format {found}; this version of greenlight.droplet"
                f" knows {MAP_FORMAT}. Install the newer version of the collection on the machine"
                " that runs Ansible. Nothing was changed."
            )
        on_file = application.slot_of_backend(parse_map(text, application.app) or "")
        try:
            shown = self._ask(f"show map {application.map}")
        except ProxyError:
            return Route(on_file, None, answered=False)
        if "Unknown map" in shown:
            raise ProxyError(
                f"HAProxy runs without the map {application.map}, so it does not know application"
                f" {application.app!r}. Run setup-api.yml again: it renders haproxy.cfg."
            )
        running = application.slot_of_backend(parse_shown_map(shown, application.app) or "")
        canary, percent = self._read_canary()
        return Route(on_file, running, True, canary, percent)

    def _read_canary(self) -> tuple[str | None, int]:
        shown = self._ask(f"show map {self._application.canary_map}")
        backend = parse_shown_map(shown, "backend") or ""
        percent = parse_shown_map(shown, "percent") or "0"
        return self._application.slot_of_backend(backend), int(percent) if percent.isdigit() else 0

    def set_canary(self, slot: str, percent: int) -> None:
        """Send `percent` of the requests to the slot: first the target, then the share.

        Raises ProxyError. Nothing is written to a file: a restart of HAProxy ends the canary.
        """
        path = self._application.canary_map
        if "Unknown map" in self._ask(f"show map {path}"):
            raise ProxyError(
                f"HAProxy runs without the map {path}, which a canary needs. Run setup-api.yml"
                " again: it renders haproxy.cfg."
            )
        self._put(path, "backend", self._application.slots[slot].backend)
        self._put(path, "percent", str(percent))
        route = self.read_route()
        if (route.canary, route.percent) != (slot, percent):
            raise ProxyError(f"HAProxy did not take over the canary of {percent} % to {slot}.")

    def clear_canary(self) -> None:
        """End the canary: first the share, then the target. No canary is fine."""
        path = self._application.canary_map
        for key in ("percent", "backend"):
            if parse_shown_map(self._ask(f"show map {path}"), key) is not None:
                self._order(f"del map {path} {key}")

    def _put(self, path: str, key: str, value: str) -> None:
        present = parse_shown_map(self._ask(f"show map {path}"), key)
        self._order(f"{'add' if present is None else 'set'} map {path} {key} {value}")

    def is_edited(self) -> bool:
        """Tell whether HAProxy's configuration is not the one that set-up wrote."""
        return is_edited(files.read_damaged_text(CONFIGURATION))

    def other_checks(self, health: HealthCheck) -> list[str]:
        """Return the options in which HAProxy's own check is another one than a release's."""
        backend = self._application.slots[SLOTS[0]].backend
        told = check.read_check(files.read_damaged_text(CONFIGURATION), backend)
        return check.differences(told, health)

    def write_route_file(self, slot: str | None) -> None:
        """Write the pointer for the next start of HAProxy, atomically."""
        entry = f"{self._application.app} {self._application.slots[slot].backend}\n" if slot else ""
        files.write_atomic(self._application.map, f"{MAP_HEADER}{entry}")

    def set_runtime_route(self, slot: str | None) -> None:
        """Move the pointer of the running HAProxy and read it back. Raises ProxyError."""
        path, app = self._application.map, self._application.app
        if slot is not None:
            self._put(path, app, self._application.slots[slot].backend)
        elif parse_shown_map(self._ask(f"show map {path}"), app) is not None:
            self._order(f"del map {path} {app}")
        if self.read_route().runtime != slot:
            raise ProxyError(f"HAProxy did not take over the live slot {slot!r} of {app}.")

    def status(self, slot: str) -> SlotStatus:
        """Return what HAProxy knows of the slot. Raises ProxyError when it knows no such slot."""
        wanted = self._application.slots[slot]
        with boundary("HAProxy's reply to 'show stat' cannot be read", ProxyError):
            found = parse_stat(self._ask("show stat"), wanted)
        if found is None:
            raise ProxyError(
                f"HAProxy has no server {wanted.backend}/{wanted.server}. Run setup-api.yml again."
            )
        return found

    def shut_sessions(self, slot: str) -> None:
        """Close what is still in flight on the slot, after its drain limit has passed."""
        wanted = self._application.slots[slot]
        self._order(f"shutdown sessions server {wanted.backend}/{wanted.server}")
