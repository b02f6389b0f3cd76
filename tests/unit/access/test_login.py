# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How we came in is found for every connection, from real processes, or set-up refuses."""

from __future__ import annotations

import getpass
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.greenlight.droplet.plugins.module_utils._access import login
from ansible_collections.greenlight.droplet.plugins.module_utils._core import files
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from dev import settings

ROLES = Path(__file__).resolve().parents[3] / "roles"
SESSION = "198.51.100.7 50514 10.0.0.5 2222"
PROGRAM = f"""
import json
from {login.__name__} import find
found = find("NAME")
print(json.dumps([found.user, found.address, found.port]))
"""


def found_by(connection: str, *through: str, session: str = SESSION) -> list[object]:
    """What a real process below a session finds; `through` stands before it, as sudo would."""
    environment = {key: value for key, value in os.environ.items() if key != login.VARIABLE}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    if session:
        environment[login.VARIABLE] = session
    code = PROGRAM.replace("NAME", connection)
    done = subprocess.run(
        [*through, sys.executable, "-c", code],
        env=environment,
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: list[object] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    "connection",
    ["ssh", "smart", "ansible.builtin.ssh", "paramiko", "ansible.builtin.paramiko_ssh", "my.own.x"],
)
def test_whichever_plugin_came_in_over_ssh_the_login_is_known(connection: str) -> None:
    assert found_by(connection) == [getpass.getuser(), "198.51.100.7", 2222]


def test_a_session_is_found_although_sudo_empties_the_environment() -> None:
    """`ansible_become` in the inventory beats `become: false` of a task."""
    # env(1) would put Python in its own place; a shell that waits stays above it.
    script = f'env -u {login.VARIABLE} "$@"; exit $?'
    assert found_by("ssh", "bash", "-c", script, "session")[1:] == ["198.51.100.7", 2222]


def test_below_sudo_the_login_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sudo has the variable too, and is root's own process."""
    mine = os.getpid()
    tree = {mine: (0, 102, ""), 102: (0, 101, SESSION), 101: (1, 100, SESSION), 100: (0, 1, "")}
    for pid, (user, parent, session) in tree.items():
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "status").write_text(f"PPid:\t{parent}\nUid:\t{user}\t0\t0\t0\n")
        (folder / "environ").write_text(f"{login.VARIABLE}={session}\0" if session else "")
    monkeypatch.setattr(files, "user_name", {0: "root", 1: "ops"}.get)
    found = login.find("ssh", str(tmp_path))
    assert (found.user, found.port, found.session) == ("ops", 2222, SESSION)
    # On the host itself no new connection can be asked for.
    assert login.find("local", str(tmp_path)).session == ""


@pytest.mark.parametrize(
    ("session", "address"),
    [
        ("2001:db8::7 50514 2001:db8::5 22", "2001:db8::7"),
        ("fe80::1%eth0 50514 fe80::2%eth0 22", "fe80::1"),
        ("::ffff:198.51.100.7 50514 ::ffff:10.0.0.5 22", "198.51.100.7"),
    ],
)
def test_addresses_are_those_that_rules_are_written_for(session: str, address: str) -> None:
    assert found_by("ansible.builtin.ssh", session=session)[1:] == [address, 22]


@pytest.mark.parametrize(
    "connection", ["local", "ansible.builtin.local", "community.docker.docker"]
)
def test_who_needs_no_network_has_no_address(connection: str, tmp_path: Path) -> None:
    assert login.find(connection, str(tmp_path)) == login.Login("", "", 0)


@pytest.mark.parametrize(
    "connection", ["ansible.builtin.ssh", "paramiko", "my.own.tunnel", "winrm"]
)
def test_who_cannot_be_known_is_refused(connection: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=f"ansible_connection is '{connection}'.*Nothing was ch"):
        login.find(connection, str(tmp_path))


@pytest.mark.parametrize("said", ["1.2.3.4", "here 1 there 22", "1.2.3.4 1 5.6.7.8 port"])
def test_a_session_that_says_nonsense_is_refused(said: str) -> None:
    with pytest.raises(SpecError, match="SSH_CONNECTION of our session"):
        login.parse(said)


@pytest.mark.parametrize("role", ["ssh", "users", "firewall"])
def test_no_role_leaves_its_checks_out_for_names_of_connections(role: str) -> None:
    for path in (ROLES / role / "tasks").glob("*.yml"):
        for task in yaml.safe_load(path.read_text(encoding="utf-8")):
            condition = str(task.get("when", ""))
            assert not re.search(r"\bansible_connection\b", condition), (path, task["name"])
