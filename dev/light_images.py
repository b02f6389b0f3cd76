# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two images of the light test hosts; built on the droplet's, and only by who wants them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dev import bases, docker_cli, images, settings
from dev.steps import Step, step

HOST = "light-host"
ENGINE = "light-engine"


def _id(image: str) -> str:
    return docker_cli.docker("image", "inspect", "--format", "{{.Id}}", image)


def _build(name: str, distribution: bases.Distribution, parent: str, current: Step) -> None:
    """Build an image on `parent` unless the same inputs made the one that is there."""
    dockerfile = (settings.DOCKERFILES / f"{name}.Dockerfile").read_text(encoding="utf-8")
    parent_id = _id(parent)
    wanted = images.inputs_hash({"Dockerfile": dockerfile, "parent": parent_id})
    tag = images.tag(name, distribution)
    current.note = "unchanged"
    if docker_cli.image_label(tag, settings.INPUTS_LABEL) == wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        label = ["--label", f"{settings.INPUTS_LABEL}={wanted}"]
        arguments = ["--build-arg", f"PARENT={parent_id}", *label]
        docker_cli.build(Path(folder), tag, current, arguments)
    current.note = "built"


def ensure(distribution: bases.Distribution) -> None:
    """Make sure that both images are there. Raises CommandError with the build's log."""
    images.ensure(distribution, ["droplet"])
    parent = images.tag("droplet", distribution)
    for name in (HOST, ENGINE):
        with step(f"image {name}") as current:
            _build(name, distribution, parent, current)
        parent = images.tag(name, distribution)


def save(distribution: bases.Distribution, path: Path) -> None:
    """Write the hosts' image to a file that `docker load` of another engine takes."""
    docker_cli.docker("image", "save", "--output", str(path), images.tag(HOST, distribution))
