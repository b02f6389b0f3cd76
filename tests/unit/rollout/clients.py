# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to a session, through the program that passes them on on a host."""

from __future__ import annotations

import os
import subprocess

from ansible_collections.greenlight.droplet.plugins.module_utils import session_client
from ansible_collections.greenlight.droplet.plugins.plugin_utils import agent

LIMIT = 5.0
"""Seconds that anything may take in these tests."""

STRANGE = {"LC_ALL": "xx_XX.UTF-8", "PERL5OPT": "-Mno_such_module"}
"""What sshd and sudo pass on from wherever somebody logs in: a locale that is not there."""


def run_client(path: str, question: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the program that a question goes through on a host."""
    return subprocess.run(
        ["/bin/sh", "-c", agent.ask_command(path)],
        input=question,
        capture_output=True,
        check=False,
        timeout=LIMIT,
        env={**os.environ, **STRANGE},
    )


def pass_on(path: str, question: bytes) -> bytes | None:
    """Return the answer to a question; None when nobody answers."""
    done = run_client(path, question)
    if done.returncode == session_client.NOBODY:
        return None
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout
