# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no release can work with is refused before anything is touched. Pure.

Each refusal is a SpecError that names the option, its value, and what to do. The limits are those
that Docker and Linux have; limits on times keep a mistyped one from lasting for ever.
"""

from __future__ import annotations

import os
import re
import typing as t
from urllib.parse import urlsplit

from .._core.boundary import boundary
from .._core.errors import SpecError
from .._model.container_options import is_root
from .._model.secret_files import MOUNT
from .environment import check_word
from .options import LIMITS

_SIZE: t.Final = re.compile(r"([0-9]{1,18})([bkmg])")
_UNITS: t.Final = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def check_limits(params: dict[str, t.Any]) -> None:
    """Raise SpecError for an option that is no size, or not within its limits.

    Modules know all options; what leads a run knows those from which times are reckoned.
    """
    given = dict(params)
    for group in ("health", "watch", "canary"):
        given.update({f"{group}.{name}": value for name, value in params[group].items()})
    for label in (name for name in LIMITS if name in given):
        _check_option(label, given[label])


def check_group(group: str, values: t.Mapping[str, t.Any]) -> None:
    """Raise SpecError for a suboption of `group` that is not within its limits."""
    for label in LIMITS:
        if label.startswith(f"{group}."):
            _check_option(label, values[label.removeprefix(f"{group}.")])


def _check_option(label: str, value: t.Any) -> None:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise SpecError(f"{label} is empty. {_advice(label)}")
    for item in items:
        _check_limit(label, item)


def _check_limit(label: str, value: t.Any) -> None:
    least, most, zero = LIMITS[label]
    if isinstance(least, str):
        if not _SIZE.fullmatch(value):
            raise SpecError(f"{label} {value!r} is not a size such as '512m' or '2g'.")
        fits = _bytes(least) <= _bytes(value) <= _bytes(most)
    else:
        # Not a number is neither less nor more than anything: it has to fit, not to be outside.
        fits = least <= value <= most or (zero and value == 0)
    if not fits:
        raise SpecError(f"{label} is {value}. {_advice(label)}")


def _advice(label: str) -> str:
    least, most, zero = LIMITS[label]
    return f"Give a value from {least} to {most}{', or 0 for none' if zero else ''}."


def _bytes(size: str) -> int:
    found = _SIZE.fullmatch(size)
    return int(found[1]) * _UNITS[found[2]] if found else 0


_USER: t.Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?")
_HIGHEST_ID: t.Final = 2_147_483_647


def check_container(params: dict[str, t.Any]) -> None:
    """Raise SpecError for what Docker or Linux refuses in the container's options."""
    for number, word in enumerate(params["command"]):
        check_word(f"command[{number}]", word, "a volume")
    _check_user(params["user"], allow_root=params["allow_root"])
    processors = os.cpu_count() or 1
    if params["cpus"] > processors:
        raise SpecError(f"cpus is {params['cpus']}; this host has {processors} of them.")
    for name in params["cap_add"]:
        if not _CAPABILITY.fullmatch(name):
            raise SpecError(
                f"cap_add has {name!r}, which is no capability of Linux. Give names such as"
                " 'NET_BIND_SERVICE'; 'capsh --print' lists them."
            )
    _check_mounts(params["tmpfs"], params["volumes"], secret_files=params["secret_files"])


def _check_user(user: str, *, allow_root: bool) -> None:
    if user and is_root(user) and not allow_root:
        raise SpecError(
            f"user {user!r} is root, which a container does not need. Name another one,"
            " best by number, such as '10001:10001', or set app_allow_root: true."
        )
    parts = user.split(":") if user else []
    bad = [p for p in parts if not _USER.fullmatch(p) or (p.isdigit() and int(p) > _HIGHEST_ID)]
    if bad or len(parts) > 2:
        raise SpecError(
            f"user {user!r} is not a user, or a user and a group. Give names or numbers up to"
            f" {_HIGHEST_ID}, such as '10001:10001'."
        )


_CAPABILITY: t.Final = re.compile(
    "(cap_)?(all|audit_control|audit_read|audit_write|block_suspend|bpf|checkpoint_restore|chown"
    "|dac_override|dac_read_search|fowner|fsetid|ipc_lock|ipc_owner|kill|lease|linux_immutable"
    "|mac_admin|mac_override|mknod|net_admin|net_bind_service|net_broadcast|net_raw|perfmon|setfcap"
    "|setgid|setpcap|setuid|sys_admin|sys_boot|sys_chroot|sys_module|sys_nice|sys_pacct|sys_ptrace"
    "|sys_rawio|sys_resource|sys_time|sys_tty_config|syslog|wake_alarm)",
    re.IGNORECASE,
)
_MODES: t.Final = (
    {"ro", "rw"},
    {"z", "Z"},
    {"nocopy"},
    {"private", "rprivate", "shared", "rshared", "slave", "rslave"},
    {"consistent", "cached", "delegated"},
)
_COPYING, _PROPAGATION = 2, 3
"""Which of these sets are about copying, and about propagation."""

_VOLUME: t.Final = re.compile(
    r"(?:(/[^:]*|[A-Za-z0-9][A-Za-z0-9_.-]+):)?(/[^:]*)(?::([a-zA-Z,]+))?"
)


def _check_mounts(tmpfs: list[str], volumes: list[str], *, secret_files: bool) -> None:
    seen: set[str] = set()
    for folder in tmpfs:
        if not re.fullmatch(r"/[^:]*", folder):
            raise SpecError(
                f"tmpfs has {folder!r}, which is no folder. Give a path from '/' on, such as"
                " '/run/app', without ':'; its size comes from option tmpfs_size."
            )
        seen.add(_target("tmpfs", folder, folder))
        _check_free("tmpfs", folder, folder, secret_files)
    for volume in volumes:
        found = _VOLUME.fullmatch(volume)
        if not found or not _mode_fits(found[3], found[1]):
            raise SpecError(
                f"volumes has {volume!r}, which Docker does not take. Write a volume or a path, ':'"
                " and a path in the container, such as 'uploads:/srv/uploads' or '/a:/b:ro'."
            )
        target = _target("volumes", volume, found[2])
        _check_free("volumes", volume, target, secret_files)
        if target in seen:
            raise SpecError(
                f"volumes has {volume!r}: {target} is mounted already, by another volume or by"
                " option tmpfs. Remove one of them."
            )
        seen.add(target)


def _target(option: str, given: str, path: str) -> str:
    """Return the folder in the container, as Docker compares it."""
    target = os.path.normpath(f"/{path.lstrip('/')}")
    if target == "/":
        raise SpecError(f"{option} has {given!r}, which covers the whole container. Name a folder.")
    return target


def _check_free(option: str, given: str, path: str, secret_files: bool) -> None:
    if secret_files and f"{os.path.normpath(path)}/".startswith(f"{MOUNT}/"):
        raise SpecError(
            f"{option} has {given!r}, and {MOUNT} is where option secret_files puts the secrets."
            " Take another folder."
        )


def _mode_fits(mode: str | None, source: str | None) -> bool:
    """Tell whether Docker takes the words of a mode together, and for that source."""
    words = mode.split(",") if mode else []
    kinds = [number for word in words for number, kind in enumerate(_MODES) if word in kind]
    # Copying is for volumes that have a name, propagation for folders of the host.
    forbidden = _COPYING if (source or "").startswith("/") else _PROPAGATION
    fits = len(kinds) == len(set(kinds)) == len(words) and forbidden not in kinds
    return fits and (source is not None or not words)


_ULIMIT: t.Final = re.compile(
    "core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|sigpending|stack"
)
_MOST_FILES: t.Final = 2_147_483_584
"""The highest fs.nr_open that Linux takes; a limit on open files is at most that, never none."""


def limits(raw: dict[str, t.Any]) -> dict[str, int]:
    """Return option ulimits as numbers. Raises SpecError."""
    for name, value in raw.items():
        if not _ULIMIT.fullmatch(str(name)) or not re.fullmatch(r"-1|[0-9]{1,18}", str(value)):
            raise SpecError(
                f"ulimits.{name} is {value!r}; a limit is a number, -1 for none, and one of"
                f" {_ULIMIT.pattern.replace('|', ', ')}."
            )
        if name == "nofile" and not 0 <= int(value) <= _MOST_FILES:
            raise SpecError(f"ulimits.nofile is {value}. Give a value from 0 to {_MOST_FILES}.")
    return {str(name): int(value) for name, value in raw.items()}


def check_health(raw: dict[str, t.Any]) -> None:
    """Raise SpecError for a request that cannot be sent and a gate that cannot be passed."""
    if not re.fullmatch(r"/[!-\"$-~]*", raw["path"]):
        raise SpecError(
            f"health.path {raw['path']!r} must start with '/' and have neither spaces, '#' nor"
            " letters beyond ASCII: write them percent-encoded, such as '%20'."
        )
    if not re.fullmatch(r"[!-~]*", raw["host"]):
        raise SpecError(
            f"health.host {raw['host']!r} has spaces or letters beyond ASCII. Give a host name."
        )
    least = (raw["successes"] - 1) * raw["interval"]
    if least >= raw["deadline"]:
        raise SpecError(
            f"health.successes is {raw['successes']} and health.interval is {raw['interval']}: that"
            f" takes {least:g} s at least, and health.deadline is {raw['deadline']}. Raise it, or"
            " lower one of the others."
        )


def check_balancer(url: str) -> None:
    """Raise SpecError for a balancer_url that no request could go to; empty is none."""
    if not url:
        return
    what = f"balancer_url {url!r} is not a URL such as 'https://api.example.com'"
    with boundary(what, SpecError):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("it needs http:// or https://, and a host")
        if parts.query or parts.fragment or re.search(r"[^!-~]", url):
            raise ValueError("it ends with the host, its port or a path, all in ASCII")


def check_canary(raw: dict[str, t.Any]) -> None:
    """Raise SpecError for a canary that would get no request."""
    if raw["percent"] and not raw["seconds"]:
        raise SpecError(
            f"canary.percent is {raw['percent']} and canary.seconds is 0: the canary would get no"
            " request. Give it seconds, or 0 percent for none."
        )
