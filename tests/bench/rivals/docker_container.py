# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that recreates the container with `community.docker.docker_container`."""

from __future__ import annotations

import sys
from pathlib import Path

from dev import settings
from dev.shell import CommandError, run
from tests.bench.droplet import BenchDroplet
from tests.bench.rivals import base
from tests.e2e import playbooks

FOLDER = settings.ROOT / ".ansible" / "bench-docker-container"
COLLECTIONS = settings.ROOT / ".ansible" / "bench-collections"
# The collections of this release of the community's package stand beside our own, for this rival.
PACKAGE = "ansible==12.3.0"
INSTALL_SECONDS = 300.0

PLAYBOOK = """---
- hosts: api
  become: true
  gather_facts: false
  tasks:
    - name: Recreate the container
      community.docker.docker_container:
        name: {app}
        image: "{image}"
        state: started
        recreate: true
        restart_policy: unless-stopped
        published_ports:
          - "127.0.0.1:{port}:{container_port}"

    - name: Wait until it is healthy
      ansible.builtin.uri:
        url: http://127.0.0.1:{port}{health}
      register: health
      until: health is succeeded
      retries: 60
      delay: 1
"""


class DockerContainer(base.OnDroplet):
    """Ansible as its users have it: no pipelining, no settings but Ansible's own defaults."""

    name = "docker_container recreated"
    port = 8082
    _app = "bench-recreated"

    def __init__(self) -> None:
        """Know of no release yet."""
        self._released: list[str] = []

    def playbook(self, sha: str) -> str:
        """Return the playbook that releases a commit."""
        return PLAYBOOK.format(
            app=self._app,
            image=base.image_of(sha),
            port=self.port,
            container_port=base.CONTAINER_PORT,
            health=base.HEALTH,
        )

    def prepare(self, droplet: BenchDroplet) -> None:
        """Install the collections, once for a checkout, and curl. Raises RivalError."""
        self._droplet = droplet
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
        base.install(droplet)
        if _has_collection():
            return
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        try:
            run([*pip, "--target", str(COLLECTIONS), PACKAGE], timeout=INSTALL_SECONDS)
        except CommandError as exc:
            raise base.RivalError(f"{self.name} needs {PACKAGE}: {exc}") from exc

    def release(self, sha: str) -> None:
        """Recreate the container from a commit's image. Raises RivalError when it failed.

        The image has to be on the droplet: the module pulls none that is there, and its user's
        login at the registry is another task.
        """
        play = FOLDER / "release.yml"
        play.write_text(self.playbook(sha), encoding="utf-8")
        environment = playbooks.environment(
            {
                "ANSIBLE_CONFIG": str(FOLDER / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            }
        )
        inventory = str(self._host().inventory)
        command = ("ansible-playbook", "-i", inventory, play.name)
        outcome = playbooks.run(*command, cwd=FOLDER, env=environment)
        if outcome.code != 0:
            raise base.RivalError(f"{self.name}: exit code {outcome.code}\n{outcome.text[-2000:]}")
        self._released = [*self._released[-1:], sha]

    def rollback(self) -> None:
        """Release the commit before; the module knows no other way. Raises RivalError."""
        if len(self._released) < 2:
            raise base.RivalError(f"{self.name} has no release to go back to")
        self.release(self._released[0])

    def clean(self) -> None:
        """Remove its container. Raises RivalError."""
        command = f"docker rm --force {self._app} >/dev/null 2>&1 || true"
        base.on_droplet(self._host(), command)
        self._released = []


def _has_collection() -> bool:
    folder: Path = COLLECTIONS / "ansible_collections" / "community" / "docker"
    return (folder / "MANIFEST.json").exists()
