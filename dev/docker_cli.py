# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few Docker client calls that the fleet makes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev import keys, settings
from dev.engine import docker_command
from dev.shell import CommandError, run, run_logged
from dev.steps import Step

OURS = f"label={settings.LABEL}={settings.LABEL_VALUE}"


def docker(*arguments: str, input_text: str | None = None, timeout: float | None = 120) -> str:
    """Run the docker client, return its stdout without the last line end."""
    command = [*docker_command(), *arguments]
    return run(command, input_text=input_text, timeout=timeout).rstrip("\n")


def inspect(kind: str, name: str) -> dict[str, Any] | None:
    """What Docker knows about an object (`kind` container, image, network, volume), or None."""
    try:
        found = json.loads(docker(kind, "inspect", name))
    except CommandError as exc:
        if "no such" in exc.output.lower() or "not found" in exc.output.lower():
            return None
        raise
    return dict(found[0])


def image_label(image: str, label: str) -> str | None:
    """Value of a label of an image, None when the image or the label is missing."""
    found = inspect("image", image)
    if found is None:
        return None
    value = (found["Config"].get("Labels") or {}).get(label)
    return None if value is None else str(value)


def ours(kind: str, *filters: str) -> list[str]:
    """Names of the fleet's objects of a kind: container, volume or network."""
    wanted = [OURS, *filters]
    arguments = [part for item in wanted for part in ("--filter", item)]
    if kind == "container":
        listed = docker("container", "ls", "--all", "--format", "{{.Names}}", *arguments)
    else:
        listed = docker(kind, "ls", "--format", "{{.Name}}", *arguments)
    return sorted(listed.split())


def strangers(kind: str) -> list[str]:
    """Names of the containers or volumes that another checkout has made; our keys do not fit."""
    mine = set(ours(kind, f"label={settings.KEY_LABEL}={keys.fingerprint()}"))
    roles = ours(kind, f"label={settings.ROLE_LABEL}")
    return [name for name in roles if name not in mine]


def label_arguments(role: str, name: str) -> list[str]:
    """Arguments that mark an object as the fleet's own."""
    labels = (
        (settings.LABEL, settings.LABEL_VALUE),
        (settings.ROLE_LABEL, role),
        (settings.NAME_LABEL, name),
        (settings.KEY_LABEL, keys.fingerprint()),
    )
    return [part for key, value in labels for part in ("--label", f"{key}={value}")]


def build(context: Path, tag: str, step: Step, arguments: Sequence[str]) -> None:
    """Build an image; the log goes to .fleet/logs/build-<name>.log."""
    name = tag.rpartition("/")[2].replace(":", "-")
    *sudo, client = docker_command()
    # The classic builder: the distribution's packages have no BuildKit plugin for the client.
    command = [
        *sudo,
        "env",
        "DOCKER_BUILDKIT=0",
        client,
        "build",
        "--network",
        "host",
        "--tag",
        tag,
    ]
    log = settings.LOGS / f"build-{name}.log"
    run_logged([*command, *arguments, str(context)], log, step.detail)


def remove_container(name: str) -> None:
    """Remove a container with its anonymous volumes, running or not."""
    docker("container", "rm", "--force", "--volumes", name)
