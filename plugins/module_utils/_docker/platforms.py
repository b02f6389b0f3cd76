# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entry of an image index a host's engine takes, as Docker chooses. Pure.

Follows the OCI Image Specification (index, platform) and containerd's order of what a processor
can run.
"""

from __future__ import annotations

import typing as t

Entry = t.Mapping[str, t.Any]

_ALIASES: t.Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
_RUNS: t.Final = {
    "amd64": (("amd64", "v1"), ("386", "")),
    "arm64": (("arm64", "v8"), ("arm", "v8"), ("arm", "v7"), ("arm", "v6"), ("arm", "v5")),
    "arm": (("arm", "v7"), ("arm", "v6"), ("arm", "v5")),
}
"""What each architecture runs, best first: architecture and variant."""
_VARIANTS: t.Final = {"amd64": "v1", "arm64": "v8", "arm": "v7"}
"""The variant that an architecture has when none is named."""


def is_image_of_any(entry: Entry) -> bool:
    """Tell whether an entry may be an image: neither an attestation nor anything else beside it."""
    annotations = entry.get("annotations") or {}
    return "vnd.docker.reference.type" not in annotations and not entry.get("artifactType")


def rank(platform: Entry, wanted: str) -> int | None:
    """Return how far down a platform stands in what the host runs, 0 for the best; None: not.

    `platform` is that of an entry or an image's configuration, `wanted` Docker's word for the
    host's architecture, such as amd64.
    """
    if str(platform.get("os") or "linux").lower() != "linux":
        return None
    found = _normalised(str(platform.get("architecture") or ""), str(platform.get("variant") or ""))
    host, _variant = _normalised(wanted, "")
    runs = _RUNS.get(host, ((host, ""),))
    return runs.index(found) if found in runs else None


def _normalised(architecture: str, variant: str) -> tuple[str, str]:
    name, kind = architecture.lower(), variant.lower()
    if name in ("armhf", "armel"):
        return "arm", kind or {"armhf": "v7", "armel": "v6"}[name]
    name = _ALIASES.get(name, name)
    return name, (f"v{kind}" if kind.isdigit() else kind) or _VARIANTS.get(name, "")


def describe(platform: Entry | None) -> str:
    """Return a platform as people write it, such as linux/arm/v7; unnamed parts are left out."""
    given = platform or {}
    parts = (given.get("os"), given.get("architecture"), given.get("variant"))
    return "/".join(str(part) for part in parts if part) or "no platform"


def candidates(entries: t.Sequence[Entry], wanted: str) -> list[Entry]:
    """Return the entries that the host may take, best first; those without a platform go last."""
    named: list[tuple[int, Entry]] = []
    unnamed: list[Entry] = []
    for entry in entries:
        if not is_image_of_any(entry):
            continue
        platform = entry.get("platform") or {}
        if not platform.get("architecture"):
            unnamed.append(entry)
        elif (place := rank(platform, wanted)) is not None:
            named.append((place, entry))
    return [*(entry for _place, entry in sorted(named, key=lambda pair: pair[0])), *unnamed]
