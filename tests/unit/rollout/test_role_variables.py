# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role app names no option of a rollout: each has to be a variable of that very name."""

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.greenlight.droplet.plugins.module_utils.rollout_arguments import (
    rollout_arguments,
)

ROLE = Path(__file__).parents[3] / "roles" / "app"
ELSEWHERE = ("app_name", "app_status_", "app_freeze_")
"""Variables of the role's other tasks, and the one that the task itself names."""


def test_every_option_is_a_variable_and_every_variable_an_option() -> None:
    (task,) = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text(encoding="utf-8"))
    given = task["greenlight.droplet.rollout"]
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    variables = {name for name in defaults if not name.startswith(ELSEWHERE)}
    options = rollout_arguments().keys() - given.keys()
    assert variables == {given["variables_prefix"] + name for name in options}
