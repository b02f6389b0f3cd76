# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets taken out of what leaves the host. Pure."""

from __future__ import annotations

import typing as t

HIDDEN: t.Final = "********"


def secrets_of(params: t.Mapping[str, t.Any]) -> list[str]:
    """Return the secret values among a transaction's parameters, the longest first.

    The longest first, so that a secret that is part of another one does not leave the rest of it.
    """
    values = {str(value) for value in (params.get("secrets") or {}).values()}
    values.add(str(params.get("registry_password") or ""))
    return sorted((value for value in values if value.strip()), key=len, reverse=True)


def redact(value: t.Any, secrets: t.Sequence[str]) -> t.Any:
    """Return a JSON value with every secret in its texts replaced by stars."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, dict):
        return {redact(key, secrets): redact(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [redact(item, secrets) for item in value]
    return value
