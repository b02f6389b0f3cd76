# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter expected_backends."""

from __future__ import annotations

DOCUMENTATION = r"""
name: expected_backends
short_description: Tell which backend each host should answer from
version_added: 0.1.0
description:
  - Reads what role P(greenlight.droplet.app#role) has registered on each host, which is where it
    has cut over, or what was live there anyway.
options:
  _input:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: All hosts of the play, in order.
    type: list
    elements: str
    required: true
  app:
    description: Name of the application.
    type: str
    required: true
positional: hosts, app
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show where each host should answer from
  ansible.builtin.debug:
    msg: "{{ hostvars | greenlight.droplet.expected_backends(ansible_play_hosts_all, 'api') }}"
"""

RETURN = r"""
_value:
  description: The backend by host.
  type: dict
  sample: {api-1: api-green}
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import fleet


def expected_backends_filter(
    hostvars: fleet.HostVars, hosts: list[str], app: str
) -> dict[str, str]:
    """Adapt expected_backends of plugin_utils/fleet.py; raises AnsibleFilterError."""
    try:
        return fleet.expected_backends(hostvars, hosts, app)
    except KeyError as exc:
        raise AnsibleFilterError(
            f"greenlight.droplet.expected_backends: a host lacks {exc}"
        ) from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"expected_backends": expected_backends_filter}
