# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image registry: the real docker-registry with one user and a password made at set-up."""

from __future__ import annotations

import base64
import json
import secrets
import time
import urllib.error
import urllib.request
from pathlib import Path

from dev import bases, images, settings, state
from dev.docker_cli import docker, inspect, label_arguments

NAME = "registry"
WAIT_SECONDS = 15.0
PASSWORDS = "/etc/docker/registry/htpasswd"
CONFIG = f"""\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: /var/lib/docker-registry}}
  delete: {{enabled: true}}
http: {{addr: ":5000"}}
auth:
  htpasswd: {{realm: greenlight, path: {PASSWORDS}}}
"""


class RegistryError(RuntimeError):
    """The registry does not answer, or refuses its own password."""


def password() -> str:
    """The registry's password, made on first use."""
    if not settings.REGISTRY_PASSWORD.exists():
        state.write_private(settings.REGISTRY_PASSWORD, secrets.token_urlsafe(24) + "\n")
    return settings.REGISTRY_PASSWORD.read_text(encoding="utf-8").strip()


def client_config(user: str, secret: str) -> str:
    """A Docker client's config.json that logs in to the registry."""
    token = base64.b64encode(f"{user}:{secret}".encode()).decode()
    return json.dumps({"auths": {settings.REGISTRY_PUSH: {"auth": token}}}) + "\n"


def _write_client_config() -> None:
    settings.DOCKER_CONFIG.mkdir(mode=0o700, exist_ok=True)
    text = client_config(settings.REGISTRY_USER, password())
    state.write_private(settings.DOCKER_CONFIG / "config.json", text)


def _password_file(image: str) -> str:
    """A htpasswd line (bcrypt), made with the tool in the registry's image."""
    command = ["htpasswd", "-niB", settings.REGISTRY_USER]
    made = docker("run", "--rm", "-i", "--network", "none", image, *command, input_text=password())
    return made.strip() + "\n"


def _copy_in(container: str, text: str, target: str) -> None:
    temporary = settings.STATE / f"{Path(target).name}.tmp"
    state.write_private(temporary, text)
    docker("cp", str(temporary), f"{container}:{target}")
    temporary.unlink()


def _create(distribution: bases.Distribution) -> None:
    container = settings.container(NAME)
    image = images.tag("registry", distribution)
    labels = label_arguments("registry", NAME)
    docker("volume", "create", *labels, f"{container}-data")
    docker(
        *("container", "create", "--name", container, "--hostname", NAME, *labels),
        *("--network", settings.NETWORK, "--ip", settings.REGISTRY_ADDRESS),
        *("--publish", f"{settings.REGISTRY_PUSH}:5000"),
        *("--volume", f"{container}-data:/var/lib/docker-registry"),
        # Its own containers keep nothing else; the HTTP secret only matters for several copies.
        *("--env", f"REGISTRY_HTTP_SECRET={secrets.token_hex(16)}"),
        *(image, "docker-registry", "serve", "/etc/docker/registry/config.yml"),
    )
    _copy_in(container, CONFIG, "/etc/docker/registry/config.yml")
    _copy_in(container, _password_file(image), PASSWORDS)


def status(secret: str) -> int:
    """HTTP status of the registry's /v2/ with this password; 0 when nothing answers."""
    token = base64.b64encode(f"{settings.REGISTRY_USER}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {token}"}
    request = urllib.request.Request(f"http://{settings.REGISTRY_PUSH}/v2/", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as exc:
        return exc.code
    except (urllib.error.URLError, OSError):
        return 0


def ensure(distribution: bases.Distribution) -> str:
    """Make sure the registry runs and takes the password; return what was done."""
    _write_client_config()
    container = settings.container(NAME)
    found = inspect("container", container)
    if found is None:
        _create(distribution)
    if found is None or not found["State"]["Running"]:
        docker("container", "start", container)
    end = time.monotonic() + WAIT_SECONDS
    while (code := status(password())) != 200:
        if time.monotonic() > end:
            logs = docker("container", "logs", "--tail", "20", container)
            raise RegistryError(f"/v2/ answers {code}\n{logs}")
        time.sleep(0.2)
    return "already running" if found is not None else "created"
