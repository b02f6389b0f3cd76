# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sshd does after set-up, by its own account, and what it tells somebody outside."""

from __future__ import annotations

import typing as t

import pytest


@pytest.fixture(scope="module", name="effective")
def fixture_effective(host: t.Any) -> dict[str, str]:
    """The settings that count, whatever file they come from."""
    lines = host.check_output("sshd -T").lower().splitlines()
    return {name: value for name, _space, value in (line.partition(" ") for line in lines)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("passwordauthentication", "no"),
        ("kbdinteractiveauthentication", "no"),
        ("permitemptypasswords", "no"),
        ("authenticationmethods", "publickey"),
        ("pubkeyauthentication", "yes"),
        # We come in as root here, so root is not kept out; nobody else's password helps.
        ("permitrootlogin", "without-password"),
        ("allowgroups", "ssh-users"),
        ("hostbasedauthentication", "no"),
        ("permituserenvironment", "no"),
        ("strictmodes", "yes"),
        ("maxauthtries", "3"),
        ("maxsessions", "2"),
        ("maxstartups", "10:30:60"),
        ("persourcemaxstartups", "8"),
        ("logingracetime", "30"),
        ("clientaliveinterval", "120"),
        ("clientalivecountmax", "2"),
        ("tcpkeepalive", "no"),
        ("compression", "no"),
        ("allowtcpforwarding", "no"),
        ("allowstreamlocalforwarding", "no"),
        ("allowagentforwarding", "no"),
        ("x11forwarding", "no"),
        ("permittunnel", "no"),
        ("gatewayports", "no"),
        ("loglevel", "verbose"),
        ("banner", "/etc/ssh/greenlight-banner"),
        ("port", "22"),
    ],
)
def test_setting_counts(effective: dict[str, str], name: str, value: str) -> None:
    assert effective[name] == value


@pytest.mark.parametrize(
    ("name", "weak"),
    [
        ("ciphers", ("cbc", "3des", "arcfour", "chacha20")),
        ("macs", ("sha1", "md5", "umac-64", "hmac-sha2-256,", "hmac-sha2-512,")),
        ("kexalgorithms", ("sha1", "group1-", "group14", "nistp")),
        ("hostkeyalgorithms", ("dss", "ecdsa", "ssh-rsa")),
        ("pubkeyacceptedalgorithms", ("dss", "ssh-rsa,", "ssh-rsa-cert")),
    ],
)
def test_weak_cryptography_is_not_offered(
    effective: dict[str, str], name: str, weak: tuple[str, ...]
) -> None:
    offered = f"{effective[name]},"
    assert len(offered) > 10
    assert [word for word in weak if word in offered] == []


def test_host_keys_are_strong_and_their_owners(host: t.Any) -> None:
    sizes = host.check_output("ssh-keygen -lf /etc/ssh/ssh_host_rsa_key.pub").split()
    assert int(sizes[0]) >= 3072
    for kind in ("ed25519", "rsa"):
        key = host.file(f"/etc/ssh/ssh_host_{kind}_key")
        assert (key.user, key.group, key.mode) == ("root", "root", 0o600)


def test_outsider_sees_only_the_two_kinds_of_host_keys(host: t.Any) -> None:
    shown = host.check_output("ssh-keyscan -t rsa,ecdsa,dsa,ed25519 127.0.0.1 2>/dev/null")
    assert sorted(line.split()[1] for line in shown.splitlines()) == ["ssh-ed25519", "ssh-rsa"]


def test_small_groups_are_gone(host: t.Any) -> None:
    sizes = host.check_output("awk '!/^#/ && NF > 4 {print $5}' /etc/ssh/moduli").split()
    assert len(sizes) > 50
    assert min(int(size) for size in sizes) >= 3071


def test_nothing_is_left_of_the_guard(host: t.Any) -> None:
    assert not host.file("/var/lib/greenlight/way_in/guard.json").exists
    assert not host.file("/etc/systemd/system/greenlight-way-in.timer").exists
    assert host.file("/var/lib/greenlight/way_in").mode == 0o700
