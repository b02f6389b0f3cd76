# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's images; one is rebuilt only when something that goes into it changed."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev import apt_sources, bases, docker_cli, settings
from dev.steps import Step, step

# Each image and what it is built on; the order is that of the builds.
PARENTS = {
    "base": "system",
    "droplet": "base",
    "balancer": "base",
    "registry": "base",
    "application-base": "base",
}


def tag(name: str, distribution: bases.Distribution) -> str:
    """Tag of the image `name`, e.g. greenlight-dev/droplet:debian-12."""
    return f"greenlight-dev/{name}:{distribution.slug}"


def inputs_hash(parts: dict[str, str]) -> str:
    """Hash (SHA-256, 16 hex digits) of all that goes into an image."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _files(name: str, distribution: bases.Distribution) -> dict[str, str]:
    """Content of the build context of an image, by file name."""
    dockerfile = (settings.DOCKERFILES / f"{name}.Dockerfile").read_text(encoding="utf-8")
    files = {"Dockerfile": dockerfile}
    if name == "base":
        sources = apt_sources.machine_sources(distribution.codename)
        # Empty means: keep the sources that the base system came with.
        files["machine.list"] = "".join(f"{line}\n" for line in sources)
        options = apt_sources.machine_options()
        files["machine.conf"] = "".join(f"{line}\n" for line in options)
    return files


def _build(name: str, distribution: bases.Distribution, parent_id: str, current: Step) -> str:
    """Build the image unless the same inputs made the one that is there; return its id."""
    files = _files(name, distribution)
    wanted = inputs_hash({**files, "parent": parent_id, "format": "2"})
    image = tag(name, distribution)
    if docker_cli.image_label(image, settings.INPUTS_LABEL) == wanted:
        current.note = "unchanged"
    else:
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                (Path(folder) / path).write_text(text, encoding="utf-8")
            arguments = ["--build-arg", f"PARENT={parent_id}"]
            # Not the fleet's own label: containers inherit it, and `down` removes what carries it.
            label = ["--label", f"{settings.INPUTS_LABEL}={wanted}"]
            docker_cli.build(Path(folder), image, current, [*arguments, *label])
        current.note = "built"
    return str(docker_cli.docker("image", "inspect", "--format", "{{.Id}}", image))


def ensure(distribution: bases.Distribution, names: list[str] | None = None) -> None:
    """Make sure that images are there (all, or `names` with what they stand on)."""
    wanted = list(PARENTS) if names is None else ["base", *names]
    with step("base system") as current:
        ids = {"system": bases.ensure(distribution, current)}
    for name in dict.fromkeys(wanted):
        with step(f"image {name}") as current:
            ids[name] = _build(name, distribution, ids[PARENTS[name]], current)


def remove_all() -> list[str]:
    """Remove every image of the fleet, also of the sample API; return what was removed."""
    patterns = ["greenlight-dev/*", f"{settings.REGISTRY_PUSH}/*"]
    named = [part for item in patterns for part in ("--filter", f"reference={item}")]
    # Images that a newer build has taken the name from.
    nameless = ["--filter", "dangling=true", "--filter", f"label={settings.INPUTS_LABEL}"]
    images = list(dict.fromkeys([*_references(named), *_references(nameless)]))
    if images:
        docker_cli.docker("image", "rm", "--force", *images)
    return images


def _references(filters: Sequence[str]) -> list[str]:
    """Return what to call images by, newest first: one whose name or tag is gone by its digits."""
    form = "{{.Repository}}:{{.Tag}} {{.ID}}"
    listed = docker_cli.docker("image", "ls", "--no-trunc", "--format", form, *filters)
    pairs = [line.split(" ") for line in listed.splitlines()]
    return [digits if "<none>" in name else name for name, digits in pairs]
