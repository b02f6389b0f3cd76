# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jails of others in fail2ban: one that cannot work keeps the whole service from starting.

fail2ban reads jail.conf, jail.d/*.conf, jail.local, then jail.d/*.local; the last value counts. Our
jails stand in jail.local, so that people can add to them, and what would break them or the service
is corrected in the file that is read last of all.
"""

from __future__ import annotations

import configparser
import glob
import os
import re
import typing as t

from .._core import files
from .model import Findings

FOLDER: t.Final = "/etc/fail2ban"
OURS: t.Final = f"{FOLDER}/jail.local"
COPY: t.Final = f"{OURS}.before-greenlight"
CORRECTIONS: t.Final = f"{FOLDER}/jail.d/zz-greenlight.local"
MARK: t.Final = "[haproxy-probe]"
"""Stands in each jail.local that we have written."""

DEPTH: t.Final = 12
"""So many references may lead from one value to the next."""

SHOWN: t.Final = 5
"""So many jails are named with their reasons."""

_ON: t.Final = ("1", "on", "true", "yes")

Sections: t.TypeAlias = "dict[str, dict[str, str]]"


def find(jails: t.Mapping[str, t.Mapping[str, str]], folder: str = FOLDER) -> Findings:
    """Look at this host. `jails` are ours by name, with what they cannot work without."""
    local = files.read_damaged_text(f"{folder}/jail.local")
    foreign = bool(local.strip()) and MARK not in local
    sections = read(paths(folder))
    dead = {
        name: why
        for name in sections
        if name not in jails and (why := reason_to_be_dead(sections, name, folder))
    }
    later = read([path for path in paths(folder) if path.endswith(".local")])
    broken = {
        name: {key: value for key, value in needed.items() if _differs(later, name, key, value)}
        for name, needed in jails.items()
    }
    notes = [_off_note(dead)] if dead else []
    notes += [
        f"The jail {name} of fail2ban keeps {', '.join(values)}, which {folder} sets otherwise."
        for name, values in broken.items()
        if values
    ]
    if foreign:
        notes.append(f"{OURS} is somebody else's: it is kept as {COPY} and replaced.")
    off = {name: {"enabled": "false"} for name in dead}
    return Findings((), tuple(notes), foreign, render({**off, **broken}))


def _off_note(dead: t.Mapping[str, str]) -> str:
    """Name the jails that are switched off, a few of them with the reason."""
    told = [f"{name} ({why})" for name, why in sorted(dead.items())]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return (
        f"These jails are switched off, for with them fail2ban does not start:"
        f" {'; '.join(told[:SHOWN])}{more}. {CORRECTIONS} says so until they can work."
    )


def _differs(sections: Sections, name: str, key: str, value: str) -> bool:
    """Tell whether a file that is read after ours sets another value for one of our jails."""
    said = sections.get(name, {}).get(key)
    return said is not None and said != value


def render(corrections: t.Mapping[str, t.Mapping[str, str]]) -> str:
    """Return the text of the file that is read last; empty when there is nothing to correct."""
    blocks = [
        "\n".join((f"[{name}]", *(f"{key} = {value}" for key, value in values.items())))
        for name, values in sorted(corrections.items())
        if values
    ]
    if not blocks:
        return ""
    head = "# Written by greenlight.droplet: without this fail2ban would not start, or not ban."
    return "\n\n".join((head, *blocks)) + "\n"


def paths(folder: str) -> list[str]:
    """Return the files of others in the order in which fail2ban reads them, ours left out."""
    found = [f"{folder}/jail.conf", *sorted(glob.glob(f"{folder}/jail.d/*.conf"))]
    found += sorted(glob.glob(f"{folder}/jail.d/*.local"))
    ours = (os.path.basename(CORRECTIONS), "greenlight.local")
    return [path for path in found if os.path.basename(path) not in ours]


def read(found: t.Sequence[str]) -> Sections:
    """Return all sections, DEFAULT among them; of a value that stands twice the last one."""
    sections: Sections = {"DEFAULT": {}}
    for path in found:
        for name, values in _read_one(path, 0).items():
            sections.setdefault(name, {}).update(values)
    return sections


def _read_one(path: str, depth: int) -> Sections:
    # fail2ban takes what stands behind a semicolon for a comment too.
    parser = configparser.RawConfigParser(
        strict=False, allow_no_value=True, default_section="", inline_comment_prefixes=(";",)
    )
    try:
        parser.read_string(files.read_damaged_text(path))
    except configparser.Error:
        # fail2ban says itself, with the line, that it cannot read the file.
        return {}
    sections = {name: {k: v or "" for k, v in parser[name].items()} for name in parser.sections()}
    included = sections.pop("INCLUDES", {})
    merged: Sections = {}
    for key in ("before", "", "after"):
        names = included.get(key, "").split() if key and depth < DEPTH else []
        parts = [_read_one(f"{os.path.dirname(path)}/{name}", depth + 1) for name in names]
        for part in parts if key else [sections]:
            for name, values in part.items():
                merged.setdefault(name, {}).update(values)
    return merged


def value_of(sections: Sections, jail: str, key: str, depth: int = 0) -> str:
    """Return a jail's value with its references resolved; what leads nowhere stays as it is."""
    values = sections.get(jail, {})
    text = values.get(key, sections["DEFAULT"].get(key, ""))

    def resolved(match: re.Match[str]) -> str:
        name = match[1].lower()
        if name == "__name__":
            return jail
        if depth >= DEPTH:
            return match[0]
        place, _slash, inner = name.rpartition("/")
        return value_of(sections, place.upper() if place == "default" else jail, inner, depth + 1)

    return re.sub(r"%\(([^)]+)\)s", resolved, text)


def reason_to_be_dead(sections: Sections, jail: str, folder: str) -> str:
    """Return why an enabled jail keeps the service from starting, in words; empty when it works."""
    if jail == "DEFAULT" or value_of(sections, jail, "enabled").lower() not in _ON:
        return ""
    name = re.sub(r"\[.*", "", value_of(sections, jail, "filter") or jail, flags=re.DOTALL).strip()
    if not any(os.path.exists(f"{folder}/filter.d/{name}{end}") for end in (".conf", ".local")):
        return f"its filter {name} is not there"
    if value_of(sections, jail, "backend").startswith("systemd"):
        return ""
    lines = value_of(sections, jail, "logpath").split("\n")
    logs = [line.split()[0] for line in lines if line.strip()]
    if not logs:
        return "it names no log file"
    if not any(glob.glob(log) for log in logs):
        return f"its log file {', '.join(logs)} is not there"
    return ""
