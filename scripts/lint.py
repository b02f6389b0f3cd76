# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every static check: one line and the seconds for each, the output of those that fail.

Usage: python -m scripts.lint [NAME ...]      all checks, or those whose name starts with NAME
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts import options, project, sanity
from tests.lint import action_group, budgets, role_files, role_specs, words

# Home of the tools that look for Ansible content there: what the user has installed is not checked.
HOME = project.ROOT / ".ansible" / "home"
LINK = ".ansible/collections/ansible_collections/greenlight/droplet"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Check:
    """One check: `run` gives what is wrong, and nothing when all is well."""

    name: str
    run: Callable[[], str]


def command(*words_: str, cwd: Path = project.ROOT, env: dict[str, str] | None = None) -> str:
    """Run a program of the virtual environment; its output when it fails, else nothing."""
    variables = os.environ if env is None else env
    done = subprocess.run(
        [str(BIN / words_[0]), *words_[1:]],
        cwd=cwd,
        env={**variables, "PATH": f"{BIN}{os.pathsep}{variables['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else f"{done.stdout}exit code {done.returncode}"


def own(problems: Callable[[Path], list[str]]) -> Callable[[], str]:
    """A check of tests/lint as a function without arguments."""
    return lambda: "\n".join(problems(project.ROOT))


def mypy() -> str:
    """Check plugins by the name they are imported by, the rest by their path."""
    folders = [name for name in ("dev", "scripts", "tests") if (project.ROOT / name).is_dir()]
    return command("mypy", f"{LINK}/plugins", *folders)


def ansible_lint(tree: Path) -> str:
    """Check Ansible content where the collection's own modules and roles can be found."""
    env = os.environ | {
        "ANSIBLE_COLLECTIONS_PATH": str(tree.parents[2]),
        "ANSIBLE_CONFIG": str(tree / "ansible.cfg"),
        "HOME": str(HOME),
        "NO_COLOR": "1",
    }
    return command("ansible-lint", "--offline", "--nocolor", "-q", cwd=tree, env=env)


def ansible_sanity(tree: Path) -> str:
    """Run all of ansible-test's sanity tests for the controller's Python."""
    env = sanity.prepare(HOME)
    version = sanity.python_version()
    arguments = ("sanity", "--venv", "--python", version, "--color", "no", "--truncate", "0")
    output = command("ansible-test", *arguments, cwd=tree, env=env)
    findings = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    # Without a finding something else went wrong, and then all of the output matters.
    return "\n".join(findings) or output


def checks(tree: Path) -> list[Check]:
    """All checks, the quick ones first; `tree` is a copy in an ansible_collections tree."""
    return [
        Check("ruff check", lambda: command("ruff", "check", "--output-format=concise", ".")),
        Check("ruff format", lambda: command("ruff", "format", "--check", "--diff", ".")),
        Check("yamllint", lambda: command("yamllint", "--strict", ".")),
        Check("role defaults and argument specs", own(role_specs.problems)),
        Check("options", own(options.problems)),
        Check("role files", own(role_files.problems)),
        Check("budgets", own(budgets.problems)),
        Check("forbidden words", own(words.problems)),
        Check("action group", own(action_group.problems)),
        Check("mypy", mypy),
        Check("ansible-lint", lambda: ansible_lint(tree)),
        Check("ansible-test sanity", lambda: ansible_sanity(tree)),
    ]


def report(check: Check) -> bool:
    """Run a check and print its line; True when nothing is wrong."""
    began = time.monotonic()
    output = check.run()
    seconds = time.monotonic() - began
    print(f"lint: {'FAILED' if output else 'ok':<6} {seconds:6.1f} s  {check.name}", flush=True)
    if output:
        print(output.rstrip(), end="\n\n", flush=True)
    return not output


def main(names: list[str]) -> int:
    """Run the checks that `names` select; the number of those that failed, as an exit code."""
    with tempfile.TemporaryDirectory(prefix="greenlight-lint-") as folder:
        tree = Path(folder, "ansible_collections", "greenlight", "droplet")
        project.copy(project.ROOT, tree)
        chosen = [
            check
            for check in checks(tree)
            if not names or any(check.name.startswith(name) for name in names)
        ]
        results = [report(check) for check in chosen]
    failed = results.count(False)
    print(f"lint: {len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
