# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter hosts_in_need."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hosts_in_need
short_description: Name the hosts on which a planned release has something to do
version_added: 0.2.0
description:
  - Reads the plans that role P(greenlight.droplet.app#role) has registered on each host.
  - Fails when the hosts do not mean the same release, for instance because a rollback leads each to
    another one.
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
positional: hosts
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show where there is something to do
  ansible.builtin.debug:
    msg: "{{ hostvars | greenlight.droplet.hosts_in_need(ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  description: The hosts, in the order of the play.
  type: list
  elements: str
  sample: [api-1, api-2]
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.plugin_utils import fleet_report


def hosts_in_need_filter(
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]], hosts: list[str]
) -> list[str]:
    """Adapt hosts_in_need of plugin_utils/fleet_report.py; raises AnsibleFilterError."""
    try:
        return fleet_report.hosts_in_need({host: hostvars[host]["__app_plan"] for host in hosts})
    except fleet_report.FleetError as exc:
        raise AnsibleFilterError(str(exc)) from exc
    except KeyError as exc:
        raise AnsibleFilterError(
            f"greenlight.droplet.hosts_in_need: a host lacks {exc}; every host must be planned."
        ) from exc


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"hosts_in_need": hosts_in_need_filter}
