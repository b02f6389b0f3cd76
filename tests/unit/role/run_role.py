# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role app for real, on hosts that answer by a script: Ansible's own way through its tasks."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.demo_process import BIN
from dev.settings import ROOT

HOSTS = ("a", "b", "c")
SCRIPTED = ("release", "host_command")
LIMIT_SECONDS = 120
PLAY = """
- name: Release it
  hosts: all
  gather_facts: false
  strategy: ansible.builtin.linear
  tasks:
    - name: Release it
      ansible.builtin.import_role:
        name: greenlight.droplet.app
      vars:
        app_action: release
        app_sha: cccccccc
        app_image: registry.test/api
        app_balancer_url: ""
"""


@dataclass(frozen=True)
class Ended:
    """A run of the role: its exit code, what it printed, and the states asked of each host."""

    code: int
    text: str
    calls: dict[str, list[str]]

    def summaries(self) -> int:
        """How many hosts have said how the release ended."""
        return self.text.count("Run next: ") + self.text.count("Look closer: ")


def collection(folder: Path) -> Path:
    """Make a collection of the checkout's own files but for two scripted actions."""
    top = folder / "ansible_collections" / "greenlight" / "droplet"
    (top / "plugins" / "action").mkdir(parents=True)
    for name in ("galaxy.yml", "meta", "roles"):
        (top / name).symlink_to(ROOT / name)
    for part in (ROOT / "plugins").iterdir():
        if part.name != "action" and not part.name.startswith("__"):
            (top / "plugins" / part.name).symlink_to(part)
    for action in (ROOT / "plugins" / "action").glob("*.py"):
        if action.stem not in SCRIPTED:
            (top / "plugins" / "action" / action.name).symlink_to(action)
    for name in SCRIPTED:
        source = Path(__file__).parent / "scripted" / f"{name}.py"
        (top / "plugins" / "action" / source.name).symlink_to(source)
    return folder


def run_role(folder: Path, script: dict[str, Any], *arguments: str, forks: int = 5) -> Ended:
    """Run role app on three hosts that answer by the script."""
    calls = folder / "calls"
    calls.mkdir()
    (folder / "play.yml").write_text(PLAY, encoding="utf-8")
    hosts = "".join(f"{host} ansible_connection=local\n" for host in HOSTS)
    (folder / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    (folder / "hosts").write_text(hosts, encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), "-i", "hosts", f"--forks={forks}", "play.yml", *arguments],
        cwd=folder,
        env={
            **kept,
            "SCRIPT": json.dumps(script),
            "CALLS": str(calls),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(collection(folder / "collections")),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_STDOUT_CALLBACK": "greenlight.droplet.console",
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    found = {path.name: path.read_text(encoding="utf-8").split() for path in calls.iterdir()}
    return Ended(done.returncode, done.stdout + done.stderr, found)
