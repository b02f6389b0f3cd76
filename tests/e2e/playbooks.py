# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the project's playbooks as a user does, with the time of every line."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev.demo_process import BIN, stream
from dev.settings import ROOT

# The watch at its shortest; everything else as the inventory has it.
QUICK: dict[str, Any] = {"app_watch": {"seconds": 0}}
RECAP = re.compile(r"^(\S+)\s+: ((?:\w+=\d+\s*)+)$")
STEP = re.compile(r"^(\S+)\s+([a-z ]+?)\s+(\d+\.\d\d) s   ")
TAIL_LINES = 40
# How the title of the task begins in which pointers move.
CUT_OVER = "Cut over to "


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A user's environment with .venv activated: no setting of Ansible from whoever calls us."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    path = f"{BIN}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "ANSIBLE_NOCOLOR": "1", **(extra or {})}


@dataclass
class Outcome:
    """A program that ended: `seconds` of wall-clock time, each line with its second."""

    command: list[str]
    code: int = -1
    seconds: float = 0.0
    lines: list[tuple[float, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The whole output."""
        return "\n".join(line for _second, line in self.lines)

    def ok(self) -> Outcome:
        """The same, after seeing that the program succeeded."""
        tail = "\n".join(line for _second, line in self.lines[-TAIL_LINES:])
        assert self.code == 0, f"{' '.join(self.command)}: exit code {self.code}\n{tail}"
        return self

    def refused(self, *wanted: str) -> Outcome:
        """The same, after seeing that the program failed and said each of `wanted`."""
        assert self.code != 0, f"{' '.join(self.command)} succeeded\n{self.text}"
        for part in wanted:
            assert part in self.text, f"no {part!r} in:\n{self.text}"
        return self

    def recap(self) -> dict[str, dict[str, int]]:
        """Ansible's counts (ok, changed, unreachable, failed, ...) by host."""
        found: dict[str, dict[str, int]] = {}
        for _second, line in self.lines:
            if match := RECAP.match(line):
                pairs = (pair.split("=") for pair in match[2].split())
                found[match[1]] = {name: int(count) for name, count in pairs}
        return found

    def changed(self) -> int:
        """Changed tasks of all hosts; fails when there was no recap."""
        counts = self.recap()
        assert counts, self.text
        return sum(count["changed"] for count in counts.values())


def run(
    *command: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda _line: None,
) -> Outcome:
    """Run a program of the virtual environment to its end."""
    outcome = Outcome(list(command))
    began = time.monotonic()

    def keep(line: str) -> None:
        outcome.lines.append((time.monotonic() - began, line))
        on_line(line)

    arguments = [str(BIN / command[0]), *command[1:]]
    outcome.code = stream(arguments, keep, cwd=cwd, env=env or environment())
    outcome.seconds = time.monotonic() - began
    return outcome


def extra(*values: Mapping[str, Any]) -> list[str]:
    """Arguments that set variables from the command line."""
    merged = {name: value for mapping in values for name, value in mapping.items()}
    return ["-e", json.dumps(merged)]


def play(playbook: str, *arguments: str, **options: Any) -> Outcome:
    """Run one of the project's playbooks from the root of the checkout."""
    return run("ansible-playbook", f"playbooks/{playbook}.yml", *arguments, **options)


def update(sha: str, *arguments: str, **options: Any) -> Outcome:
    """Release a commit with the watch at its shortest, unless the arguments say otherwise."""
    return play("update-api", *extra(QUICK), "-e", f"sha={sha}", *arguments, **options)


def rollback(*arguments: str, **options: Any) -> Outcome:
    """Go back with the watch at its shortest."""
    return play("rollback-api", *extra(QUICK), *arguments, **options)


def module_seconds(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Seconds of each step by host, added up by the name of the step, from the console output."""
    found: dict[str, dict[str, float]] = {}
    for _second, line in outcome.lines:
        if match := STEP.match(line):
            steps = found.setdefault(match[1], {})
            steps[match[2]] = round(steps.get(match[2], 0.0) + float(match[3]), 2)
    return found


def task_seconds(outcome: Outcome) -> list[tuple[str, float]]:
    """Tasks with the seconds until the next title; begins with `start`."""
    marks = [(0.0, "start")]
    for second, line in outcome.lines:
        if line.startswith("TASK ["):
            marks.append((second, line.partition("]")[0].rpartition(" : ")[2]))
        elif line.startswith("PLAY RECAP"):
            marks.append((second, "end"))
    ends = [*(second for second, _name in marks[1:]), outcome.seconds]
    return [(name, end - begin) for (begin, name), end in zip(marks, ends, strict=True)]


def shas(lines: Sequence[str]) -> list[str]:
    """The distinct 40-digit SHAs in `lines`, in order of appearance."""
    return list(dict.fromkeys(re.findall(r"\b[0-9a-f]{40}\b", "\n".join(lines))))
