# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH from outside: what is refused, and changes that could cost the way in."""

from __future__ import annotations

import subprocess
import typing as t

import pytest

if t.TYPE_CHECKING:
    from pathlib import Path

    from tests.hardening.droplets import Droplet

NEW_PORT = 2222


def attempt(droplet: Droplet, *options: str, user: str = "root") -> tuple[int, str]:
    """Try a login with other options than ours; return its exit code and what ssh said."""
    # ssh takes the first value of an option, so these come before the droplet's own.
    done = subprocess.run(
        [*droplet.ssh("-o", "LogLevel=INFO", *options, user=user), "true"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("Ciphers=aes128-cbc", "no matching cipher"),
        ("KexAlgorithms=diffie-hellman-group14-sha1", "no matching key exchange"),
        ("KexAlgorithms=ecdh-sha2-nistp256", "no matching key exchange"),
        ("HostKeyAlgorithms=ecdsa-sha2-nistp256", "no matching host key type"),
        ("HostKeyAlgorithms=ssh-rsa", "no matching host key type"),
        ("PubkeyAuthentication=no", "Permission denied (publickey)"),
    ],
)
def test_weak_login_is_refused(droplet: Droplet, option: str, said: str) -> None:
    code, text = attempt(droplet, "-o", option)
    assert code == 255
    assert said in text


def test_weak_code_of_messages_is_refused(droplet: Droplet) -> None:
    code, text = attempt(droplet, "-o", "Ciphers=aes256-ctr", "-o", "MACs=hmac-sha1")
    assert (code, "no matching MAC" in text) == (255, True)


def test_user_outside_the_group_is_refused_with_a_good_key(droplet: Droplet) -> None:
    droplet.inside(
        "useradd -m outsider && mkdir -m 700 ~outsider/.ssh"
        " && cp ~ops/.ssh/authorized_keys ~outsider/.ssh/ && chown -R outsider: ~outsider/.ssh"
    )
    try:
        assert attempt(droplet, user="outsider")[0] == 255
        droplet.inside("gpasswd -a outsider ssh-users")
        assert attempt(droplet, user="outsider")[0] == 0
    finally:
        droplet.inside("userdel -rf outsider")


def test_forwarding_is_refused(droplet: Droplet) -> None:
    done = subprocess.run(
        droplet.ssh("-W", "127.0.0.1:22"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "SSH-2.0" not in done.stdout


def test_client_that_wants_more_sessions_opens_another_connection(
    droplet: Droplet, tmp_path: Path
) -> None:
    """Ansible shares one connection; with two sessions in each, nothing may fail."""
    control = ("-o", f"ControlPath={tmp_path}/c")
    master = droplet.ssh("-o", "ControlMaster=yes", "-o", "ControlPersist=30", *control)
    subprocess.run([*master, "true"], check=True, timeout=30)
    running = [
        subprocess.Popen([*droplet.ssh(*control), "sleep 2"], stderr=subprocess.DEVNULL)
        for _number in range(5)
    ]
    try:
        assert [one.wait(timeout=30) for one in running] == [0] * 5
    finally:
        subprocess.run(droplet.ssh("-O", "exit", *control), check=True, stderr=subprocess.DEVNULL)


def test_short_host_key_is_made_anew_and_we_still_get_in(droplet: Droplet) -> None:
    key = "/etc/ssh/ssh_host_rsa_key"
    droplet.inside(f"rm -f {key} {key}.pub && ssh-keygen -q -t rsa -b 2048 -N '' -f {key}")
    done = droplet.setup("--tags", "ssh_host_keys")
    assert done.returncode == 0, done.stdout
    assert droplet.run(f"ssh-keygen -lf {key}.pub").split()[0] == "3072"


def test_admin_comes_in_and_then_root_is_kept_out(droplet: Droplet) -> None:
    """Who changes ansible_user to an admin closes root's login by that alone."""
    done = droplet.setup("--tags", "ssh_daemon", variables={"ansible_user": "ops"})
    try:
        assert done.returncode == 0, done.stdout
        assert attempt(droplet)[0] == 255
        assert attempt(droplet, user="ops")[0] == 0
    finally:
        back = {"ansible_user": "ops", "ssh_permit_root_login": "prohibit-password"}
        done = droplet.setup("--tags", "ssh_daemon", variables=back)
    assert done.returncode == 0, done.stdout
    assert attempt(droplet)[0] == 0


def move(droplet: Droplet, folder: Path, come_in: int, wanted: int) -> None:
    """Give it another port by all that knows one, coming in by the droplet's own address."""
    known = folder / "known_hosts"
    if not known.exists():
        words = droplet.inside("cat /etc/ssh/ssh_host_ed25519_key.pub").split()
        known.write_text(f"{droplet.address} {words[0]} {words[1]}\n")
    options = f"-o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
    done = droplet.setup(
        "--tags",
        "ssh,firewall",
        variables={
            "ansible_host": droplet.address,
            "ansible_port": come_in,
            "ansible_ssh_common_args": options,
            "ssh_known_hosts_file": str(known),
            "ssh_port": wanted,
        },
    )
    assert done.returncode == 0, done.stdout


def ports(droplet: Droplet) -> list[int]:
    """The ports by which sshd answers."""
    shown = droplet.inside("ss -ltnpH | grep sshd | awk '{print $4}'").split()
    return sorted({int(address.rsplit(":", 1)[1]) for address in shown})


def test_port_moves_and_the_old_one_is_closed_once_the_new_one_is_used(
    droplet: Droplet, tmp_path: Path
) -> None:
    try:
        move(droplet, tmp_path, 22, NEW_PORT)
        assert ports(droplet) == [22, NEW_PORT]
        move(droplet, tmp_path, NEW_PORT, NEW_PORT)
        assert ports(droplet) == [NEW_PORT]
    finally:
        if NEW_PORT in ports(droplet):
            move(droplet, tmp_path, NEW_PORT, 22)
            move(droplet, tmp_path, 22, 22)
    assert ports(droplet) == [22]
