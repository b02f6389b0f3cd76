# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leftovers of others on a droplet: sshd, HAProxy, fail2ban and the engine say so themselves.

Each test puts the droplet back to what set-up makes of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.hardening.droplets import Droplet, changed

SSHD = "/etc/ssh/sshd_config.d/90-leftover.conf"
DAEMON = "/etc/docker/daemon.json"
RECORD = "/var/lib/greenlight/docker-daemon.json"


def refused(droplet: Droplet, *arguments: str, **variables: Any) -> str:
    """Run set-up, which has to refuse before it changes anything; return what it said."""
    done = droplet.setup(*arguments, variables=variables)
    assert done.returncode != 0, done.stdout
    assert changed(done.stdout) == 0, done.stdout
    return " ".join(done.stdout.split())


def set_up(droplet: Droplet, *arguments: str, **variables: Any) -> str:
    """Run set-up, which has to go well; return what it said."""
    done = droplet.setup(*arguments, variables=variables)
    assert done.returncode == 0, done.stdout
    return done.stdout


@contextmanager
def file(droplet: Droplet, path: str, text: str) -> Iterator[None]:
    """Have a file on the droplet for a while, and what was there again afterwards."""
    kept = f"/root/kept{path.replace('/', '-')}"
    droplet.inside(f"rm -rf {kept}; cp -a {path} {kept} 2>/dev/null || true")
    droplet.inside(f"cat >{path} <<'END'\n{text}\nEND")
    try:
        yield
    finally:
        droplet.inside(f"rm -f {path}; cp -a {kept} {path} 2>/dev/null || true")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Port 2222", f"port is 22, 2222 for root and ops instead of 22: take it out of {SSHD}:1."),
        ("ListenAddress 127.0.0.1:2222", "listenaddress is 127.0.0.1:2222"),
        ("AllowUsers bob", "allowusers is bob"),
        ("AuthorizedKeysFile /etc/keys/%u", "authorizedkeysfile is /etc/keys/%u"),
        ("HostKey /etc/ssh/ssh_host_ecdsa_key", "hostkey is"),
        ("Match User ops\n  PasswordAuthentication yes", "passwordauthentication is yes for ops"),
        ("NoSuchKeyword yes", "NoSuchKeyword"),
    ],
)
def test_leftovers_of_sshd_are_refused_with_their_place(
    droplet: Droplet, text: str, said: str
) -> None:
    with file(droplet, SSHD, text):
        assert said in refused(droplet, "--tags", "ssh_daemon")
    droplet.run("true")


def test_what_decides_nothing_is_a_warning(droplet: Droplet) -> None:
    with file(droplet, SSHD, "ClientAliveCountMax 9\nVersionAddendum x"):
        assert "versionaddendum is x" in " ".join(set_up(droplet, "--tags", "ssh_daemon").split())


def test_a_proxy_of_others_is_refused_and_kept_when_it_may_be_replaced(droplet: Droplet) -> None:
    foreign = "defaults\n  mode http\n  timeout client 1s\nfrontend shop\n  bind 127.0.0.1:8123"
    copy = "/etc/haproxy/haproxy.cfg.before-greenlight"
    with file(droplet, "/etc/haproxy/haproxy.cfg", foreign):
        assert "it has frontend shop" in refused(droplet, "--tags", "proxy")
        set_up(droplet, "--tags", "proxy", proxy_take_over=True)
        assert "frontend shop" in droplet.inside(f"cat {copy}")
        assert changed(set_up(droplet, "--tags", "proxy")) == 0
    droplet.inside(f"rm {copy}; systemctl reload haproxy")


def test_a_port_of_another_program_is_refused_with_its_name(droplet: Droplet) -> None:
    serve = "exec -a nginx python3 -m http.server 3002"
    droplet.inside("systemctl stop haproxy")
    droplet.inside(f"systemd-run --quiet --unit=web bash -c '{serve}'; sleep 1")
    try:
        said = refused(droplet, "--tags", "proxy")
        assert "Port 3002 of application 'api' is taken on this host by" in said
    finally:
        droplet.inside("systemctl stop web; systemctl start haproxy")


def test_dead_jails_of_others_do_not_keep_fail2ban_from_starting(droplet: Droplet) -> None:
    left = "[sshd]\nbackend = auto\n[nginx-http-auth]\nenabled = true\n[gone]\nenabled = true"
    with file(droplet, "/etc/fail2ban/jail.d/old.local", left):
        assert droplet.try_inside("systemctl restart fail2ban")[0] != 0
        said = " ".join(set_up(droplet, "--tags", "fail2ban").split())
        assert "gone (its filter gone is not there)" in said
        assert droplet.inside("systemctl is-active fail2ban").strip() == "active"
        assert "sshd" in droplet.inside("fail2ban-client status")
        assert changed(set_up(droplet, "--tags", "fail2ban")) == 0
    set_up(droplet, "--tags", "fail2ban")
    assert droplet.try_inside("test -e /etc/fail2ban/jail.d/zz-greenlight.local")[0] != 0


@pytest.fixture(name="engine")
def fixture_engine(droplet: Droplet) -> Iterator[Droplet]:
    """The droplet's engine as on a host that we have never seen, with a container that runs."""
    droplet.inside(f"cp -a {DAEMON} {RECORD} /root/")
    yield droplet
    droplet.inside(
        f"cp -a /root/daemon.json {DAEMON}; cp -a /root/docker-daemon.json {RECORD};"
        f" rm -f {DAEMON}.before-greenlight; systemctl reset-failed docker"
        " && systemctl restart docker"
    )
    assert changed(set_up(droplet, "--tags", "docker")) == 0


def foreign(engine: Droplet, **settings: Any) -> None:
    """Give the engine a file of others, with which it runs."""
    text = json.dumps({"dns": ["192.0.2.53"], **settings})
    engine.inside(f"rm -f {RECORD}; cat >{DAEMON} <<'END'\n{text}\nEND\nsystemctl restart docker")


def test_settings_of_others_stay_and_a_copy_is_kept(engine: Droplet) -> None:
    foreign(engine, **{"data-root": "/var/lib/docker/other", "insecure-registries": ["a.test:1"]})
    engine.inside("docker volume create precious")
    set_up(engine, "--tags", "docker")
    assert "precious" in engine.inside("docker volume ls --quiet")
    found = json.loads(engine.inside(f"cat {DAEMON}"))
    assert found["dns"] == ["192.0.2.53"]
    assert "a.test:1" in found["insecure-registries"]
    assert found["live-restore"] is True
    assert "dns" in engine.inside(f"cat {DAEMON}.before-greenlight")
    assert changed(set_up(engine, "--tags", "docker")) == 0
    engine.inside("docker volume rm precious")


def test_settings_that_contradict_and_a_swarm_are_refused(engine: Droplet) -> None:
    foreign(engine, icc=True)
    assert '"icc": true instead of false from docker_inter_container' in refused(engine)
    foreign(engine)
    engine.inside("docker swarm init --advertise-addr lo")
    try:
        assert "node of a Docker Swarm" in refused(engine)
    finally:
        engine.inside("docker swarm leave --force")


def test_an_engine_that_does_not_start_runs_with_the_old_settings(engine: Droplet) -> None:
    foreign(engine)
    before = engine.inside(f"cat {DAEMON}")
    # Networks larger than the pool that they come from: dockerd does not start with that.
    done = engine.setup("--tags", "docker", variables={"docker_address_pool_size": 8})
    assert done.returncode != 0, done.stdout
    assert "is as it was before, and the engine runs" in " ".join(done.stdout.split())
    assert engine.inside(f"cat {DAEMON}") == before
    engine.inside("docker info")


def test_whoever_installs_packages_is_waited_for_with_a_bound(droplet: Droplet) -> None:
    hold = (
        'import fcntl,time; s=open("/var/lib/dpkg/lock-frontend","w");'
        " fcntl.lockf(s,fcntl.LOCK_EX); time.sleep(SECONDS)"
    )
    unit = "systemd-run --quiet --collect --unit=upgrades python3 -c"
    droplet.inside(f"{unit} '{hold.replace('SECONDS', '8')}'; sleep 1")
    assert "holds /var/lib/dpkg/lock-frontend" in set_up(droplet, "--tags", "base")
    droplet.inside(f"{unit} '{hold.replace('SECONDS', '60')}'; sleep 1")
    try:
        said = refused(droplet, "--tags", "base", base_wait_seconds=3)
        assert "base_wait_seconds" in said
    finally:
        droplet.inside("systemctl stop upgrades")
