# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation fragment: the options of a release, which `make options` writes as YAML."""

from __future__ import annotations

from pathlib import Path


class ModuleDocFragment:
    """The options of a release; their text stands in the YAML file beside this one."""

    DOCUMENTATION = Path(__file__).with_suffix(".yml").read_text(encoding="utf-8")
