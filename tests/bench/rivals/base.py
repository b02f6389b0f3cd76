# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every rival has in common: the image, the health endpoint, and how it is driven."""

from __future__ import annotations

import json
import shlex
import time
from typing import Protocol

from dev import registry, settings
from dev.shell import CommandError
from tests.bench.droplet import BenchDroplet

HEALTH = "/v1/health"
# The health reply names no commit, this one does.
VERSION = "/v1/version"
CONTAINER_PORT = 3002
# For a proxy that goes on with its reload after the command has ended; the time is not counted.
SEEN_SECONDS = 5.0
REGISTRY = f"{settings.REGISTRY_HOST}:5000"
PACKAGES = ("curl", "nginx-light")


class RivalError(RuntimeError):
    """A rival's release, or what it needs, failed."""


class Rival(Protocol):
    """What people use instead, driven from the controller by the command that they would type."""

    name: str
    """Its name in every table."""
    port: int
    """Where its application answers, on the droplet's 127.0.0.1."""

    def prepare(self, droplet: BenchDroplet) -> None:
        """Install what it needs on `droplet`; safe to repeat. Raises RivalError."""

    def release(self, sha: str) -> None:
        """Release a commit, the whole command, to its end. Raises RivalError when it failed."""

    def rollback(self) -> None:
        """Go back to the release before. Raises RivalError when it failed or there is none."""

    def clean(self) -> None:
        """Remove what it has put on the droplet. Raises RivalError."""


class OnDroplet:
    """What every rival is that drives its work on one droplet: without one until it is prepared."""

    name: str
    _droplet: BenchDroplet | None = None

    def _host(self) -> BenchDroplet:
        if self._droplet is None:
            raise RivalError(f"{self.name} was not prepared")
        return self._droplet


def image_of(sha: str) -> str:
    """Return the image of a commit as a droplet pulls it."""
    return f"{REGISTRY}/api:{sha}"


def on_droplet(droplet: BenchDroplet, script: str) -> str:
    """Pipe a shell script over one SSH connection; return what it wrote. Raises RivalError."""
    try:
        return droplet.run("bash -s", script)
    except CommandError as exc:
        raise RivalError(f"on {droplet.name}: {exc}") from exc


def install(droplet: BenchDroplet) -> None:
    """Install the packages that rivals need and keep nginx from serving anything by itself.

    Raises RivalError.
    """
    names = " ".join(PACKAGES)
    script = f"""set -eu
export DEBIAN_FRONTEND=noninteractive
if ! dpkg --status {names} >/dev/null 2>&1; then
    apt-get -q update
    apt-get install -qy --no-install-recommends {names}
fi
rm -f /etc/nginx/sites-enabled/default
systemctl reload nginx
"""
    on_droplet(droplet, script)


def log_in(droplet: BenchDroplet, folder: str) -> None:
    """Log Docker's client in at the registry, its settings in `folder`. Raises RivalError."""
    password = registry.password()
    command = f"docker --config {folder} login --username {settings.REGISTRY_USER}"
    try:
        droplet.run(f"{command} --password-stdin {REGISTRY}", password)
    except CommandError as exc:
        raise RivalError(f"{droplet.name} cannot log in at the registry: {exc}") from exc


# With what every droplet has: not all of them have curl.
_ASK = """\
import sys, urllib.request
try:
    answers = [urllib.request.urlopen(url, timeout=2).read() for url in sys.argv[1:]]
except OSError:
    answers = [b""]
sys.stdout.buffer.write(answers[-1])
"""


def sha_at(droplet: BenchDroplet, port: int) -> str:
    """Return the commit that serves on a port, empty when nothing healthy answers."""
    urls = [f"http://127.0.0.1:{port}{path}" for path in (HEALTH, VERSION)]
    answer = droplet.inside(shlex.join(["python3", "-I", "-c", _ASK, *urls]))
    try:
        reply = json.loads(answer)
    except json.JSONDecodeError:
        return ""
    return str(reply.get("sha", "")) if isinstance(reply, dict) else ""


def see(droplet: BenchDroplet, port: int, sha: str) -> None:
    """See that a commit serves on a port, within five seconds. Raises RivalError when not."""
    end = time.monotonic() + SEEN_SECONDS
    while (found := sha_at(droplet, port)) != sha:
        if time.monotonic() > end:
            raise RivalError(
                f"port {port} of {droplet.name} serves {found or 'nothing'}, not {sha}"
            )
        time.sleep(0.1)
