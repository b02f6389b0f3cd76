# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that the fleet needs on this machine, from the distribution's packages."""

from __future__ import annotations

from collections.abc import Mapping

from dev import settings
from dev.shell import as_root, installed, run_logged
from dev.steps import Step

PROGRAM_PACKAGES: Mapping[str, str] = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "debootstrap": "debootstrap",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}


def missing(programs: list[str]) -> list[str]:
    """Packages to install so that every one of `programs` is there."""
    absent = {PROGRAM_PACKAGES[program] for program in programs if not installed(program)}
    if "debootstrap" in absent:
        # The keys that debootstrap checks Debian's signatures with; Ubuntu does not have them.
        absent.add("debian-archive-keyring")
    return sorted(absent)


def apt_install(packages: list[str], step: Step) -> None:
    """Install `packages` with apt-get; the log goes to .fleet/logs/apt.log."""
    env = ["env", "DEBIAN_FRONTEND=noninteractive"]
    log = settings.LOGS / "apt.log"
    run_logged(as_root([*env, "apt-get", "-q", "update"]), log, step.detail)
    command = [*env, "apt-get", "install", "-qy", "--no-install-recommends", *packages]
    run_logged(as_root(command), log, step.detail)


def ensure(programs: list[str], step: Step) -> None:
    """Install what is missing of `programs`; say in the step's note what was installed."""
    packages = missing(programs)
    if packages:
        apt_install(packages, step)
    step.note = f"installed {', '.join(packages)}" if packages else "all there"
