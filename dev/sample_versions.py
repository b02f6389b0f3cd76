# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named versions of the sample API, so that tests and the demo need no SHAs of their own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

RevisionLabel = Literal["right", "missing", "wrong"]


def sha_of(name: str) -> str:
    """The fixed 40-hex SHA of the version called `name`."""
    return hashlib.sha1(f"greenlight sample {name}".encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Version:
    """A version: its name, how it behaves and what its revision label says."""

    name: str
    behaviour: str = ""
    label: RevisionLabel = "right"
    start_seconds: float | None = None
    given_sha: str = ""
    layer_megabytes: int = 0

    @property
    def sha(self) -> str:
        """The version's SHA, which is also its image tag."""
        return self.given_sha or sha_of(self.name)

    @property
    def revision(self) -> str | None:
        """Value of org.opencontainers.image.revision, None when the image has no such label."""
        if self.label == "missing":
            return None
        return self.sha if self.label == "right" else sha_of(f"not {self.name}")

    def environment(self) -> dict[str, str]:
        """The environment baked into the image."""
        values = {"SAMPLE_SHA": self.sha, "SAMPLE_BEHAVIOUR": self.behaviour}
        if self.start_seconds is not None:
            values["SAMPLE_START_SECONDS"] = f"{self.start_seconds:g}"
        return values


MISBEHAVIOURS = (
    *("never-healthy", "unhealthy-json", "redirect-health", "hang-health"),
    *("crash-on-start", "crash-after", "crash-after-traffic", "errors"),
    *("ignore-sigterm", "wrong-port", "slow-start", "hang-requests", "eat-memory"),
)
VERSIONS = {
    version.name: version
    for version in (
        *(Version(name) for name in ("A", "B", "C", "D", "E", "F")),
        Version("one-second-start", start_seconds=1.0),
        *(Version(name, behaviour=name) for name in MISBEHAVIOURS),
        # Two SHAs that begin alike: their common prefix (12 digits) is ambiguous.
        *(
            Version(f"twin-{n}", given_sha=sha_of("twins")[:12] + sha_of(f"twin-{n}")[12:])
            for n in (1, 2)
        ),
        # All others differ in their settings alone; this one has a layer that must be pulled.
        Version("heavy", layer_megabytes=4),
        Version("missing-label", label="missing"),
        Version("wrong-label", label="wrong"),
    )
}
