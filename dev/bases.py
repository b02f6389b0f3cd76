# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base image: from a registry when one is reached, else built with debootstrap."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dev import packages, settings
from dev.docker_cli import docker, inspect
from dev.engine import docker_command
from dev.shell import CommandError, as_root, run, run_logged, succeeds
from dev.steps import Step

PROBE_SECONDS = 10.0
# What a minimal system does not need; removed before the import so that no layer carries it.
SURPLUS = ("var/cache/apt/*", "var/lib/apt/lists/*", "usr/share/doc/*", "usr/share/man/*",
           "usr/share/locale/*", "var/log/*")  # fmt: skip


@dataclass(frozen=True)
class Distribution:
    """A distribution release that droplets can run."""

    image: str
    codename: str

    @property
    def slug(self) -> str:
        """The name in image tags, e.g. debian-12."""
        return self.image.replace(":", "-")


DISTRIBUTIONS = {
    item.image: item
    for item in (
        Distribution("debian:12", "bookworm"),
        Distribution("ubuntu:24.04", "noble"),
        Distribution("ubuntu:22.04", "jammy"),
    )
}
DEFAULT_DISTRIBUTION = "debian:12"


def raw_tag(distribution: Distribution) -> str:
    """Tag of the unchanged base system."""
    return f"greenlight-dev/system:{distribution.slug}"


def _registry_has(distribution: Distribution) -> bool:
    command = [*docker_command(), "manifest", "inspect", distribution.image]
    return succeeds(command, timeout=PROBE_SECONDS)


def _pull(distribution: Distribution, step: Step) -> None:
    log = settings.LOGS / f"pull-{distribution.slug}.log"
    run_logged([*docker_command(), "pull", distribution.image], log, step.detail)
    docker("tag", distribution.image, raw_tag(distribution))


def _import(root: Path, distribution: Distribution) -> None:
    """Pack the folder `root` into an image of one layer."""
    archive = root.with_suffix(".tar")
    run(as_root(["tar", "-C", str(root), "-cf", str(archive), "."]))
    docker("import", "--change", 'CMD ["/bin/bash"]', str(archive), raw_tag(distribution))


def _debootstrap(distribution: Distribution, step: Step) -> None:
    """Build the base system with debootstrap and its default mirror."""
    absent = packages.missing(["debootstrap"])
    if absent:
        packages.apt_install(absent, step)
    # Not in /tmp: it may be mounted without device files.
    folder = Path(tempfile.mkdtemp(prefix="system-", dir=settings.STATE))
    root = folder / "root"
    try:
        command = ["debootstrap", "--variant=minbase", distribution.codename, str(root)]
        run_logged(as_root(command), settings.LOGS / "debootstrap.log", step.detail)
        surplus = " ".join(f"{root}/{pattern}" for pattern in SURPLUS)
        run(as_root(["sh", "-c", f"rm -rf {surplus}"]))
        _import(root, distribution)
    finally:
        if not succeeds(as_root(["rm", "-rf", "--one-file-system", str(folder)])):
            shutil.rmtree(folder, ignore_errors=True)


def ensure(distribution: Distribution, step: Step) -> str:
    """Make sure the base system's image is there; return its id and note where it came from."""
    found = inspect("image", raw_tag(distribution))
    if found is not None:
        step.note = f"{distribution.image} already here"
        return str(found["Id"])
    step.detail("asking a registry")
    if _registry_has(distribution):
        _pull(distribution, step)
        step.note = f"{distribution.image} taken from a registry"
    else:
        try:
            _debootstrap(distribution, step)
        except CommandError as exc:
            message = f"no registry has {distribution.image} and debootstrap failed too"
            raise CommandError(exc.command, message, exc.output) from exc
        step.note = f"no registry reached; {distribution.image} built with debootstrap"
    built = inspect("image", raw_tag(distribution))
    if built is None:
        raise CommandError(["docker", "image"], "the base image was made and is not there", "")
    return str(built["Id"])
