# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the droplet: modules of the collection one after another, each in a process of its own.

Usage: python3 -m tests.integration.support.remote.calls, which reads lines from stdin to its end.
Each is a JSON list of pairs: the name of a module and its parameters; for `ansible.builtin.command`
that is a program's `argv`. Prints one line for each call as soon as it has ended: its result as
JSON. What they all import is imported once.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from typing import Any

PLUGINS = "ansible_collections.greenlight.droplet.plugins"
HOST_SIDE = f"{PLUGINS}.module_utils._release"
COMMAND = "ansible.builtin.command"


def run(module: str, parameters: dict[str, Any]) -> None:
    """Run a module's main as ansible-core does; it ends by SystemExit."""
    basic = importlib.import_module("ansible.module_utils.basic")
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": parameters}).encode()
    # How a module gets its parameters since ansible-core 2.19.
    vars(basic).update(_ANSIBLE_ARGS=arguments, _ANSIBLE_PROFILE="legacy")
    # The checkout's own host side works here, not the one that is installed on the droplet.
    own = importlib.import_module(f"{HOST_SIDE}.entrypoint")
    vars(importlib.import_module(f"{HOST_SIDE}.host_side")).update(find_room=lambda _version: own)
    importlib.import_module(f"{PLUGINS}.modules.{module}").main()


def _run_into(descriptor: int, module: str, parameters: dict[str, Any]) -> None:
    """Run a module whose output goes to an open file."""
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    run(module, parameters)


def run_forked(module: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Run a module in a child; its result, or as a failure how it ended without one."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        arguments = (output.fileno(), module, parameters)
        child = multiprocessing.get_context("fork").Process(target=_run_into, args=arguments)
        child.start()
        child.join()
        output.seek(0)
        printed = output.read()
    last = printed.rstrip().rpartition("\n")[2]
    if last.startswith("{"):
        return dict(json.loads(last))
    return {"failed": True, "msg": f"ended with {child.exitcode} and no result", "output": printed}


def run_command(argv: list[str]) -> dict[str, Any]:
    """Run a program; its output, as the module command would return it."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    said = {"stdout": done.stdout.rstrip("\n"), "stderr": done.stderr, "rc": done.returncode}
    return {**said, "changed": True, "failed": done.returncode != 0}


def main() -> None:
    """Make the calls that the lines of stdin name."""
    importlib.import_module("docker")
    importlib.import_module(f"{HOST_SIDE}.entrypoint")
    for line in sys.stdin:
        calls: list[tuple[str, dict[str, Any]]] = json.loads(line)
        for name in {module for module, _parameters in calls} - {COMMAND}:
            importlib.import_module(f"{PLUGINS}.modules.{name}")
        for module, parameters in calls:
            own = module == COMMAND
            result = run_command(parameters["argv"]) if own else run_forked(module, parameters)
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
