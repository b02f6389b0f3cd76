# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter controller_has_ended."""

from __future__ import annotations

DOCUMENTATION = r"""
name: controller_has_ended
short_description: Tell whether the process that leads a run was one of this machine and has ended
version_added: 0.2.0
description:
  - A host that is held by a run names the process that leads it. The machine on which that process
    was knows when it has ended; then nobody has to wait for the run.
options:
  _input:
    description: The name of the process, as M(greenlight.droplet.release_run) gives it.
    type: str
    required: true
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Show whether the run's process has ended
  ansible.builtin.debug:
    msg: "{{ '' | greenlight.droplet.controller_has_ended }}"
"""

RETURN = r"""
_value:
  description: True when it has ended; false when it lives, or cannot be judged here.
  type: bool
  sample: false
"""

import typing as t

from ansible_collections.greenlight.droplet.plugins.plugin_utils import run


def controller_has_ended_filter(name: str) -> bool:
    """Adapt has_ended of plugin_utils/run.py."""
    return run.has_ended(name)


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"controller_has_ended": controller_has_ended_filter}
