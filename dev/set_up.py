# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image of a droplet that setup-api.yml has set up, for tests whose subject is something else.

It is made once for all that goes into it, by setting a bare droplet up, and its tag is their hash.
Docker's own folder is a volume, which no commit contains: it is copied beside itself before.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev import bases, demo_process, docker_cli, droplets, images, settings, state
from dev.docker_cli import docker
from dev.shell import CommandError
from dev.steps import Step, step

REPOSITORY = "greenlight-dev/set-up"
# Files of dockerfiles/: what the image is built from, and what gives each new droplet its own name
# in the place of this one.
CONTEXT = ("set-up.Dockerfile", "first_boot.py")
NAME = "set-up-droplet"
KEPT = 2
INPUTS = ("ansible.cfg", "inventory/group_vars", "playbooks", "plugins", "roles")
SAVE_DOCKER = (
    "systemctl stop haproxy.service docker.socket docker.service"
    " && rm -rf /var/lib/docker.seed && cp -a /var/lib/docker /var/lib/docker.seed"
)


def variables() -> dict[str, Any]:
    """What the inventory says of such a droplet: inventory/dev.yml, with the tests' own clients."""
    key = settings.KEY.with_suffix(".pub").read_text(encoding="utf-8").strip()
    return {
        # Tests send their requests from droplets beside the one under test, at any free address.
        "balancer_addresses": [settings.BALANCER_ADDRESS, settings.DYNAMIC_RANGE],
        "admin_networks": [settings.GATEWAY],
        "users_admins": [{"name": "ops", "keys": [key]}],
        "docker_insecure_registries": [f"{settings.REGISTRY_HOST}:5000"],
    }


def inputs(root: Path = settings.ROOT) -> dict[str, str]:
    """Hash of each file of the checkout that setting up may depend on, by its path."""
    found = {}
    for name in INPUTS:
        place = root / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix not in {".md", ".pyc"}:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path.relative_to(root))] = digest
    return found


def tag(distribution: bases.Distribution) -> str:
    """Tag of the image for what is in the checkout now, e.g. greenlight-dev/set-up:debian-12-..."""
    parent = docker("image", "inspect", "--format", "{{.Id}}", images.tag("droplet", distribution))
    own = {"parent": parent, "variables": json.dumps(variables())}
    for name in CONTEXT:
        own[name] = (settings.DOCKERFILES / name).read_text(encoding="utf-8")
    return f"{REPOSITORY}:{distribution.slug}-{images.inputs_hash({**inputs(), **own})}"


def ensure(distribution: bases.Distribution) -> str:
    """Make sure that the image is there, which takes a minute or two when it is not; its tag.

    Raises CommandError or DropletError.
    """
    with step("image set-up") as current:
        wanted = tag(distribution)
        if docker_cli.inspect("image", wanted) is not None:
            current.note = "unchanged"
            return wanted
        droplets.remove(NAME)
        try:
            _make(wanted, distribution, current)
        finally:
            droplets.remove(NAME)
        current.note = f"made, {len(remove_old(wanted))} old ones removed"
    return wanted


@contextmanager
def image(distribution: bases.Distribution, *, wanted: bool) -> Iterator[str]:
    """The tag of the image, which nobody removes within the block; empty when it is not wanted.

    One run makes it, others wait for it; what else the fleet does goes on.
    """
    if not wanted:
        yield ""
        return
    with (settings.STATE / "set-up.lock").open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield ensure(distribution)


def _make(wanted: str, distribution: bases.Distribution, current: Step) -> None:
    """Set a bare droplet up, and turn it into the image `wanted`."""
    with state.lock():
        connection, _done = droplets.start(droplets.Droplet(NAME), distribution)
    droplets.wait_booted(connection)
    _play(connection, current)
    container = settings.container(NAME)
    docker("exec", container, "sh", "-ec", SAVE_DOCKER)
    docker("container", "stop", "--time", "20", container)
    # The labels of the container go into the image: its own say that it is no machine.
    label = f"LABEL {settings.LABEL}=image"
    committed = docker("container", "commit", "--change", label, container, timeout=300)
    arguments = ["--build-arg", f"PARENT={committed}", "--label", f"{settings.INPUTS_LABEL}=set-up"]
    arguments += ["--file", str(settings.DOCKERFILES / CONTEXT[0])]
    docker_cli.build(settings.DOCKERFILES, wanted, current, arguments)


def _play(connection: droplets.Connection, current: Step) -> None:
    """Run setup-api.yml on the droplet. Raises CommandError."""
    checks = {"UserKnownHostsFile": connection.known_hosts, "StrictHostKeyChecking": "yes"}
    host = {
        **variables(),
        "ansible_host": connection.host,
        "ansible_port": connection.port,
        "ansible_user": connection.user,
        "ansible_ssh_private_key_file": connection.key,
        "ansible_ssh_common_args": " ".join(f"-o {key}={value}" for key, value in checks.items()),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    inventory = settings.STATE / f"{NAME}-inventory.json"
    document = {"all": {"children": {"api": {"hosts": {NAME: host}}}}}
    state.write_private(inventory, json.dumps(document))
    lines: list[str] = []

    def keep(line: str) -> None:
        lines.append(line)
        current.detail(line)

    program = str(demo_process.BIN / "ansible-playbook")
    command = [program, "-i", str(inventory), str(settings.ROOT / "playbooks" / "setup-api.yml")]
    # No setting of Ansible from whoever calls us, which may be a play itself.
    environment = {key: value for key, value in os.environ.items() if "ANSIBLE_" not in key}
    environment["ANSIBLE_CONFIG"] = str(settings.ROOT / "ansible.cfg")
    code = demo_process.stream(command, keep, env=environment)
    inventory.unlink()
    if code != 0:
        raise CommandError(command, f"exit code {code}", "\n".join(lines))


def remove_old(wanted: str) -> list[str]:
    """Remove such images but `wanted` and the newest others, KEPT in all; return their tags.

    One that a container stands on is left for the next time.
    """
    form = "{{.Repository}}:{{.Tag}}"
    listed = docker("image", "ls", "--format", form, REPOSITORY).split()
    used = set(docker("container", "ls", "--all", "--format", "{{.Image}}").split())
    old = [name for name in listed if name != wanted][KEPT - 1 :]
    gone = [name for name in old if name not in used]
    if gone:
        docker("image", "rm", *gone)
    return gone
