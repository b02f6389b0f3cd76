# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to a session, through the program that passes them on on a host."""

from __future__ import annotations

import shlex
import subprocess

from ansible_collections.greenlight.droplet.plugins.module_utils import session_client
from ansible_collections.greenlight.droplet.plugins.plugin_utils import agent

LIMIT = 5.0
"""Seconds that anything may take in these tests."""


def run_client(path: str, question: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the program that a question goes through on a host."""
    command = shlex.split(agent.ask_command(path))
    return subprocess.run(command, input=question, capture_output=True, check=False, timeout=LIMIT)


def pass_on(path: str, question: bytes) -> bytes | None:
    """Return the answer to a question; None when nobody answers."""
    done = run_client(path, question)
    if done.returncode == session_client.NOBODY:
        return None
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout
