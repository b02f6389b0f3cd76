# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shells that nobody types into end, and what AIDE finds is in the journal."""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.hardening.droplets import Droplet, changed

AIDE = "greenlight-aide.service"


@pytest.mark.parametrize("command", ["", "sudo -s"], ids=["a login", "root by sudo -s"])
def test_idle_shell_ends_and_a_command_goes_on(droplet: Droplet, command: str) -> None:
    """Two seconds take the place of half an hour."""
    tags = ("--tags", "users_login_defaults")
    done = droplet.setup(*tags, variables={"users_shell_timeout": 2})
    assert changed(done.stdout) == 2, done.stdout
    try:
        begin = time.monotonic()
        with subprocess.Popen(
            [*droplet.ssh("-tt", user="ops")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as shell:
            assert shell.stdin is not None
            shell.stdin.write(f"{command}\n")
            shell.stdin.flush()
            shell.wait(timeout=20)
        assert time.monotonic() - begin >= 2
        assert droplet.try_run("sleep 4 && echo done") == (0, "done\n")
    finally:
        again = droplet.setup(*tags)
    assert changed(again.stdout) == 2, again.stdout


def test_difference_is_told_once(droplet: Droplet) -> None:
    """A program that is new is named by the next comparison alone, and fails no unit."""
    droplet.inside("systemctl start greenlight-aide-first.service")
    droplet.inside(f"systemctl start {AIDE}")
    droplet.inside("install -m 0755 /bin/true /usr/local/bin/intruder")
    try:
        told = [compare(droplet), compare(droplet)]
    finally:
        droplet.inside("rm /usr/local/bin/intruder")
        compare(droplet)
    assert ["/usr/local/bin/intruder" in text for text in told] == [True, False]


def compare(droplet: Droplet) -> str:
    """Run the comparison and return what it told the journal."""
    droplet.inside(f"systemctl start {AIDE}")
    number = droplet.inside(f"systemctl show -p InvocationID --value {AIDE}").strip()
    return droplet.inside(f"journalctl --sync; journalctl -o cat _SYSTEMD_INVOCATION_ID={number}")
