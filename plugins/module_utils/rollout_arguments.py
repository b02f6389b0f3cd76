# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of action rollout: those of a transaction, and what concerns the whole fleet."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils.arguments import (
    transaction_arguments,
)

_ROLLOUT: t.Final[dict[str, dict[str, t.Any]]] = {
    "action": {"type": "str", "choices": ["release", "rollback"], "default": "release"},
    "sha": {"type": "str", "default": ""},
    "release": {"type": "str", "default": ""},
    "variables_prefix": {"type": "str", "default": ""},
    "cutover_batch": {"type": "int", "default": 1},
    "balancer_url": {"type": "str", "default": ""},
    "balancer_host_header": {"type": "str", "default": ""},
    "balancer_attempts": {"type": "int", "default": 10},
    "balancer_delay": {"type": "float", "default": 3.0},
}

_PER_CALL: t.Final = ("state", "digest", "reserve")
"""Options of one call on one host, which a fleet release fills in itself."""


def rollout_arguments() -> dict[str, dict[str, t.Any]]:
    """Return a fresh argument spec of action rollout."""
    shared = {n: spec for n, spec in transaction_arguments().items() if n not in _PER_CALL}
    return {**shared, **copy.deepcopy(_ROLLOUT)}
