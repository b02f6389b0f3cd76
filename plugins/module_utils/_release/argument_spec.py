# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules release and rollback share, and how they become an Order.

The same options are documented once in the documentation fragment `transaction`.
"""

from __future__ import annotations

import copy
import re
import typing as t

from .._core.errors import SpecError
from .._model.container_options import ContainerOptions, is_root
from .._model.spec import Caller, Canary, HealthCheck, Order, Source, Standby, Watch, check_sha

PHASES: t.Final = ["planned", "staged", "live", "proved", "committed", "settled", "reverted"]

_TRANSACTION: t.Final[dict[str, dict[str, t.Any]]] = {
    "app": {"type": "str", "default": "api"},
    "state": {"type": "str", "choices": PHASES, "default": "settled"},
    "digest": {"type": "str", "default": ""},
    "image": {"type": "str", "default": ""},
    "tag": {"type": "str", "default": ""},
    "registry_username": {"type": "str", "default": ""},
    "registry_password": {"type": "str", "default": "", "no_log": True},
    "registry_plain_http": {"type": "bool", "default": False},
    "pull_seconds": {"type": "float", "default": 300.0},
    "env": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "command": {"type": "list", "elements": "str", "default": []},
    "user": {"type": "str", "default": ""},
    "allow_root": {"type": "bool", "default": False},
    "memory": {"type": "str", "default": "512m"},
    "cpus": {"type": "float", "default": 0.0},
    "cpu_shares": {"type": "int", "default": 512},
    "pids_limit": {"type": "int", "default": 512},
    "ulimits": {"type": "dict", "default": {}},
    "read_only": {"type": "bool", "default": True},
    "tmpfs": {"type": "list", "elements": "str", "default": ["/tmp"]},
    "tmpfs_size": {"type": "str", "default": "64m"},
    "cap_add": {"type": "list", "elements": "str", "default": []},
    "apparmor_profile": {"type": "str", "default": ""},
    "volumes": {"type": "list", "elements": "str", "default": []},
    "init": {"type": "bool", "default": True},
    "stop_timeout": {"type": "int", "default": 30},
    "log_max_size": {"type": "str", "default": "10m"},
    "log_max_files": {"type": "int", "default": 3},
    "health": {
        "type": "dict",
        "default": {},
        "options": {
            "path": {"type": "str", "default": "/v1/health"},
            "host": {"type": "str", "default": "localhost"},
            "status": {"type": "list", "elements": "int", "default": [200]},
            "expect": {"type": "str", "default": ""},
            "interval": {"type": "float", "default": 0.05},
            "timeout": {"type": "float", "default": 2.0},
            "successes": {"type": "int", "default": 3},
            "deadline": {"type": "float", "default": 60.0},
        },
        "apply_defaults": True,
    },
    "watch": {
        "type": "dict",
        "default": {},
        "options": {
            "seconds": {"type": "float", "default": 10.0},
            "interval": {"type": "float", "default": 0.5},
            "failed_checks": {"type": "int", "default": 2},
            "min_errors": {"type": "int", "default": 3},
            "max_error_percent": {"type": "float", "default": 5.0},
            "answer_seconds": {"type": "float", "default": 5.0},
        },
        "apply_defaults": True,
    },
    "canary": {
        "type": "dict",
        "default": {},
        "options": {
            "percent": {"type": "int", "default": 0},
            "seconds": {"type": "float", "default": 30.0},
        },
        "apply_defaults": True,
    },
    "standby": {"type": "str", "choices": ["stopped", "warm"], "default": "stopped"},
    "warm_seconds": {"type": "float", "default": 900.0},
    "drain_seconds": {"type": "float", "default": 30.0},
    "retain": {"type": "int", "default": 5},
    "run": {"type": "str", "default": ""},
    "holder": {"type": "str", "default": ""},
    "ci_run": {"type": "str", "default": ""},
    "lock_wait": {"type": "float", "default": 0.0},
    "lease_seconds": {"type": "float", "default": 120.0},
    "controller": {"type": "str", "default": ""},
    "command_version": {"type": "str", "default": ""},
    "break_lease": {"type": "str", "default": ""},
    "ignore_freeze": {"type": "str", "default": ""},
    "reserve": {"type": "bool", "default": False},
}


def transaction_arguments(**extra: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return a fresh argument spec of a transaction module, with the module's own options."""
    return {**copy.deepcopy(_TRANSACTION), **extra}


_MINIMA: t.Final = (
    ("health", "interval", 0.05),
    ("health", "timeout", 0.1),
    ("health", "successes", 1),
    ("health", "deadline", 1),
    ("watch", "seconds", 0),
    ("watch", "interval", 0.1),
    ("watch", "failed_checks", 1),
    ("watch", "min_errors", 1),
    ("watch", "max_error_percent", 0),
    ("watch", "answer_seconds", 0.5),
    ("canary", "percent", 0),
    ("canary", "seconds", 0),
    ("", "warm_seconds", 10),
    ("", "drain_seconds", 0),
    ("", "retain", 2),
    ("", "stop_timeout", 1),
    ("", "pids_limit", 16),
    ("", "cpu_shares", 0),
    ("", "lock_wait", 0),
    ("", "lease_seconds", 1),
    ("", "pull_seconds", 1),
)


def build_order(action: t.Literal["release", "rollback"], params: dict[str, t.Any]) -> Order:
    """Turn a module's parameters into an Order. Raises SpecError for a value out of range."""
    for group, name, least in _MINIMA:
        value = (params[group] if group else params)[name]
        if value < least:
            label = f"{group}.{name}" if group else name
            raise SpecError(f"{label} is {value}; the least that makes sense is {least}.")
    if params["canary"]["percent"] > 99:
        raise SpecError(
            f"canary.percent is {params['canary']['percent']}; it is a share of the requests from 1"
            " to 99, and 0 for no canary."
        )
    if action == "release" and not params["sha"].strip() and params["state"] != "reverted":
        raise SpecError("No commit is named. Say which: -e sha=<git sha>; nothing was changed.")
    sha = check_sha(params["sha"]) if params["sha"] else ""
    return Order(
        action=action,
        sha=sha,
        digest=params["digest"],
        release=params.get("release") or "",
        source=_source(params, sha),
        container=_container(params),
        health=_health(params["health"]),
        watch=Watch(**params["watch"]),
        canary=Canary(**params["canary"]),
        standby=Standby(params["standby"], params["warm_seconds"]),
        pull_seconds=params["pull_seconds"],
        drain_seconds=params["drain_seconds"],
        retain=params["retain"],
        run=params["run"],
        caller=Caller(params["holder"] or "unknown", params["ci_run"], params["controller"]),
        lock_wait=params["lock_wait"],
        lease_seconds=params["lease_seconds"],
        break_lease=params["break_lease"],
        ignore_freeze=params["ignore_freeze"],
    )


_IMAGE: t.Final = re.compile(r"[a-z0-9.:_-]+(/[a-z0-9._-]+)*")


def _source(params: dict[str, t.Any], sha: str) -> Source:
    image = params["image"]
    if image and (not _IMAGE.fullmatch(image) or ":" in image.rsplit("/", 1)[-1]):
        raise SpecError(
            f"image {image!r} is not a repository such as 'registry.example.com/team/api':"
            " lower case, no tag and no digest; the tag comes from option tag."
        )
    if bool(params["registry_username"]) != bool(params["registry_password"]):
        raise SpecError(
            "registry_username and registry_password go together: one of them is empty."
            " Check the secret that should fill it."
        )
    return Source(
        image=image,
        tag=params["tag"] or sha,
        username=params["registry_username"],
        password=params["registry_password"],
        plain_http=params["registry_plain_http"],
    )


_VARIABLE: t.Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _variables(name: str, values: dict[str, t.Any]) -> dict[str, str]:
    for key, value in values.items():
        if not _VARIABLE.fullmatch(str(key)):
            raise SpecError(
                f"{name} has the key {key!r}, which cannot name an environment variable."
            )
        if value is None or isinstance(value, (dict, list)):
            raise SpecError(f"{name}.{key} must be one value; it is {type(value).__name__}.")
    return {str(key): _plain(value) for key, value in values.items()}


def _plain(value: t.Any) -> str:
    # YAML's true is 'true' for every other tool that reads an environment; Python says 'True'.
    return str(value).lower() if isinstance(value, bool) else str(value)


def _container(params: dict[str, t.Any]) -> ContainerOptions:
    env = _variables("env", params["env"])
    secrets = _variables("secrets", params["secrets"])
    twice = sorted(set(env) & set(secrets))
    if twice:
        raise SpecError(f"{', '.join(twice)} is in env and in secrets; keep it in one of them.")
    empty = sorted(key for key, value in secrets.items() if not value.strip())
    if empty:
        raise SpecError(
            f"The secret {', '.join(empty)} is empty. Fill it in the vault or in the environment of"
            " the machine that runs Ansible; nothing was changed."
        )
    _check_sizes_and_user(params)
    return ContainerOptions(
        env=env,
        secrets=secrets,
        command=tuple(params["command"]),
        user=params["user"],
        allow_root=params["allow_root"],
        memory=params["memory"],
        cpus=params["cpus"],
        cpu_shares=params["cpu_shares"],
        pids_limit=params["pids_limit"],
        ulimits=_limits(params["ulimits"]),
        read_only=params["read_only"],
        tmpfs=tuple(params["tmpfs"]),
        tmpfs_size=params["tmpfs_size"],
        cap_add=tuple(params["cap_add"]),
        apparmor_profile=params["apparmor_profile"],
        volumes=tuple(params["volumes"]),
        init=params["init"],
        stop_timeout=params["stop_timeout"],
        log_max_size=params["log_max_size"],
        log_max_files=params["log_max_files"],
    )


def _check_sizes_and_user(params: dict[str, t.Any]) -> None:
    for name in ("memory", "tmpfs_size"):
        if not re.fullmatch(r"[0-9]+[bkmg]", params[name]):
            raise SpecError(f"{name} {params[name]!r} is not a size such as '512m' or '2g'.")
    if params["user"] and is_root(params["user"]) and not params["allow_root"]:
        raise SpecError(
            f"user {params['user']!r} is root, which a container does not need. Name another one,"
            " best by number, such as '10001:10001', or set app_allow_root: true."
        )


def _limits(raw: dict[str, t.Any]) -> dict[str, int]:
    for name, value in raw.items():
        if not re.fullmatch(r"[a-z]+", str(name)) or not re.fullmatch(r"-1|[0-9]+", str(value)):
            raise SpecError(
                f"ulimits.{name} is {value!r}; a limit has a name such as 'nofile' and a number, -1"
                " for none."
            )
    return {str(name): int(value) for name, value in raw.items()}


def _health(raw: dict[str, t.Any]) -> HealthCheck:
    if not raw["path"].startswith("/"):
        raise SpecError(f"health.path {raw['path']!r} must start with '/'.")
    return HealthCheck(**{**raw, "status": tuple(raw["status"])})
