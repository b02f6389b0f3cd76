# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation fragment: which of Ansible's modes a module supports."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that all modules of the collection have in common."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return what would change without changing it.
  diff_mode:
    support: full
    description: Returns what changes, or in check mode would change, when in diff mode.
  action_group:
    support: full
    description: Use C(group/greenlight.droplet.droplet) in C(module_defaults) to set options for
      all modules of this group.
    membership:
      - greenlight.droplet.droplet
"""
