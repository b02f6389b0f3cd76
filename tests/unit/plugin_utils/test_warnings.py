# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings of this collection's actions reach whoever reads the output of callback console."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.project import ROOT

TELLING = """
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        bad = self._task.args["bad"]
        return {"msg": "line one\\nline two", "warnings": ["a note"], "failed": bad}
"""
"""An action whose lines the callback prints itself, good or bad, as it does for a release's."""

OPTIONS = {"texts": {"app_user": 610, "app_tag": "1.10"}}


def play(tmp_path: Path, *tasks: dict[str, object]) -> str:
    """The output of a play on this machine, as the project's configuration shows it."""
    path = tmp_path / "play.yml"
    (tmp_path / "action_plugins").mkdir()
    (tmp_path / "action_plugins/debug.py").write_text(TELLING, encoding="utf-8")
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]
    path.write_text(yaml.safe_dump(plays), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(path)]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        check=False,
        timeout=120,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return " ".join(done.stdout.split())


@pytest.mark.slow
def test_a_warning_is_shown_and_a_limit_is_refused_in_words(tmp_path: Path) -> None:
    bad = {**OPTIONS, "drain_seconds": float("nan")}
    said = play(
        tmp_path,
        {"greenlight.droplet.release_run": OPTIONS},
        {"greenlight.droplet.release_run": bad},
    )
    assert "[WARNING]: YAML made other values of what stands without quotes: app_user: 610." in said
    assert "drain_seconds is nan. Give a value from 0 to 86400. Nothing was changed" in said
    assert "app_tag" not in said


@pytest.mark.slow
@pytest.mark.parametrize("bad", [False, True])
def test_lines_of_the_callback_come_with_their_warnings(tmp_path: Path, bad: bool) -> None:
    said = play(tmp_path, {"debug": {"bad": bad}})
    assert "localhost line one localhost line two" in said
    assert "[WARNING]: a note" in said
