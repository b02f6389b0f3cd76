# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A droplet that is set up, and hosts beside it: over SSH, through the back door, by playbook."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dev import droplets, settings

ROOT = settings.ROOT
COMMAND_SECONDS = 120.0
PLAY_SECONDS = 400.0


def fleet(*arguments: str) -> None:
    """Run the fleet's command line; its output is in the error."""
    done = subprocess.run(
        [sys.executable, "-m", "dev.fleet", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


class Host:
    """A host of the test network: Docker's exec leads into it whatever its firewall says."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.container = settings.container(name)

    @property
    def address(self) -> str:
        """Its IPv4 address in the fleet's network."""
        text = (settings.STATE / f"{self.name}.json").read_text(encoding="utf-8")
        return str(json.loads(text)["address"])

    def try_inside(self, command: str, seconds: float = COMMAND_SECONDS) -> tuple[int, str]:
        """Run a command through the back door; return its exit code and both streams."""
        done = subprocess.run(
            [*docker_exec(self.container), "bash", "-c", f"exec 2>&1; {command}"],
            stdout=subprocess.PIPE,
            text=True,
            timeout=seconds,
            check=False,
        )
        return done.returncode, done.stdout

    def inside(self, command: str) -> str:
        """Run a command through the back door and return its output; it has to succeed."""
        code, text = self.try_inside(command)
        assert code == 0, f"{command}\n{text}"
        return text

    def can_connect(self, address: str, port: int) -> bool:
        """Tell whether a TCP connection from this host opens within a second."""
        script = f"timeout 1 bash -c 'exec 3<>/dev/tcp/{address}/{port}'"
        return self.try_inside(script)[0] == 0


def docker_exec(container: str) -> list[str]:
    """The command that runs another one in a container of the fleet's engine."""
    return ["docker", "exec", "-i", container]


class Droplet(Host):
    """The droplet under test, as its owner reaches it."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._folder = folder
        self._inventory = folder / f"{name}.json"

    @property
    def connection(self) -> dict[str, Any]:
        """How it is reached; the port may change with a reboot."""
        text = (settings.STATE / f"{self.name}.json").read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    def ssh(self, *options: str, user: str = "") -> list[str]:
        """The ssh command for a connection of its own, without the remote command."""
        link = self.connection
        fixed = {
            "UserKnownHostsFile": link["known_hosts"],
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            "LogLevel": "ERROR",
        }
        flags = [part for key, value in fixed.items() for part in ("-o", f"{key}={value}")]
        target = [
            "-i",
            link["key"],
            "-p",
            str(link["port"]),
            f"{user or link['user']}@{link['host']}",
        ]
        return ["ssh", *options, *flags, *target]

    def try_run(self, command: str, user: str = "") -> tuple[int, str]:
        """Run a command over a fresh SSH connection; return its exit code and both streams."""
        done = subprocess.run(
            [*self.ssh(user=user), f"exec 2>&1; {command}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def run(self, command: str) -> str:
        """Run a command over a fresh SSH connection and return its output; it has to succeed."""
        code, text = self.try_run(command)
        assert code == 0, f"{command}\n{text}"
        return text

    def wait_reachable(self, seconds: float) -> float:
        """Wait until SSH answers; return after how many seconds it did."""
        begin = time.monotonic()
        while self.try_run("true")[0] != 0:
            assert time.monotonic() - begin < seconds, f"no SSH within {seconds} s"
            time.sleep(0.5)
        return time.monotonic() - begin

    def reboot(self) -> None:
        """Restart the droplet and wait until SSH answers."""
        droplets.reboot(self.name)
        self.wait_reachable(60.0)

    def variables(self) -> dict[str, Any]:
        """What the inventory says of the droplet, as inventory/dev.yml does of the fleet's."""
        link = self.connection
        key = settings.KEY.with_suffix(".pub").read_text(encoding="utf-8").strip()
        return {
            "ansible_host": link["host"],
            "ansible_port": link["port"],
            "ansible_user": link["user"],
            "ansible_ssh_private_key_file": link["key"],
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={link['known_hosts']}"
            " -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes",
            "ansible_python_interpreter": "/usr/bin/python3",
            "balancer_addresses": [settings.BALANCER_ADDRESS],
            "admin_networks": [settings.GATEWAY],
            "users_admins": [{"name": "ops", "keys": [key]}],
            "docker_insecure_registries": [f"{settings.REGISTRY_HOST}:5000"],
        }

    def play(
        self, playbook: str, *arguments: str, variables: Mapping[str, Any] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the project's playbooks on this droplet alone; look at the result yourself.

        `variables` take the place of the inventory's.
        """
        values = {**self.variables(), **(variables or {})}
        hosts = {"all": {"children": {"api": {"hosts": {self.name: values}}}}}
        self._inventory.write_text(json.dumps(hosts), encoding="utf-8")
        self._inventory.chmod(0o600)
        program = str(Path(sys.executable).parent / "ansible-playbook")
        return subprocess.run(
            [program, "-i", str(self._inventory), f"playbooks/{playbook}.yml", *arguments],
            cwd=ROOT,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")},
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_NOCOLOR": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PLAY_SECONDS,
            check=False,
        )

    def setup(
        self, *arguments: str, variables: Mapping[str, Any] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run setup-api.yml; look at the result yourself."""
        return self.play("setup-api", *arguments, variables=variables)


def changed(output: str) -> int:
    """Return how many tasks a play says it changed; fails when it has no recap."""
    counts = re.findall(r"\bchanged=(\d+)", output)
    assert counts, output
    return sum(int(count) for count in counts)


def remove_host(name: str) -> None:
    """Take a droplet of a test down."""
    fleet("droplet", "down", name)
