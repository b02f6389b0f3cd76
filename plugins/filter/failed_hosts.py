# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter failed_hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: failed_hosts
short_description: Tell which hosts have failed in this run
version_added: 0.1.0
description:
  - Reads what each host has remembered of its phases.
  - Used by role P(greenlight.droplet.app#role) between the phases of a release.
options:
  _input:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts of the play, in order.
    type: list
    elements: str
    required: true
positional: hosts
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Stop when a host has failed
  ansible.builtin.fail:
    msg: A host has failed.
  when: hostvars | greenlight.droplet.failed_hosts(ansible_play_hosts_all) | length > 0
"""

RETURN = r"""
_value:
  description: The hosts that have failed.
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import fleet


def failed_hosts_filter(hostvars: fleet.HostVars, hosts: list[str]) -> list[str]:
    """Adapt failed_hosts of plugin_utils/fleet.py; raises AnsibleFilterError."""
    try:
        return fleet.failed_hosts(hostvars, hosts)
    except (KeyError, ValueError) as exc:
        message = str(exc) if isinstance(exc, ValueError) else f"a host lacks {exc}"
        raise AnsibleFilterError(f"greenlight.droplet.failed_hosts: {message}") from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"failed_hosts": failed_hosts_filter}
