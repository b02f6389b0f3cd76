# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HAProxy of somebody else's: its configuration, and settings that lead past ours."""

from __future__ import annotations

import hashlib
import re
import typing as t

from .._core import files
from .model import Findings

CONFIGURATION: t.Final = "/etc/haproxy/haproxy.cfg"
COPY: t.Final = f"{CONFIGURATION}.before-greenlight"
DEFAULTS: t.Final = "/etc/default/haproxy"
PACKAGES: t.Final = "/var/lib/dpkg/status"

_OURS: t.Final = (
    re.compile(r"\A#.*checksum [0-9a-f]{64}$", re.MULTILINE),
    re.compile(r"map\(/var/lib/greenlight/[^)]+/live\.map\)"),
)
"""A configuration of ours names its checksum; one of an earlier version at least the pointer."""


def find(take_over: bool) -> Findings:
    """Look at this host. `take_over` says that a configuration of others may be replaced."""
    text = files.read_damaged_text(CONFIGURATION)
    packages = files.read_damaged_text(PACKAGES)
    foreign = is_foreign(text, packages)
    refused = past_ours(files.read_damaged_text(DEFAULTS))
    if foreign and not take_over:
        served = ", ".join(sections(text)) or "nothing"
        refused.insert(
            0,
            f"{CONFIGURATION} is somebody else's; it has {served}. It would be replaced, and what"
            " it serves would not be served any more. Move it to another host, or set"
            f" proxy_take_over: true to have it kept as {COPY} and replaced.",
        )
    return Findings(tuple(refused), (), foreign)


def is_foreign(text: str, packages: str) -> bool:
    """Tell whether a configuration is neither ours nor the package's own, untouched.

    `packages` is dpkg's own list, which has the checksum of the file as it came.
    """
    if not text.strip() or any(mark.search(text) for mark in _OURS):
        return False
    found = re.findall(rf"^ {re.escape(CONFIGURATION)} ([0-9a-f]{{32}})", packages, re.MULTILINE)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() not in found


def sections(text: str) -> list[str]:
    """Return what the configuration serves: its frontends and what else listens, by name."""
    found = re.findall(r"^[ \t]*(frontend|listen)[ \t]+(\S+)", text, re.MULTILINE)
    return [" ".join(words) for words in found]


def past_ours(defaults: str) -> list[str]:
    """Return settings of the service that make HAProxy read other files than ours, in words."""
    found = []
    for name, value in re.findall(r"^\s*(CONFIG|EXTRAOPTS)=(.*)$", defaults, re.MULTILINE):
        said = value.strip().strip("\"'")
        other = name == "CONFIG" and said != CONFIGURATION
        if other or (name == "EXTRAOPTS" and re.search(r"(^|\s)-f\b", said)):
            found.append(
                f"{DEFAULTS} has {name}={said}, so HAProxy reads another configuration than"
                f" {CONFIGURATION}. Take the line out."
            )
    return found
