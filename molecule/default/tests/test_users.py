# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has an account after set-up, and what logins begin with."""

from __future__ import annotations

import typing as t

import pytest


def test_admin_becomes_root_with_a_log(host: t.Any) -> None:
    assert host.check_output("su - ops -c 'sudo -n id -u'") == "0"
    log = host.file("/var/log/sudo.log")
    assert log.contains("ops :.*COMMAND=/usr/bin/id -u")
    assert (log.user, log.mode) == ("root", 0o600)


def test_nobody_has_a_password(host: t.Any) -> None:
    shadow = host.check_output("cat /etc/shadow")
    hashes = {line.split(":")[0]: line.split(":")[1] for line in shadow.splitlines()}
    assert [name for name, value in hashes.items() if value[:1] not in ("!", "*")] == []
    # Locked, not empty: an empty field lets in whoever asks.
    assert hashes["root"].startswith(("!", "*"))


def test_only_members_of_the_group_may_log_in(host: t.Any) -> None:
    assert sorted(host.group("ssh-users").members) == ["ops", "root"]


def test_new_files_and_homes_are_closed(host: t.Any) -> None:
    assert host.check_output("su - ops -c umask") == "0027"
    host.check_output("useradd -m probe")
    try:
        assert host.file("/home/probe").mode & 0o007 == 0
    finally:
        host.check_output("userdel -r probe")


@pytest.mark.parametrize(
    ("shell", "seconds"),
    [
        ("bash -lic", "1800"),
        # As sudo -s and su open it.
        ("bash -ic", "1800"),
        # As Ansible and scripts run theirs.
        ("bash -lc", "none"),
        ("bash -c", "none"),
        ("sh -c", "none"),
    ],
)
def test_shell_ends_when_nobody_types(host: t.Any, shell: str, seconds: str) -> None:
    done = host.run(f"env -u TMOUT PS1=x {shell} 'echo ${{TMOUT:-none}}'")
    assert done.stdout.split() == [seconds]
    refused = host.run(f"env -u TMOUT PS1=x {shell} 'TMOUT=5; echo $TMOUT'")
    assert refused.stdout.split() == ([] if seconds == "1800" else ["5"])


def test_passwords_are_judged_and_costly(host: t.Any) -> None:
    assert host.file("/etc/pam.d/common-password").contains("pam_pwquality.so")
    settings = host.file("/etc/security/pwquality.conf.d/greenlight.conf").content_string
    assert "minlen = 14" in settings.splitlines()
    defaults = host.check_output("grep -E '^[A-Z]' /etc/login.defs").splitlines()
    values = dict(line.split(None, 1) for line in defaults)
    assert values["UMASK"] == "027"
    assert values["PASS_MIN_DAYS"] == "1"
    # One that ends would refuse a login by key as well.
    assert values["PASS_MAX_DAYS"] == "99999"
    assert values["SHA_CRYPT_MIN_ROUNDS"] == "65536"


@pytest.mark.parametrize("name", ["00-greenlight", "greenlight-admins"])
def test_rules_of_sudo_are_closed(host: t.Any, name: str) -> None:
    rules = host.file(f"/etc/sudoers.d/{name}")
    assert (rules.user, rules.group, rules.mode) == ("root", "root", 0o440)
