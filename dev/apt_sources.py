# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's own apt settings, for images: sources of one release and the Acquire options.

No mirror is named in this project. A machine that reaches its packages through a mirror or a proxy
says so in its own apt configuration, and the images are given the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dev.shell import CommandError, run

APT = Path("/etc/apt")
# Keys that every image of the distribution has; what is signed with another is not its archive.
ARCHIVE_KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
)
ACQUIRE = re.compile(r"^Acquire::(https?::|Check-|Max-|Min-|Retries|Force)\S* \"[^\"]*\";$")


def _fields(stanza: str) -> dict[str, str]:
    """Fields of one deb822 stanza, keys in lower case, comments left out."""
    fields: dict[str, str] = {}
    key = ""
    for line in stanza.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line[0] in " \t":
            fields[key] = f"{fields.get(key, '')} {line.strip()}".strip()
            continue
        key, _colon, value = line.partition(":")
        key = key.strip().lower()
        fields[key] = value.strip()
    return fields


def _of_release(suites: Iterable[str], codename: str) -> list[str]:
    """Those of `suites` that belong to the release: bookworm, bookworm-updates, ..."""
    return [suite for suite in suites if suite == codename or suite.startswith(f"{codename}-")]


def from_deb822(text: str, codename: str) -> list[str]:
    """One-line entries for what a .sources file says about the release `codename`."""
    entries: list[str] = []
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        signed_by = fields.get("signed-by", "")
        enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
        if "deb" not in fields.get("types", "").split() or not enabled:
            continue
        if signed_by and signed_by not in ARCHIVE_KEYRINGS:
            continue
        option = f"[signed-by={signed_by}] " if signed_by else ""
        for uri in fields.get("uris", "").split():
            entries.extend(
                f"deb {option}{uri} {suite} {fields.get('components', '')}".strip()
                for suite in _of_release(fields.get("suites", "").split(), codename)
            )
    return entries


def from_list(text: str, codename: str) -> list[str]:
    """Entries of a one-line style .list file that belong to the release `codename`."""
    entries: list[str] = []
    for line in text.splitlines():
        match = re.match(r"^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)(\s[^#]*)?", line)
        if match is None or not _of_release([match[3]], codename):
            continue
        signed_by = re.search(r"signed-by=([^\s\]]+)", match[1] or "")
        if signed_by and signed_by[1] not in ARCHIVE_KEYRINGS:
            continue
        option = f"[signed-by={signed_by[1]}] " if signed_by else ""
        entries.append(f"deb {option}{match[2]} {match[3]} {(match[4] or '').strip()}".strip())
    return entries


def acquire_options(dump: str) -> list[str]:
    """Lines of `apt-config dump` that say how packages are fetched: proxies, dates, retries."""
    return [line for line in dump.splitlines() if ACQUIRE.match(line) and not line.endswith('"";')]


def _source_files(apt: Path) -> Iterator[Path]:
    yield from sorted(apt.glob("sources.list"))
    yield from sorted(apt.glob("sources.list.d/*.list"))
    yield from sorted(apt.glob("sources.list.d/*.sources"))


def machine_sources(codename: str, apt: Path = APT) -> list[str]:
    """Entries of this machine's sources for the release `codename`, each once."""
    entries: list[str] = []
    for path in _source_files(apt):
        text = path.read_text(encoding="utf-8")
        parse = from_deb822 if path.suffix == ".sources" else from_list
        entries.extend(parse(text, codename))
    return list(dict.fromkeys(entries))


def machine_options() -> list[str]:
    """This machine's Acquire options, none when it has no apt."""
    try:
        return acquire_options(run(["apt-config", "dump"]))
    except CommandError:
        return []
