# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation fragment: which of Ansible's modes a module supports."""

from __future__ import annotations

from pathlib import Path


class ModuleDocFragment:
    """Attributes that all modules of the collection have in common."""

    DOCUMENTATION = Path(__file__).with_suffix(".yml").read_text(encoding="utf-8")
