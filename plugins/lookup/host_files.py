# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup host_files."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_files
short_description: Return the packed host side of the collection, and its version
version_added: 0.1.0
description:
  - The host side is what module M(greenlight.droplet.host_command) installs as the command
    C(greenlight).
  - The same files always give the same archive and the same version, on any controller.
options:
  _terms:
    description:
      - V(version) for the hash of the content, as module M(greenlight.droplet.host_command) returns
        it; V(archive) for the content, a ZIP file in base64.
    type: list
    elements: str
    required: true
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show the version of the host side
  ansible.builtin.debug:
    msg: "{{ lookup('greenlight.droplet.host_files', 'version') }}"
"""

RETURN = r"""
_raw:
  description: One text for each term.
  type: list
  elements: str
"""

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
