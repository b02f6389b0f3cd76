# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main action group holds every module, so that `module_defaults` reaches all of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import yaml

MAIN = "droplet"


def problems(root: Path) -> list[str]:
    """Modules that the main group lacks; names in any group that are no module or stand twice."""
    runtime = yaml.safe_load((root / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    groups: dict[str, list[str]] = runtime.get("action_groups", {})
    modules = {path.stem for path in (root / "plugins" / "modules").glob("*.py")}
    found = [f"{MAIN}: lacks module {name}" for name in sorted(modules - set(groups.get(MAIN, [])))]
    for group, names in groups.items():
        found += [f"{group}: {name} is no module" for name in sorted(set(names) - modules)]
        found += [f"{group}: {name} is listed twice" for name, n in Counter(names).items() if n > 1]
    return [f"meta/runtime.yml: action group {text}" for text in found]
