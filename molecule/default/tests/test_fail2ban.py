# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fail2ban watches, whom it spares, whom it blames for a line of HAProxy's log."""

from __future__ import annotations

import re
import shlex
import typing as t

import pytest

JAILS = ["haproxy-auth", "haproxy-probe", "haproxy-scan", "recidive", "sshd"]
BALANCER = "10.77.0.10"
CLIENT = "203.0.113.5"
CLIENT_6 = "2001:db8::5"

# Kind of jail, peer, what HAProxy captured, status, request, the address that is to blame.
LINES: list[tuple[str, str, str, int, str, str]] = [
    ("auth", CLIENT, "", 401, "GET /v1/me HTTP/1.1", CLIENT),
    ("auth", CLIENT, "", 403, "GET /v1/me HTTP/1.1", CLIENT),
    ("auth", CLIENT_6, "", 401, "GET /v1/me HTTP/1.1", CLIENT_6),
    ("auth", CLIENT, "", 200, "GET /v1/me HTTP/1.1", ""),
    ("auth", CLIENT, "", 404, "GET /v1/me HTTP/1.1", ""),
    ("auth", BALANCER, f"{{{CLIENT}}} ", 401, "GET /v1/me HTTP/1.1", CLIENT),
    ("auth", BALANCER, f"{{{CLIENT}|}} ", 401, "GET /v1/me HTTP/1.1", CLIENT),
    ("auth", BALANCER, f"{{{CLIENT_6}|curl}} ", 401, "GET /v1/me HTTP/1.1", CLIENT_6),
    ("auth", CLIENT, "{} ", 401, "GET /v1/me HTTP/1.1", CLIENT),
    ("auth", CLIENT, "{|curl} {|nginx} ", 401, "GET /v1/me HTTP/1.1", CLIENT),
    # An address that is not the first captured header is the client's own invention.
    ("auth", CLIENT, "{|198.51.100.9} ", 401, "GET /v1/me HTTP/1.1", CLIENT),
    ("auth", CLIENT, "", 401, "GET /{198.51.100.9| HTTP/1.1", CLIENT),
    ("scan", CLIENT, "", 404, "GET /no/such HTTP/1.1", CLIENT),
    ("scan", CLIENT, "", 400, "<BADREQ>", CLIENT),
    ("scan", BALANCER, f"{{{CLIENT}}} ", 404, "GET /no/such HTTP/1.1", CLIENT),
    ("scan", CLIENT, "", 401, "GET /v1/me HTTP/1.1", ""),
    ("probe", CLIENT, "", 404, "GET /.env HTTP/1.1", CLIENT),
    ("probe", CLIENT, "", 503, "GET /WP-login.php?x=1 HTTP/1.1", CLIENT),
    ("probe", CLIENT, "", 404, "GET https://example.org//.git/config HTTP/2.0", CLIENT),
    ("probe", BALANCER, f"{{{CLIENT}|x}} ", 404, "GET /.env HTTP/1.1", CLIENT),
    ("probe", CLIENT, "", 200, "GET /.env HTTP/1.1", ""),
    ("probe", CLIENT, "", 404, "GET /v1/envelopes HTTP/1.1", ""),
    ("probe", CLIENT, "", 404, "GET /search?q=/.env HTTP/1.1", ""),
]


def test_every_jail_is_up(host: t.Any) -> None:
    shown = host.check_output("fail2ban-client status").splitlines()[-1]
    assert sorted(shown.partition(":")[2].replace(",", " ").split()) == JAILS


@pytest.mark.parametrize("jail", JAILS)
def test_jail_spares_admins_balancer_and_loopback(host: t.Any, jail: str) -> None:
    shown = host.check_output(f"fail2ban-client get {jail} ignoreip").split()
    assert {"10.77.0.1", BALANCER, "127.0.0.0/8", "::1"} <= set(shown)


@pytest.mark.parametrize(
    ("jail", "unit"),
    [("sshd", "ssh"), ("recidive", "fail2ban"), ("haproxy-scan", "haproxy")],
)
def test_jail_reads_the_journal_of_its_service_alone(host: t.Any, jail: str, unit: str) -> None:
    matches = host.check_output(f"fail2ban-client get {jail} journalmatch")
    assert f"_SYSTEMD_UNIT={unit}.service" in matches
    assert "_COMM" not in matches


@pytest.mark.parametrize("case", LINES, ids=str)
def test_filter_blames_the_client(host: t.Any, case: tuple[str, str, str, int, str, str]) -> None:
    kind, peer, captured, status, request, blamed = case
    line = (
        f"api-1 haproxy[71]: {peer}:51234 [21/Nov/2026:08:10:10.939] api api-blue/slot 0/0/1/2/3"
        f' {status} 150 - - ---- 1/1/0/0/0 0/0 {captured}"{request}"'
    )
    words = shlex.join(["fail2ban-regex", "-o", "ip", line, f"greenlight-haproxy[kind={kind}]"])
    assert host.run(words).stdout.split() == ([blamed] if blamed else [])


def test_ban_is_remembered_as_long_as_it_lasts(host: t.Any) -> None:
    shown = host.check_output("fail2ban-client get dbpurgeage")
    seconds = re.findall(r"\d+", shown)
    assert int(seconds[-1]) >= int(host.check_output("fail2ban-client get recidive bantime"))


def test_service_keeps_the_packet_filter_and_loses_the_rest(host: t.Any) -> None:
    shown = host.check_output(
        "systemctl show fail2ban -p CapabilityBoundingSet,ProtectSystem,NoNewPrivileges"
    )
    assert sorted(shown.splitlines()) == [
        "CapabilityBoundingSet=cap_net_admin",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
    ]
