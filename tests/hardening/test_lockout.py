# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""We try to lock ourselves out, in every way that the variables allow.

Each is refused before the way in changes, or the host puts the old way in back by itself.
"""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from tests.hardening.droplets import Droplet

STATE = (
    "sha256sum /etc/ssh/sshd_config.d/* /etc/ssh/ssh_host_*; ufw show added;"
    " id root; test ! -e /var/lib/greenlight/way_in/guard.json"
)
"""What makes up the way in; fails while a guard stands."""

GUARD_SECONDS = 20
SHORT = {"ssh_guard_seconds": GUARD_SECONDS, "ssh_proof_seconds": 5}


@pytest.mark.parametrize(
    ("tag", "variables", "said"),
    [
        ("ssh_daemon", {"ssh_allow_groups": ["nobody-is-in-it"]}, "nobody-is-in-it"),
        ("ssh_daemon", {"ssh_permit_root_login": "no"}, "we come in as root"),
        ("ssh_daemon", {"ssh_permit_root_login": "forced-commands-only"}, "we come in as root"),
        ("ssh_daemon", {"ssh_port": 0}, "ssh_port 0"),
        ("ssh_daemon", {"ssh_port": 70000}, "ssh_port 70000"),
        ("ssh_daemon", {"ssh_max_sessions": 0}, "ssh_max_sessions 0"),
        ("ssh_daemon", {"ssh_max_auth_tries": 0}, "ssh_max_auth_tries 0"),
        ("ssh_daemon", {"ssh_max_startups": "0:100:1"}, "ssh_max_startups 0:100:1"),
        ("ssh_daemon", {"ssh_source_max_startups": 0}, "ssh_source_max_startups 0"),
        ("ssh_daemon", {"ssh_login_grace_seconds": 1}, "ssh_login_grace_seconds 1"),
        ("ssh_daemon", {"ssh_guard_seconds": 10}, "ssh_guard_seconds 10"),
        ("ssh_daemon", {"ssh_ciphers": ["no-such-cipher"]}, "no-such-cipher"),
        ("ssh_daemon", {"ssh_key_algorithms": []}, "00-greenlight.conf"),
        ("users_accounts", {"users_removed": ["root"]}, "users_removed root"),
        ("users_accounts", {"users_admins": [{"name": "ops", "keys": []}]}, "at least one key"),
        ("all", {"admin_networks": ["192.0.2.0/24"]}, "lock us out"),
    ],
)
def test_what_cannot_work_is_refused_and_the_way_in_stays(
    droplet: Droplet, tag: str, variables: dict[str, t.Any], said: str
) -> None:
    before = droplet.inside(STATE)
    done = droplet.setup("--tags", tag, variables=variables)
    assert done.returncode != 0, done.stdout
    assert said in " ".join(done.stdout.split())
    assert droplet.inside(STATE) == before
    droplet.run("true")


@pytest.mark.parametrize(
    "variables",
    [
        {"ssh_ciphers": ["3des-cbc"]},
        {"ssh_key_exchanges": ["diffie-hellman-group1-sha1"]},
        {"ssh_key_algorithms": ["rsa-sha2-512"]},
    ],
)
def test_what_keeps_us_out_is_put_back_by_the_host(
    droplet: Droplet, variables: dict[str, t.Any]
) -> None:
    before = droplet.inside(STATE)
    done = droplet.setup("--tags", "ssh_daemon", variables={**SHORT, **variables})
    assert done.returncode != 0, done.stdout
    assert f"back by itself within {GUARD_SECONDS} s" in " ".join(done.stdout.split())
    assert droplet.try_run("true")[0] != 0, "the change did not lock us out, so it proves nothing"
    droplet.wait_reachable(GUARD_SECONDS + 5.0)
    assert droplet.inside(STATE) == before


def test_reboot_in_the_middle_of_a_change_does_not_keep_us_out(droplet: Droplet) -> None:
    before = droplet.inside(STATE)
    done = droplet.setup("--tags", "ssh_daemon", variables={**SHORT, "ssh_ciphers": ["3des-cbc"]})
    assert done.returncode != 0, done.stdout
    assert droplet.try_inside(STATE)[0] != 0
    droplet.reboot()
    assert droplet.inside(STATE) == before


def test_left_guard_is_ended_by_the_next_run_and_not_by_its_timer(droplet: Droplet) -> None:
    """A run that is killed after its change leaves a guard; the change must not vanish later."""
    before = droplet.inside(STATE)
    folder = "/var/lib/greenlight/way_in"
    guard = '{"paths": [], "services": ["ssh"], "ufw_active": true, "nftables_table": false}'
    droplet.inside(f"mkdir -p {folder}/copies && echo '{guard}' > {folder}/guard.json")
    done = droplet.setup("--tags", "ssh_daemon")
    assert done.returncode == 0, done.stdout
    assert droplet.inside(STATE) == before
    assert droplet.try_inside("systemctl is-active greenlight-way-in.timer")[0] != 0


def test_unchanged_run_guards_nothing(droplet: Droplet) -> None:
    done = droplet.setup("--tags", "ssh_daemon")
    assert done.returncode == 0, done.stdout
    assert "Guard the way in" not in done.stdout
    assert "changed=0" in done.stdout
