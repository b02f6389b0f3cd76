# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health check of an application as set-up and the balancer's verification use it. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy import check
from ansible_collections.greenlight.droplet.plugins.module_utils._model.health_check import (
    HealthCheck,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    transaction_arguments,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.health_options import (
    build_health,
)


def _build(given: t.Any) -> HealthCheck:
    """Return the health check that a variable says, in any form that module release takes.

    Raises ValueError.
    """
    spec = {"health": transaction_arguments()["health"]}
    result = ArgumentSpecValidator(spec).validate({"health": given})
    if result.error_messages:
        raise ValueError(f"app_health: {'; '.join(result.error_messages)}")
    try:
        return build_health(result.validated_parameters["health"])
    except SpecError as exc:
        raise ValueError(f"app_{exc}") from exc


def health_check(given: t.Any) -> dict[str, t.Any]:
    """Return the complete health check, with what the application's variable leaves out.

    Times are in seconds. Raises ValueError that names the variable.
    """
    return dataclasses.asdict(_build(given))


def haproxy_check(given: t.Any) -> dict[str, t.Any]:
    """Return HAProxy's words for a health check: `path`, quoted, and the `lines` of a backend.

    Raises ValueError that names the variable.
    """
    found = _build(given)
    return {"path": check.word(check.bare_path(found)), "lines": check.check_lines(found)}
