# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy after set-up: its sandbox, its rights, its sockets."""

from __future__ import annotations

import typing as t

import pytest

SANDBOX: list[tuple[str, str]] = [
    ("ProtectSystem", "strict"),
    ("ReadWritePaths", "/run/haproxy"),
    ("ProtectHome", "yes"),
    ("TemporaryFileSystem", "/tmp:ro /var/tmp:ro"),
    ("PrivateDevices", "yes"),
    ("ProtectProc", "invisible"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("NoNewPrivileges", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("RestrictRealtime", "yes"),
    ("LockPersonality", "yes"),
    ("Restart", "always"),
]


@pytest.mark.parametrize(("directive", "value"), SANDBOX)
def test_service_has_the_directive(host: t.Any, directive: str, value: str) -> None:
    assert host.check_output(f"systemctl show -p {directive} --value haproxy") == value


def statuses(host: t.Any) -> list[dict[str, str]]:
    """What the kernel says of each process of HAProxy, the master first."""
    texts = host.check_output("for p in $(pgrep -x haproxy); do cat /proc/$p/status; echo; done")
    return [
        dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        for text in texts.split("\n\n")
        if text.strip()
    ]


def test_sandbox_holds_since_the_first_start(host: t.Any) -> None:
    found = statuses(host)
    assert len(found) >= 2
    for status in found:
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"


def test_worker_is_nobody_special_and_chrooted(host: t.Any) -> None:
    worker = statuses(host)[-1]
    assert worker["Uid"].split()[0] == host.check_output("id -u haproxy")
    assert int(worker["CapEff"], 16) == int(worker["CapPrm"], 16) == 0
    root = host.check_output(f"readlink /proc/{worker['Pid']}/root")
    assert root == "/var/lib/haproxy"


def test_master_sees_a_system_that_it_cannot_change(host: t.Any) -> None:
    master = statuses(host)[0]["Pid"]
    mounts = host.file(f"/proc/{master}/mounts").content_string.splitlines()
    options = {line.split()[1]: line.split()[3].split(",") for line in mounts}
    assert "ro" in options["/"]
    assert "rw" in options["/run/haproxy"]


def test_sandbox_is_a_good_one_in_the_eyes_of_systemd(host: t.Any) -> None:
    last = host.check_output("systemd-analyze security haproxy --no-pager").splitlines()[-1]
    assert float(last.split(":")[1].split()[0]) < 3.0


@pytest.mark.parametrize("name", ["admin.sock", "master.sock"])
def test_socket_is_for_root_alone(host: t.Any, name: str) -> None:
    found = host.check_output(f"stat -c '%U %a' /run/haproxy/{name}")
    assert found in ("root 600", "root 700")
