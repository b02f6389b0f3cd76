# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our settings of the engine put into a daemon.json that others have written. Pure.

What we do not speak of stays: data-root, dns and the like decide where containers and volumes are.
What says otherwise is refused, and what we wrote ourselves is replaced.
"""

from __future__ import annotations

import json
import typing as t

from .._core.errors import SpecError

PATH: t.Final = "/etc/docker/daemon.json"

Settings: t.TypeAlias = "dict[str, t.Any]"

_WITHOUT_RECORD: t.Final = frozenset(
    {
        *("live-restore", "log-level", "log-driver", "log-opts", "default-address-pools", "mtu"),
        *("insecure-registries", "icc", "userland-proxy", "no-new-privileges", "default-ulimits"),
    }
)
"""What a file of ours always had before there was a record of what we wrote."""

_SOMETIMES: t.Final = frozenset({"metrics-addr", "userns-remap"})
"""What it had where a variable of the role asked for it."""

_THEIRS_STAYS: t.Final = ("log-level",)
_LISTS: t.Final = ("insecure-registries",)
_MAPS: t.Final = ("log-opts", "default-ulimits")

_VARIABLES: t.Final = {
    "log-opts": "docker_log_max_size and docker_log_max_files",
    "default-address-pools": "docker_address_pool and docker_address_pool_size",
    "mtu": "docker_mtu",
    "icc": "docker_inter_container",
    "userland-proxy": "docker_userland_proxy",
    "no-new-privileges": "docker_no_new_privileges",
    "default-ulimits": "docker_ulimits",
    "userns-remap": "docker_userns_remap",
    "metrics-addr": "docker_metrics_address",
}
"""The variable that a setting comes from, where it has one."""

_NEVER: t.Final[dict[str, tuple[t.Any, str]]] = {
    "iptables": (False, "containers could reach nothing outside of this host"),
}
"""Values of settings that we do not write, with which a release cannot work."""

_FLAGS: t.Final = {
    "default-address-pool": "default-address-pools",
    "default-ulimit": "default-ulimits",
    "insecure-registry": "insecure-registries",
    "log-opt": "log-opts",
}
"""Options of the command line that have another name in the file."""


def read(text: str | None) -> Settings:
    """Return what a daemon.json says. Raises SpecError for a text that is no JSON object."""
    if text is None or not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise SpecError(
            f"{PATH} is no JSON ({exc}), so Docker cannot start with it either. Put it right, or"
            " move it away. Nothing was changed."
        ) from exc
    if not isinstance(found, dict):
        raise SpecError(
            f"{PATH} holds {found!r} instead of an object of settings. Put it right, or move it"
            " away. Nothing was changed."
        )
    return found


def written_by_us(present: Settings, record: str | None) -> Settings:
    """Return the settings that are ours: those of the record, or of a file from before it."""
    if record is not None:
        return read(record)
    known = _WITHOUT_RECORD | _SOMETIMES
    ours = {key: value for key, value in present.items() if key in known}
    return ours if present.keys() >= _WITHOUT_RECORD else {}


def merge(present: Settings, wanted: Settings, ours: Settings) -> Settings:
    """Return what the file is to say. Raises SpecError that names everything that contradicts."""
    found = _without_ours(present, wanted, ours)
    clashes = [
        f'"{key}": {_json(value)} ({why})'
        for key, (value, why) in _NEVER.items()
        if found.get(key) == value
    ]
    for key, value in wanted.items():
        if key in _LISTS:
            theirs = [one for one in present.get(key, []) if one not in ours.get(key, [])]
            found[key] = list(dict.fromkeys([*value, *theirs]))
        elif key in _MAPS:
            merged = _merge_map(present.get(key, {}), value, ours.get(key, {}), clashes, key)
            found[key] = merged
        elif key in _THEIRS_STAYS and key in present and present[key] != ours.get(key):
            found[key] = present[key]
        elif _is_free(present, key, value, ours):
            found[key] = value
        else:
            clashes.append(_clash(key, f'"{key}": {_json(present[key])}', value))
    if clashes:
        raise SpecError(
            f"{PATH} of this host says what Greenlight cannot work with: {'; '.join(clashes)}. Take"
            " it out of the file, or set the variable to it where one is named. Nothing was"
            " changed."
        )
    return found


def _without_ours(present: Settings, wanted: Settings, ours: Settings) -> Settings:
    """Return what others have set beside us: without what we set, or have set before."""
    return {
        key: value
        for key, value in present.items()
        if key not in wanted and (key not in ours or value != ours[key])
    }


def _is_free(present: Settings, key: str, value: t.Any, ours: Settings) -> bool:
    """Tell whether we may say what the setting is: it is not there, the same, or ours."""
    return key not in present or present[key] in (value, ours.get(key, value))


def _merge_map(
    present: t.Any, wanted: Settings, ours: Settings, clashes: list[str], name: str
) -> Settings:
    if not isinstance(present, dict):
        clashes.append(_clash(name, f'"{name}": {_json(present)}', wanted))
        return wanted
    found = _without_ours(present, wanted, ours)
    for key, value in wanted.items():
        found[key] = value
        if not _is_free(present, key, value, ours):
            said = f'"{name}": {{"{key}": {_json(present[key])}}}'
            clashes.append(_clash(name, said, value))
    return found


def _clash(name: str, said: str, wanted: t.Any) -> str:
    variable = _VARIABLES.get(name)
    return f"{said} instead of {_json(wanted)}{f' from {variable}' if variable else ''}"


def _json(value: t.Any) -> str:
    return json.dumps(value, sort_keys=True)


def render(settings: Settings) -> str:
    """Return the text of the file."""
    return json.dumps(settings, indent=2, sort_keys=True) + "\n"


def refuse_flags(words: t.Sequence[str], wanted: Settings) -> None:
    """Raise SpecError when dockerd is started with an option that the file would say as well.

    dockerd does not start then, even when both say the same.
    """
    flags = [word.lstrip("-").partition("=")[0] for word in words if word.startswith("--")]
    if twice := sorted({flag for flag in flags if _FLAGS.get(flag, flag) in wanted}):
        raise SpecError(
            f"dockerd of this host is started with --{', --'.join(twice)}, which {PATH} has to say"
            " too, and Docker does not start when both do. Take the option out of the unit"
            " ('systemctl cat docker') or of DOCKER_OPTS in /etc/default/docker. Nothing was"
            " changed."
        )
