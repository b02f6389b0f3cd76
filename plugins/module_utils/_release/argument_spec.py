# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of module release, and how they become an Order.

The options themselves are in options.py, which follows from one file for modules, role and texts.
"""

from __future__ import annotations

import copy
import dataclasses
import re
import typing as t

from .._core.errors import SpecError
from .._model.container_options import ContainerOptions
from .._model.image_name import familiar_name
from .._model.secret_files import environment_of
from .._model.spec import Caller, Canary, Order, Source, Standby, Watch, check_sha
from . import environment
from . import option_checks as checks
from .health_options import build_health
from .options import OPTIONS


def transaction_arguments(**extra: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return a fresh argument spec of a transaction, with the module's own options."""
    return {**copy.deepcopy(OPTIONS), **extra}


def build_order(action: t.Literal["release", "rollback"], params: dict[str, t.Any]) -> Order:
    """Turn a module's parameters into an Order. Raises SpecError for a value out of range."""
    checks.check_limits(params)
    checks.check_canary(params["canary"])
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
        health=build_health(params["health"]),
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
        first=params["first"],
        break_lease=params["break_lease"],
        ignore_freeze=params["ignore_freeze"],
    )


_TAG: t.Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: t.Final = re.compile(r"[a-z0-9]+:[0-9a-f]{32,128}")
_IMAGE: t.Final = re.compile(r"(\[[0-9a-f:.]+\](:[0-9]+)?/)?[a-z0-9.:_-]+(/[a-z0-9._-]+)*")


def _source(params: dict[str, t.Any], sha: str) -> Source:
    image = params["image"]
    if image and (not _IMAGE.fullmatch(image) or ":" in image.rsplit("/", 1)[-1]):
        raise SpecError(
            f"image {image!r} is not a repository such as 'registry.example.com/team/api':"
            " lower case, no tag and no digest; the tag comes from option tag."
        )
    if params["tag"] and not _TAG.fullmatch(params["tag"]):
        raise SpecError(
            f"tag {params['tag']!r} cannot name an image: give at most 128 letters, digits, '_',"
            " '.' and '-', with neither '.' nor '-' first."
        )
    if bool(params["registry_username"]) != bool(params["registry_password"]):
        raise SpecError(
            "registry_username and registry_password go together: one of them is empty."
            " Check the secret that should fill it."
        )
    if params["digest"] and not _DIGEST.fullmatch(params["digest"]):
        raise SpecError(
            f"digest {params['digest']!r} is not the digest of an image, which is 'sha256:' and 64"
            " hexadecimal digits. Leave it empty to ask the registry."
        )
    return Source(
        # Docker lists images by this name, and so they are found again.
        image=familiar_name(image) if image else "",
        tag=params["tag"] or sha,
        username=params["registry_username"],
        password=params["registry_password"],
        plain_http=params["registry_plain_http"],
    )


def _container(params: dict[str, t.Any]) -> ContainerOptions:
    env = environment.variables("env", params["env"])
    if params["secret_files"]:
        secrets = environment.secret_texts(params["secrets"], env)
    else:
        secrets = environment.variables("secrets", params["secrets"])
    twice = sorted(set(env) & set(secrets))
    if twice:
        raise SpecError(f"{', '.join(twice)} is in env and in secrets; keep it in one of them.")
    empty = sorted(key for key, value in secrets.items() if not value.strip())
    if empty:
        raise SpecError(
            f"The secret {', '.join(empty)} is empty. Fill it in the vault or in the environment of"
            " the machine that runs Ansible; nothing was changed."
        )
    checks.check_container(params)
    given: dict[str, t.Any] = {name: params[name] for name in _CONTAINER}
    given.update({name: tuple(v) for name, v in given.items() if isinstance(v, list)})
    limits = checks.limits(params["ulimits"])
    given.update(env=env, secrets=secrets, ulimits=limits)
    options = ContainerOptions(**given)
    environment.check_sum(environment_of(options), options.command, limits.get("stack"))
    return options


_CONTAINER: t.Final = [each.name for each in dataclasses.fields(ContainerOptions)]
