# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one droplet that all contenders are measured on, set up by setup-api.yml."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from dev import bases, docker_cli, droplets, sample_api, settings, state
from dev import fleet as dev_fleet
from dev.sample_versions import VERSIONS
from dev.shell import CommandError, run
from tests.e2e import playbooks

NAME_VARIABLE = "GREENLIGHT_BENCH"
SAMPLES = ("A", "B", "heavy", "one-second-start")
KEEP_VARIABLE = "GREENLIGHT_KEEP"
DEFAULT_NAME = "bench"
# Written on the droplet when setup-api.yml has gone through, so that a run that was cut off counts
# as none.
MARK = "/root/.set-up-for-benchmarks"
COMMAND_SECONDS = 120.0
# The same minute that ansible.cfg keeps a connection open, so that nobody's is warmer.
PERSIST_SECONDS = 60
INVENTORY = settings.ROOT / "inventory"


def merged_inventory(droplet: str, link: droplets.Connection) -> dict[str, Any]:
    """Return an inventory of one host in the group api, with the dev fleet's own settings.

    Read from inventory/dev.yml, so that what is measured is configured like everything else. There
    is no load balancer in front of the droplet: nothing is verified through one.
    """
    fleet = yaml.safe_load((INVENTORY / "dev.yml").read_text(encoding="utf-8"))["all"]
    group = yaml.safe_load((INVENTORY / "group_vars" / "api.yml").read_text(encoding="utf-8"))
    arguments = f'-o UserKnownHostsFile="{link.known_hosts}"'
    arguments += " -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
    host = {
        "ansible_host": link.host,
        "ansible_port": link.port,
        "ansible_ssh_common_args": arguments,
        "app_balancer_url": "",
        # Load from inside the droplet takes the place of the load balancer, which is no client that
        # the proxy limits: rivals have no such limit.
        "proxy_trusted_sources": [settings.BALANCER_ADDRESS, "127.0.0.1"],
    }
    api = {"hosts": {droplet: host}, "vars": {**group, **fleet["children"]["api"]["vars"]}}
    return {"all": {"vars": fleet["vars"], "children": {"api": api}}}


class BenchDroplet:
    """A droplet beside the fleet: over SSH, through the back door, and by our playbooks."""

    def __init__(self, name: str = "") -> None:
        """Name it; without a name it is GREENLIGHT_BENCH's, else `bench`. Nothing is started."""
        self.name = name or os.environ.get(NAME_VARIABLE, DEFAULT_NAME)
        self.container = settings.container(self.name)
        self.inventory = settings.STATE / f"{self.name}-inventory.yml"
        # Beside Ansible's own sockets, where a path is short enough for a socket.
        self._socket = Path.home() / ".ansible" / "cp" / f"bench-{self.name}"

    @property
    def connection(self) -> droplets.Connection:
        """How it is reached. Raises FileNotFoundError when it is not up."""
        text = (settings.STATE / f"{self.name}.json").read_text(encoding="utf-8")
        return droplets.Connection(**json.loads(text))

    @property
    def address(self) -> str:
        """Its IPv4 address in the fleet's network."""
        return self.connection.address

    def exists(self) -> bool:
        """Tell whether its container is there, running or not."""
        return docker_cli.inspect("container", self.container) is not None

    def up(self, say: Callable[[str], None]) -> None:
        """Bring it up and set it up; what is there already is kept.

        Raises CommandError, DropletError, or AssertionError when setup-api.yml fails.
        """
        distribution = bases.DISTRIBUTIONS[bases.DEFAULT_DISTRIBUTION]
        if dev_fleet.status() != 0:
            dev_fleet.up(distribution, 2)
        dev_fleet.droplet_up(self.name, 0, distribution)
        self._socket.parent.mkdir(parents=True, exist_ok=True)
        inventory = merged_inventory(self.name, self.connection)
        state.write_private(self.inventory, yaml.safe_dump(inventory, sort_keys=False))
        if self.inside(f"test -e {MARK} && echo yes || echo no") == "no":
            outcome = self.play("setup-api").ok()
            self.inside(f"touch {MARK}")
            say(f"droplet {self.name} set up in {outcome.seconds:.0f} s")

    def down(self) -> None:
        """Remove it with everything on it, its inventory and its connection."""
        if self._socket.exists():
            command = self.ssh()
            try:
                run([*command[:-1], "-O", "exit", command[-1]], timeout=10)
            except CommandError:
                # Nobody listens on it any more: the file is all that is left.
                self._socket.unlink(missing_ok=True)
        droplets.remove(self.name)
        self.inventory.unlink(missing_ok=True)

    def ssh(self) -> list[str]:
        """The ssh command to it, over one connection that is kept, without the remote command."""
        program, *rest = self.connection.ssh()
        kept = {
            "ControlMaster": "auto",
            "ControlPath": str(self._socket),
            "ControlPersist": str(PERSIST_SECONDS),
        }
        options = [part for key, value in kept.items() for part in ("-o", f"{key}={value}")]
        return [program, *options, *rest]

    def run(self, command: str, script: str | None = None) -> str:
        """Run a command over SSH, `script` as its input; return what it wrote, without line end.

        Raises CommandError when it fails or takes more than two minutes.
        """
        return run([*self.ssh(), command], input_text=script, timeout=COMMAND_SECONDS).rstrip("\n")

    def inside(self, command: str) -> str:
        """Run a shell command through Docker's back door; return what it wrote.

        Raises CommandError when it fails or takes more than two minutes.
        """
        arguments = ("exec", "-i", self.container, "bash", "-c", command)
        return docker_cli.docker(*arguments, timeout=COMMAND_SECONDS)

    def play(self, playbook: str, *arguments: str) -> playbooks.Outcome:
        """Run one of our playbooks on it alone; look at the outcome yourself."""
        return playbooks.play(playbook, "-i", str(self.inventory), *arguments)


@contextmanager
def bench_droplet(say: Callable[[str], None]) -> Iterator[BenchDroplet]:
    """Give the droplet, up and set up, with images to release in the registry.

    Whoever started it takes it down, unless GREENLIGHT_KEEP=1.

    Raises CommandError, DropletError, or AssertionError when setup-api.yml fails.
    """
    droplet = BenchDroplet()
    was_there = droplet.exists()
    try:
        droplet.up(say)
        # Quick when they are there. Each part may be the only one, on a registry that is new.
        sample_api.build([VERSIONS[name] for name in SAMPLES], push=True)
        yield droplet
    finally:
        if not was_there and os.environ.get(KEEP_VARIABLE) != "1":
            droplet.down()
