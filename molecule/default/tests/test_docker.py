# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine after set-up: its settings, who may speak to it, and who owns which file."""

from __future__ import annotations

import json
import typing as t

import pytest

ENGINE = {
    "icc": False,
    "live-restore": True,
    "no-new-privileges": True,
    "userland-proxy": False,
    "log-level": "info",
}
NEVER = ("hosts", "experimental", "storage-driver", "seccomp-profile", "cgroup-parent")


def test_engine_has_its_settings_and_no_more(host: t.Any) -> None:
    settings = json.loads(host.file("/etc/docker/daemon.json").content_string)
    assert {key: settings[key] for key in ENGINE} == ENGINE
    assert settings["default-ulimits"]["core"] == {"Name": "core", "Soft": 0, "Hard": 0}
    assert not [key for key in NEVER if key in settings]


def test_engine_took_its_settings_over(host: t.Any) -> None:
    # dockerd prints one such line for each daemon.json that it has read; the rule is icc's.
    assert "-A FORWARD -i docker0 -o docker0 -j DROP" in host.check_output("iptables -S FORWARD")
    started = host.check_output("systemctl show -p ActiveEnterTimestampMonotonic --value docker")
    changed = host.check_output("stat -c %Y /etc/docker/daemon.json")
    booted = host.check_output("awk '/^btime/ {print $2}' /proc/stat")
    assert int(booted) + int(started) // 1_000_000 >= int(changed) - 2


def test_nobody_is_in_the_group_docker(host: t.Any) -> None:
    assert host.check_output("getent group docker").endswith(":")


def test_engine_listens_on_its_socket_alone(host: t.Any) -> None:
    assert "dockerd" not in host.check_output("ss -Hltunp")
    assert "tcp://" not in host.check_output("systemctl cat docker.service docker.socket")


# Owner, group and mode of what set-up writes and of what decides who commands the engine.
FILES: list[tuple[str, str]] = [
    ("/etc/docker", "root:root 755"),
    ("/etc/docker/daemon.json", "root:root 644"),
    ("/lib/systemd/system/docker.service", "root:root 644"),
    ("/lib/systemd/system/docker.socket", "root:root 644"),
    ("/etc/default/docker", "root:root 644"),
    ("/run/docker.sock", "root:docker 660"),
    ("/run/containerd/containerd.sock", "root:root 660"),
    ("/var/lib/docker", "root:root 710"),
    ("/etc/greenlight", "root:root 755"),
    ("/etc/greenlight/api.json", "root:root 644"),
    ("/var/lib/greenlight/api", "root:root 700"),
    ("/var/lib/greenlight/api/live.map", "root:root 644"),
    ("/var/lib/greenlight/api/canary.map", "root:root 644"),
    ("/usr/local/lib/greenlight", "root:root 755"),
    ("/usr/local/sbin/greenlight", "root:root 755"),
    ("/etc/systemd/system/docker.service.d/greenlight.conf", "root:root 644"),
    ("/etc/systemd/system/haproxy.service.d", "root:root 755"),
    ("/etc/systemd/system/haproxy.service.d/greenlight.conf", "root:root 644"),
    ("/etc/systemd/system/haproxy.service.d/greenlight-sandbox.conf", "root:root 644"),
    ("/etc/haproxy/haproxy.cfg", "root:root 644"),
    ("/etc/sudoers.d/greenlight-admins", "root:root 440"),
    ("/home/ops/.ssh", "ops:ops 700"),
    ("/home/ops/.ssh/authorized_keys", "ops:ops 600"),
]


@pytest.mark.parametrize(("path", "wanted"), FILES)
def test_file_has_its_owner_and_mode(host: t.Any, path: str, wanted: str) -> None:
    assert host.check_output(f"stat -c '%U:%G %a' {path}") == wanted


OURS = "/etc/greenlight /var/lib/greenlight /usr/local/lib/greenlight /etc/haproxy /etc/docker"


def test_nobody_but_root_may_write_to_what_is_ours(host: t.Any) -> None:
    assert host.check_output(f"find {OURS} ! -type l ! -user root -o -perm /022 ! -type l") == ""


PLACES = "/etc /usr /var /opt /home /root /srv /boot"
# The engine's own folder holds the file systems of images: their owners are users of containers.
WITHOUT = "-path /var/lib/docker -prune -o -path /var/lib/containerd -prune -o"


def test_nothing_may_be_written_by_everybody(host: t.Any) -> None:
    found = f"find {PLACES} -xdev {WITHOUT} -perm -0002 ! -type l ! -perm -1000 -print"
    assert host.check_output(found) == ""


def test_no_file_has_lost_its_owner(host: t.Any) -> None:
    found = f"find {PLACES} -xdev {WITHOUT} '(' -nouser -o -nogroup ')' -print"
    assert host.check_output(found) == ""
