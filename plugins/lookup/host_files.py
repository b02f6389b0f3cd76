# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup host_files; the YAML file beside this one documents it."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.greenlight.droplet.plugins.plugin_utils import host_files


class LookupModule(LookupBase):
    """Adapts plugin_utils/host_files.py."""

    def run(self, terms: list[str], variables: t.Any = None, **_options: t.Any) -> list[str]:
        """Return one text for each term; raises AnsibleLookupError for an unknown one."""
        known: dict[str, t.Callable[[], str]] = {
            "version": host_files.version,
            "archive": host_files.archive,
        }
        for term in terms:
            if term not in known:
                raise AnsibleLookupError(
                    f"greenlight.droplet.host_files knows {' and '.join(known)}, not {term!r}"
                )
        return [known[term]() for term in terms]
