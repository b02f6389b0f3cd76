# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What setup-api.yml leaves behind: services, settings, files, and what a neighbour can reach."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    from conftest import Neighbour


@pytest.mark.parametrize("name", ["docker", "haproxy", "fail2ban", "ssh"])
def test_service_runs_and_starts_at_boot(host: t.Any, name: str) -> None:
    service = host.service(name)
    assert service.is_running
    assert service.is_enabled


@pytest.mark.parametrize(
    "setting",
    [
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
        "permitemptypasswords no",
        "permitrootlogin without-password",
        "pubkeyauthentication yes",
        "maxauthtries 3",
        "x11forwarding no",
    ],
)
def test_sshd_uses_the_setting(host: t.Any, setting: str) -> None:
    assert setting in host.check_output("sshd -T").lower().splitlines()


def test_firewall_denies_by_default_and_allows_named_sources(host: t.Any) -> None:
    verbose = host.check_output("ufw status verbose")
    assert "Status: active" in verbose
    assert "Default: deny (incoming), allow (outgoing), deny (routed)" in verbose
    assert host.check_output("ufw show added").splitlines()[1:] == [
        "ufw allow from 10.77.0.1 to any port 22 proto tcp comment 'ssh'",
        "ufw allow from 10.77.0.10 to any port 3002 proto tcp comment 'api'",
    ]
    assert host.service("ufw").is_enabled


def test_jail_for_ssh_is_up_and_spares_admins(host: t.Any) -> None:
    assert "Currently banned" in host.check_output("fail2ban-client status sshd")
    assert "10.77.0.1" in host.check_output("fail2ban-client get sshd ignoreip")


def test_docker_has_the_settings(host: t.Any) -> None:
    info = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert info["LiveRestoreEnabled"] is True
    assert info["LoggingDriver"] == "json-file"
    assert {"Base": "172.30.0.0/16", "Size": 24} in info["DefaultAddressPools"]
    settings = json.loads(host.file("/etc/docker/daemon.json").content_string)
    assert settings["userland-proxy"] is False
    assert settings["log-opts"] == {"max-size": "10m", "max-file": "3"}
    assert "hosts" not in settings


def test_application_has_its_network_and_descriptor(host: t.Any) -> None:
    network = json.loads(host.check_output("docker network inspect greenlight-api"))[0]
    # Docker gives addresses from the upper half alone: the lower ones are the slots'.
    pool = {"Subnet": "172.31.10.0/24", "IPRange": "172.31.10.128/25", "Gateway": "172.31.10.1"}
    assert network["IPAM"]["Config"] == [pool]
    descriptor = json.loads(host.file("/etc/greenlight/api.json").content_string)
    assert descriptor["slots"]["green"]["address"] == "172.31.10.3"


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/run/haproxy/admin.sock", 0o600),
        ("/etc/haproxy/haproxy.cfg", 0o644),
        ("/etc/greenlight/api.json", 0o644),
        ("/var/lib/greenlight/api", 0o700),
        ("/var/lib/greenlight/api/live.map", 0o644),
        ("/etc/sudoers.d/greenlight-admins", 0o440),
        ("/home/ops/.ssh/authorized_keys", 0o600),
    ],
)
def test_file_has_its_mode_and_owner(host: t.Any, path: str, mode: int) -> None:
    found = host.file(path)
    assert found.mode == mode
    assert found.user == ("ops" if path.startswith("/home/ops") else "root")


ASK = (
    "import http.client as h; c = h.HTTPConnection('127.0.0.1', 3002, timeout=2);"
    " c.request('GET', '/v1/health'); r = c.getresponse(); print(r.status, r.read().decode())"
)


def test_proxy_answers_before_the_first_release(host: t.Any) -> None:
    answer = host.check_output(f'python3 -c "{ASK}"')
    assert answer.strip() == "503 no release is live on this host yet"


def test_proxy_knows_both_slots(host: t.Any) -> None:
    script = (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock');"
        " s.sendall(b'show stat\\n'); print(b''.join(iter(lambda: s.recv(65536), b'')).decode())"
    )
    shown = host.check_output(f'python3 -c "{script}"')
    for backend in ("api-blue,slot", "api-green,slot", "api-none,BACKEND"):
        assert backend in shown


def test_killed_proxy_comes_back(host: t.Any) -> None:
    before = host.check_output("systemctl show -p MainPID haproxy")
    host.check_output("systemctl kill --kill-who=all --signal=KILL haproxy")
    host.check_output(
        f'for i in $(seq 50); do python3 -c "{ASK}" && exit 0; sleep 0.1; done; exit 1'
    )
    assert host.check_output("systemctl show -p MainPID haproxy") != before


def test_admin_may_become_root_and_root_has_no_password(host: t.Any) -> None:
    assert host.check_output("su - ops -c 'sudo -n id -u'") == "0"
    assert host.user("ops").password in ("!", "*")


def test_timezone_is_the_one_asked_for(host: t.Any) -> None:
    assert host.file("/etc/localtime").linked_to == "/usr/share/zoneinfo/Etc/UTC"
    assert host.check_output("date +%Z") == "UTC"


def test_containers_reach_the_outside(host: t.Any) -> None:
    rules = host.check_output("iptables -S FORWARD")
    assert rules.splitlines()[0] == "-P FORWARD DROP"
    assert "-i gl-api ! -o gl-api -j ACCEPT" in rules


def test_neighbour_finds_nothing_open(neighbour: Neighbour) -> None:
    assert neighbour.open_ports(range(1, 65536)) == []


def test_balancer_reaches_the_application_port_alone(neighbour: Neighbour) -> None:
    balancer = type(neighbour)("greenlight-fleet-lb", neighbour.target)
    assert balancer.can_connect(3002)
    assert not balancer.can_connect(22)
