# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the system that drift are put right, and one control is run or switched off alone."""

from __future__ import annotations

import shlex

from tests.hardening.droplets import Droplet, changed

REDIRECTS = "/proc/sys/net/ipv4/conf/all/accept_redirects"
UPGRADES = "/etc/apt/apt.conf.d/52greenlight-upgrades"
RESTARTS = "/etc/needrestart/conf.d/greenlight.conf"


def test_what_drifted_is_put_right_and_nothing_else(droplet: Droplet) -> None:
    """By hand: a kernel setting, a mount, the processes, a service, a file's mode, a file."""
    droplet.inside(f"echo 1 > {REDIRECTS}")
    droplet.inside("mount -o remount,exec /dev/shm && mount -o remount,hidepid=0 /proc")
    droplet.inside("systemctl disable --now sysstat-collect.timer && chmod 755 /etc/cron.d")
    droplet.inside(f"echo >> {UPGRADES}")

    done = droplet.setup("--tags", "system")

    assert done.returncode == 0, done.stdout
    assert changed(done.stdout) == 5, done.stdout
    assert droplet.inside(f"cat {REDIRECTS}").strip() == "0"
    assert "noexec" in droplet.inside("findmnt -n -o OPTIONS /dev/shm")
    assert "hidepid=invisible" in droplet.inside("findmnt -n -o OPTIONS /proc")
    assert "enabled" in droplet.inside("systemctl is-enabled sysstat-collect.timer")
    assert droplet.inside("stat -c %a /etc/cron.d").strip() == "700"
    again = droplet.setup("--tags", "system").stdout
    assert changed(again) == 0, again


def test_control_is_switched_off_and_on_alone(droplet: Droplet) -> None:
    """Its file goes and comes; the files of others and the mounts at boot stay as they are."""
    mounts = droplet.inside("cat /etc/fstab")
    for switch, there in (("false", 1), ("true", 0)):
        arguments = ("--tags", "system_needrestart", "-e", f"{{system_needrestart: {switch}}}")
        done = droplet.setup(*arguments)
        assert changed(done.stdout) == 1, done.stdout
        assert droplet.try_inside(f"test -e {RESTARTS}")[0] == there
        assert droplet.inside("cat /etc/fstab") == mounts
        droplet.inside(f"test -e {UPGRADES}")


def test_skipped_tag_leaves_its_control_alone(droplet: Droplet) -> None:
    """The tasks are shared, yet the tag of one control skips that one and no other."""
    droplet.inside(f"echo 1 > {REDIRECTS} && chmod 755 /etc/cron.d")
    done = droplet.setup("--tags", "system", "--skip-tags", "system_sysctl")
    assert changed(done.stdout) == 1, done.stdout
    assert droplet.inside(f"cat {REDIRECTS}").strip() == "1"
    assert changed(droplet.setup("--tags", "system_sysctl").stdout) == 1
    assert droplet.inside(f"cat {REDIRECTS}").strip() == "0"


def test_socket_in_tmp_keeps_its_folder_until_the_next_boot(droplet: Droplet) -> None:
    """A mount would hide the socket from the program that uses it."""
    droplet.inside("umount /tmp")
    droplet.inside("python3 -c \"import socket; socket.socket(1).bind('/tmp/in-use')\"")
    done = droplet.setup("--tags", "system_mounts")
    assert "programs use the sockets /tmp/in-use" in " ".join(done.stdout.split()), done.stdout
    assert droplet.try_inside("findmnt /tmp")[0] == 1
    droplet.inside("rm /tmp/in-use")
    assert changed(droplet.setup("--tags", "system_mounts").stdout) == 1
    droplet.inside("findmnt /tmp")


def test_audit_rules_are_accepted_by_the_parser(droplet: Droplet) -> None:
    """Not loaded in a container; every line must be one that auditctl knows how to read."""
    text = droplet.inside("cat /etc/audit/rules.d/50-greenlight.rules")
    rules = [shlex.split(line) for line in text.splitlines() if line.startswith("-")]
    assert len(rules) > 20
    for rule in rules:
        _code, answer = droplet.try_inside(shlex.join(["auditctl", *rule]))
        for complaint in ("unknown", "usage:", "invalid", "missing"):
            assert complaint not in answer.lower(), f"{rule}: {answer}"
