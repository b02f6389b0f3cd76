# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of our own passes on a good host, and fails when the one thing it is for is bad."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._audit.host import RULES as ALL
from ansible_collections.greenlight.droplet.plugins.module_utils._audit.host import (
    RUNTIME_SOCKET,
    WANTED_UNITS,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._audit.model import (
    DockerFacts,
    Facts,
    FileFact,
    Listener,
    judge,
)

RULES = {rule.identifier: rule for rule in ALL}
UFW = (
    "Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), deny (routed)\n"
)
SSHD = {
    "port": ("22",),
    "permitrootlogin": ("no",),
    "passwordauthentication": ("no",),
    "kbdinteractiveauthentication": ("no",),
    "allowgroups": ("sudo",),
    "maxauthtries": ("3",),
    "ciphers": ("chacha20-poly1305@openssh.com,aes256-gcm@openssh.com",),
    "macs": ("hmac-sha2-512-etm@openssh.com,umac-128-etm@openssh.com",),
    "kexalgorithms": ("sntrup761x25519-sha512@openssh.com,curve25519-sha256",),
    "hostkeyalgorithms": ("ssh-ed25519,rsa-sha2-512",),
}
FACTS = Facts(
    docker=DockerFacts(containers=({"Name": "/api-blue", "HostConfig": {"PortBindings": {}}},)),
    files={
        "/etc/greenlight/api.json": FileFact("root", "root", 0o644),
        "/var/lib/greenlight/api": FileFact("root", "root", 0o700),
        RUNTIME_SOCKET: FileFact("root", "root", 0o600),
    },
    audit_loaded=12,
    listeners=(
        Listener("tcp", "0.0.0.0", 22, "sshd"),
        Listener("tcp", "127.0.0.1", 38065, "containerd"),
        Listener("tcp", "[::1]", 9999, "other"),
        Listener("udp", "127.0.0.53%lo", 53, "systemd-resolve"),
        Listener("udp", "10.0.0.5%eth0", 68, "systemd-network"),
    ),
    allowed_ports=frozenset({22, 3002}),
    sshd=SSHD,
    ufw=UFW,
    tables=("table ip filter", "table inet greenlight"),
    jails=("recidive", "sshd"),
    units=dict.fromkeys((*WANTED_UNITS, "apt-daily-upgrade.timer"), "active enabled"),
    unattended_upgrades=True,
    clock_synchronised=True,
    journals={"api": ""},
)


def with_sshd(**changes: str) -> Facts:
    return replace(FACTS, sshd={**SSHD, **{key: (value,) for key, value in changes.items()}})


def with_file(path: str, owner: str, mode: int) -> Facts:
    return replace(FACTS, files={path: FileFact(owner, "root", mode)})


def with_listener(protocol: str, address: str, port: int) -> Facts:
    return replace(FACTS, listeners=(Listener(protocol, address, port, "spy"),))


def publishing() -> Facts:
    ports = {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}
    container: dict[str, t.Any] = {"Name": "/web", "HostConfig": {"PortBindings": ports}}
    return replace(FACTS, docker=DockerFacts(containers=(container,)))


BAD: list[tuple[str, Facts, str]] = [
    ("firewall-active", replace(FACTS, ufw="Status: inactive"), "does not filter"),
    ("firewall-default", replace(FACTS, ufw=UFW.replace("deny (inc", "allow (inc")), "allow"),
    ("firewall-default", replace(FACTS, ufw=""), "unknown"),
    ("firewall-table", replace(FACTS, tables=("table inet other",)), "no table"),
    ("open-ports", with_listener("tcp", "0.0.0.0", 8080), "tcp 0.0.0.0:8080 (spy)"),
    ("open-ports", with_listener("udp", "[::]", 22), "udp [::]:22 (spy)"),
    ("open-ports", with_listener("tcp", "172.17.0.1", 9323), "tcp 172.17.0.1:9323 (spy)"),
    ("published-ports", publishing(), "web publishes *:80"),
    ("ssh-root", with_sshd(permitrootlogin="without-password"), "without-password"),
    ("ssh-root", replace(FACTS, sshd={}), "permitrootlogin is unknown"),
    ("ssh-password", with_sshd(passwordauthentication="yes"), "passwordauthentication is yes"),
    ("ssh-interactive", with_sshd(kbdinteractiveauthentication="yes"), "is yes"),
    ("ssh-groups", replace(FACTS, sshd={"port": ("22",)}), "every user"),
    ("ssh-tries", with_sshd(maxauthtries="6"), "maxauthtries is 6"),
    ("ssh-algorithms", with_sshd(ciphers="aes128-cbc"), "takes aes128-cbc"),
    ("ssh-algorithms", with_sshd(macs="hmac-sha1"), "takes hmac-sha1"),
    ("ssh-algorithms", with_sshd(kexalgorithms="diffie-hellman-group14-sha1"), "group14-sha1"),
    ("ssh-algorithms", with_sshd(hostkeyalgorithms="ssh-ed25519,ssh-rsa"), "takes ssh-rsa"),
    ("ssh-algorithms", replace(FACTS, sshd={}), "does not say"),
    ("ban-jails", replace(FACTS, jails=("recidive",)), "no jail sshd"),
    ("file-owners", with_file("/etc/greenlight/api.json", "eve", 0o644), "belongs to eve"),
    ("file-owners", with_file("/etc/sudoers.d/x", "root", 0o460), "mode 0460"),
    ("file-private", with_file("/var/lib/greenlight/api", "root", 0o705), "mode 0705"),
    ("file-private", with_file(RUNTIME_SOCKET, "root", 0o666), "mode 0666"),
    ("journals", replace(FACTS, journals={"api": "2 damaged lines"}), "api: 2 damaged lines"),
    ("services", replace(FACTS, units={}), "docker.service is unknown"),
    ("audit-loaded", replace(FACTS, audit_loaded=0), "no audit rule"),
    ("audit-loaded", replace(FACTS, audit_loaded=-1), "does not say"),
    (
        "security-upgrades",
        replace(FACTS, security_upgrades=tuple(f"p{n}" for n in range(7))),
        "p4 and 2 more",
    ),
    ("unattended-upgrades", replace(FACTS, unattended_upgrades=False), "is not 1"),
    ("unattended-upgrades", replace(FACTS, units={}), "apt-daily-upgrade.timer is unknown"),
    ("reboot", replace(FACTS, reboot_required=True), "reboot-required"),
    ("clock", replace(FACTS, clock_synchronised=False), "no time server"),
]


@pytest.mark.parametrize("identifier", RULES)
def test_passes_on_a_good_host(identifier: str) -> None:
    finding = judge(RULES[identifier], FACTS)
    assert (finding.status, finding.found) == ("passed", "")


@pytest.mark.parametrize(("identifier", "facts", "found"), BAD)
def test_fails_on_the_one_bad_thing(identifier: str, facts: Facts, found: str) -> None:
    finding = judge(RULES[identifier], facts)
    assert finding.status == "failed"
    assert found in finding.found
    assert finding.remedy


def test_every_rule_is_seen_failing() -> None:
    assert {identifier for identifier, _facts, _found in BAD} == set(RULES)


def test_a_host_without_docker_publishes_nothing() -> None:
    assert judge(RULES["published-ports"], Facts()).status == "not applicable"
