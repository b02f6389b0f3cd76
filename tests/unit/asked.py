# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of an Order as the options' defaults make them, changed where a test says so."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils._model.container_options import (
    ContainerOptions,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.health_check import (
    HealthCheck,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    Source,
    Watch,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    build_order,
    transaction_arguments,
)


def parameters(**values: t.Any) -> dict[str, t.Any]:
    """What Ansible hands to the module: the defaults, and the given values."""
    filled: dict[str, t.Any] = {"sha": "a" * 40}
    for name, option in transaction_arguments().items():
        inner = option.get("options", {})
        filled[name] = {n: o["default"] for n, o in inner.items()} or option["default"]
    return {**filled, **values}


_DEFAULTS = build_order("release", parameters())


def container(**changes: t.Any) -> ContainerOptions:
    """The container's options."""
    return dataclasses.replace(_DEFAULTS.container, **changes)


def health(**changes: t.Any) -> HealthCheck:
    """The health check."""
    return dataclasses.replace(_DEFAULTS.health, **changes)


def watch(**changes: t.Any) -> Watch:
    """The watch."""
    return dataclasses.replace(_DEFAULTS.watch, **changes)


def source(image: str, **changes: t.Any) -> Source:
    """The source of an image."""
    return dataclasses.replace(_DEFAULTS.source, image=image, **changes)
