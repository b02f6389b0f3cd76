# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the droplet: prints all that a release may change, or makes an application new again.

Asks Docker, HAProxy and the files directly, never the code under test.
Usage: state.py show|clean APP, or state.py get PATH for what the proxy answers
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

SOCKET = "/run/haproxy/admin.sock"
CONTAINER = "{{.ID}} {{.Names}} {{.Image}} {{.State}}"
URL = "http://127.0.0.1:3002"
HEADER = "# The live slot.\n"


def docker(*arguments: str) -> list[str]:
    """The sorted lines that a docker command prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    return sorted(done.stdout.splitlines()) if done.returncode == 0 else [done.stderr.strip()]


def ask(command: str) -> str:
    """HAProxy's reply on its runtime socket, or the error."""
    reply = b""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(3)
            link.connect(SOCKET)
            link.sendall(f"{command}\n".encode())
            while chunk := link.recv(65536):
                reply += chunk
    except OSError as exc:
        return f"no answer: {exc.strerror}"
    return reply.decode()


def text(path: Path) -> str | None:
    """A file's text, or None."""
    return path.read_text(encoding="utf-8") if path.exists() else None


def entries(app: str) -> list[str]:
    """The application's entries in the map of the running HAProxy."""
    shown = ask(f"show map /var/lib/greenlight/{app}/live.map")
    return [line.split(" ", 1)[-1] for line in shown.splitlines() if line.strip()]


def show(app: str) -> dict[str, object]:
    """What there is."""
    folder = Path("/var/lib/greenlight", app)
    return {
        "containers": docker("ps", "--all", "--no-trunc", "--format", CONTAINER),
        "images": docker("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"),
        "networks": docker("network", "ls", "--format", "{{.ID}} {{.Name}}"),
        "map": text(folder / "live.map"),
        "runtime": entries(app),
        "journal": text(folder / "journal.jsonl"),
        "lease": text(folder / "lease.json"),
        "freeze": text(folder / "freeze.json"),
        "descriptor": text(Path("/etc/greenlight", f"{app}.json")),
        "haproxy": subprocess.run(
            ["systemctl", "show", "-p", "MainPID", "haproxy"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout,
    }


def clean(app: str) -> None:
    """Leave the application as set-up has made it: nothing live, no history, images kept."""
    folder = Path("/var/lib/greenlight", app)
    # It remembers the lease of a run that is about to be forgotten.
    subprocess.run(["systemctl", "stop", f"greenlight-watchdog@{app}.service"], check=False)
    found = docker("ps", "--all", "--quiet", "--filter", f"label=greenlight.app={app}")
    if found:
        docker("rm", "--force", "--volumes", *found)
    (folder / "live.map").write_text(HEADER, encoding="utf-8")
    ask(f"clear map {folder}/live.map")
    ask(f"clear map {folder}/canary.map")
    for name in ("journal.jsonl", "lease.json", "freeze.json", "lock"):
        (folder / name).unlink(missing_ok=True)


def get(path: str) -> str:
    """The body that the application's port answers with, whatever the status."""
    try:
        with urllib.request.urlopen(f"{URL}{path}", timeout=3) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as exc:
        return exc.read().decode()
    except OSError as exc:
        return f"no answer: {exc}"


if sys.argv[1] == "clean":
    clean(sys.argv[2])
elif sys.argv[1] == "get":
    print(get(sys.argv[2]))
else:
    print(json.dumps(show(sys.argv[2]), sort_keys=True))
