# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the way in back: called by a timer of systemd, through the command `greenlight`.

It needs the standard library alone, because it runs when nobody can come in to help. Whatever
single step fails, the others are still done.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

FOLDER = "/var/lib/greenlight/way_in"
GUARD = f"{FOLDER}/guard.json"
RECORD = f"{FOLDER}/put_back.json"
COPIES = f"{FOLDER}/copies"
LOCK = f"{FOLDER}/lock"
AT_BOOT = "/etc/systemd/system/timers.target.wants/greenlight-way-in.timer"
"""The link by which the timer starts again after a reboot."""

CALL_SECONDS = 30
"""Seconds that one command may take."""


def say(text: str) -> None:
    """Write a line for the journal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def call(*command: str) -> bool:
    """Run a command and print what it said; True when it ended well."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=CALL_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        say(f"{' '.join(command)}: {exc}")
        return False
    said = (done.stdout + done.stderr).strip()
    say(f"{' '.join(command)}: exit code {done.returncode} {said[:500]}")
    return done.returncode == 0


def lock() -> int:
    """Wait for the lock of the guard; return the descriptor that holds it."""
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def is_folder(path: str) -> bool:
    """Tell whether a folder itself is there; a link to one is not."""
    return os.path.isdir(path) and not os.path.islink(path)


def remove(path: str) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if is_folder(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def restore(path: str, stored: str) -> str:
    """Make the path what its copy is; return what went wrong, in words.

    An empty `stored` says that nothing was there.
    """
    try:
        if stored:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            replace(f"{COPIES}/{stored}", path)
        else:
            remove(path)
    except OSError as exc:
        return f"{path}: {exc}"
    return ""


def replace(source: str, target: str) -> None:
    """Make `target` what `source` is, each file in one step; a folder is never moved.

    Owners, modes and times go along, and links stay links. A folder may be a mount, or lie on a
    file system of layers: neither can be renamed.
    """
    if is_folder(source) != is_folder(target):
        remove(target)
    found = os.lstat(source)
    if not is_folder(source):
        fresh = f"{target}.greenlight-new"
        remove(fresh)
        shutil.copy2(source, fresh, follow_symlinks=False)
        os.chown(fresh, found.st_uid, found.st_gid, follow_symlinks=False)
        os.replace(fresh, target)
        return
    if not is_folder(target):
        os.mkdir(target, 0o700)
    names = os.listdir(source)
    for name in names:
        replace(f"{source}/{name}", f"{target}/{name}")
    for name in set(os.listdir(target)) - set(names):
        remove(f"{target}/{name}")
    shutil.copystat(source, target)
    os.chown(target, found.st_uid, found.st_gid)


def restart_ssh(_guard: dict[str, Any]) -> bool:
    """Let sshd read what was put back; where a socket starts it, the socket as well."""
    if not call("/usr/sbin/sshd", "-t"):
        return False
    call("systemctl", "daemon-reload")
    # Enabled, not active: a socket whose restart has failed is what may have to be put right.
    if call("systemctl", "is-enabled", "ssh.socket"):
        # A socket cannot be opened under a service that runs; open sessions outlive the stop.
        call("systemctl", "stop", "ssh.service")
        call("systemctl", "restart", "ssh.socket")
    return call("systemctl", "reload-or-restart", "ssh.service")


def restart_ufw(guard: dict[str, Any]) -> bool:
    """Load the rules that were put back, or switch UFW off when it was off before."""
    if not os.path.exists("/usr/sbin/ufw"):
        return True
    return call("ufw", "reload") if guard["ufw_active"] else call("ufw", "--force", "disable")


def restart_nftables(guard: dict[str, Any]) -> bool:
    """Load our table of nftables as it was put back, or remove it when there was none before."""
    if guard["nftables_table"]:
        return call("systemctl", "restart", "greenlight-firewall.service")
    if call("nft", "list", "table", "inet", "greenlight"):
        return call("nft", "delete", "table", "inet", "greenlight")
    return True


SERVICES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "ssh": restart_ssh,
    "ufw": restart_ufw,
    "nftables": restart_nftables,
}


def put_back(guard: dict[str, Any]) -> list[str]:
    """Put every path and service back; return what failed, in words."""
    told = [restore(item["path"], item["copy"]) for item in guard["paths"]]
    told += [f"service {name}" for name in guard["services"] if not SERVICES[name](guard)]
    return [text for text in told if text]


def main() -> int:
    """Put back what is guarded, if anything still is; leave a record of it."""
    if not os.path.exists(GUARD):
        return 0
    descriptor = lock()
    try:
        # Who proved the way in meanwhile has removed the guard under the same lock.
        if not os.path.exists(GUARD):
            return 0
        with open(GUARD, encoding="utf-8") as stream:
            guard = json.load(stream)
        failed = put_back(guard)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with open(RECORD, "w", encoding="utf-8") as stream:
            json.dump({"at": at, "failed": failed}, stream)
        say(f"put back at {at}; failed: {', '.join(failed) or 'nothing'}")
        if not failed:
            remove(GUARD)
            remove(AT_BOOT)
            remove(COPIES)
        return 1 if failed else 0
    finally:
        os.close(descriptor)
