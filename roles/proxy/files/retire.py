# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop a warm standby whose time is over: retire.py APPLICATION CONTAINER GRACE_SECONDS.

Started by a timer of systemd. It takes the lock of the application as a release does, and stops the
container only when neither the map file nor the running HAProxy leads to its slot.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LOCK_SECONDS = 3600.0
SOCKET_SECONDS = 3.0


def stamp() -> str:
    """Return the time of now in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def lock(folder: Path) -> int:
    """Take the application's lock, waiting for a run that holds it; return the descriptor."""
    descriptor = os.open(f"{folder}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                sys.exit("the lock of the application was held for an hour; nothing was stopped")
            time.sleep(0.5)
    holder = {
        "action": "retire",
        "holder": "timer",
        "pid": os.getpid(),
        "since": stamp(),
        "run": "",
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)
    return descriptor


def ask(path: str, command: str) -> str:
    """Send one command to HAProxy's runtime socket and return the reply."""
    reply = bytearray()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SOCKET_SECONDS)
        connection.connect(path)
        connection.sendall(f"{command}\n".encode())
        while chunk := connection.recv(65536):
            reply += chunk
    return reply.decode("utf-8", "replace")


def is_led_to(application: dict[str, Any], backend: str) -> bool:
    """Tell whether any map, on disk or in memory, leads traffic to the backend."""
    folder = Path(application["map"]).parent
    texts = [Path(application["map"]).read_text(encoding="utf-8", errors="replace")]
    for path in (application["map"], f"{folder}/canary.map"):
        texts.append(ask(application["socket"], f"show map {path}"))
    return any(backend in text.split() for text in texts)


def retire(application: dict[str, Any], container: str, grace: str) -> str:
    """Stop the container if it is safe; return what was done."""
    found = subprocess.run(
        ["docker", "inspect", "--format", "{{json .}}", container],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        return "the container is gone already"
    raw = json.loads(found.stdout)
    labels = raw["Config"]["Labels"] or {}
    slot = application["slots"].get(labels.get("greenlight.slot", ""))
    if slot is None or labels.get("greenlight.app") != application["app"]:
        return "the container is none of this application; it is left alone"
    if not raw["State"]["Running"]:
        return "the container is stopped already"
    if is_led_to(application, slot["backend"]):
        return f"traffic is led to {slot['backend']}; the container is left alone"
    subprocess.run(["docker", "stop", "--time", grace, container], check=True, capture_output=True)
    line = {
        "event": "retired",
        "run": "",
        "time": stamp(),
        "release": labels.get("greenlight.release", ""),
        "sha": labels.get("greenlight.sha", ""),
        "reason": "its time as a warm standby is over",
    }
    journal = Path(application["map"]).parent / "journal.jsonl"
    with journal.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, sort_keys=True) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return "stopped, kept for rollback"


def main() -> None:
    """Do it and say what was done; systemd's journal keeps the line."""
    name, container, grace = sys.argv[1:4]
    application = json.loads(Path(f"/etc/greenlight/{name}.json").read_text(encoding="utf-8"))
    descriptor = lock(Path(application["map"]).parent)
    try:
        print(f"{container[:12]}: {retire(application, container, grace)}")
    finally:
        os.ftruncate(descriptor, 0)
        os.close(descriptor)


if __name__ == "__main__":
    main()
