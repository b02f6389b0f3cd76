# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets go to the container and to the registry, and are found nowhere else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.support.ansible import Call, Played
from tests.integration.support.bench import Bench, sha
from tests.integration.support.machine import Machine
from tests.integration.test_watchdog import reboot

MARKER = "m4rker-5ecret-value"
WRONG = "m4rker-wr0ng-password"
PATTERNS = "/run/greenlight-patterns"
FOUND = "/run/greenlight-found"
# Reads the patterns from a file, so that the search is never its own finding.
SAMPLER = f"""
rm -f {FOUND}; touch {FOUND} {FOUND}.run
( end=$(($(date +%s) + 60))
  while [ -e {FOUND}.run ] && [ $(date +%s) -lt $end ]; do
    grep -alF -f {PATTERNS} /proc/[0-9]*/cmdline >> {FOUND} 2>/dev/null
    echo sample >> {FOUND}.run; sleep 0.02
  done ) >/dev/null 2>&1 </dev/null &
"""
PLACES = (
    *(
        "/etc",
        "/var/log",
        "/var/lib/greenlight",
        "/var/lib/docker",
        "/var/lib/haproxy",
        "/var/spool",
    ),
    *("/var/lib/containerd", "/run/greenlight", "/run/containerd"),
    *("/var/tmp", "/tmp", "/root", "/home", "/opt", "/srv", "/usr/local"),
)


@pytest.fixture
def planted(bench: Bench) -> Iterator[Bench]:
    """The droplet with A live, the patterns in a file, and a sampler of all command lines."""
    bench.one(bench.release("A")).ok()
    bench.machine.write(PATTERNS, "\n".join((MARKER, WRONG, bench.password)))
    bench.sh(SAMPLER)
    yield bench
    bench.sh(f"rm -f {PATTERNS} {FOUND} {FOUND}.run")


METADATA = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db"
"""Where containerd keeps what its containers were made of."""

FILE_MARKER = "m4rker-0f-a-file"


@pytest.fixture
def given_as_file(bench: Bench) -> Iterator[Bench]:
    """The droplet with A live, and B on its way with a secret of its own as a file."""
    bench.machine.write(PATTERNS, FILE_MARKER)
    bench.one(bench.release("A")).ok()
    yield bench
    bench.clean()
    bench.sh(f"rm -f {PATTERNS}; rm -rf /run/greenlight /var/lib/greenlight/api/secrets")


def look_inside(bench: Bench, name: str) -> list[str]:
    """What the container sees of its file: type of file system, mode, user, content."""
    path = "/run/secrets/SAMPLE_API_TOKEN"
    script = f"stat -f -c %T {path}; stat -c '%a %u' {path} /run/secrets; cat {path}"
    return bench.sh(f'docker exec {name} sh -c "{script}"').split()


def test_a_secret_that_is_given_as_a_file_is_in_no_environment(given_as_file: Bench) -> None:
    bench = given_as_file
    secrets = {"SAMPLE_API_TOKEN": FILE_MARKER}
    options: dict[str, Any] = {"secrets": secrets, "secret_files": True}
    good = bench.one(bench.release("B", **options)).ok()
    assert not bench.one(bench.release("B", **options)).ok().changed
    name, release = good["live"]["name"], good["live"]["release"]
    inside = bench.inside(bench.containers()[name])
    assert inside["SAMPLE_API_TOKEN_FILE"] == "/run/secrets/SAMPLE_API_TOKEN"
    assert "SAMPLE_API_TOKEN" not in inside
    user = bench.sh(f"docker exec {name} id -u").strip()
    seen = ["tmpfs", "400", user, "500", user, FILE_MARKER]
    assert look_inside(bench, name) == seen
    other = f"docker exec -u 12345 {name} cat /run/secrets/SAMPLE_API_TOKEN"
    assert "denied" in bench.sh(other, check=False)
    write = f"docker exec {name} sh -c 'echo x > /run/secrets/x'"
    assert "Read-only" in bench.sh(write, check=False)

    kept = f"/var/lib/greenlight/api/secrets/{release}.json"
    laid_out = f"/run/greenlight/secrets/api/{release}/SAMPLE_API_TOKEN"
    assert set(searched(bench.machine).split()) == {kept, laid_out}
    path = f"setpriv --reuid {user} --clear-groups cat {laid_out}"
    assert "denied" in bench.sh(path, check=False), "a user of the host with the same number"

    # /run is empty after a reboot, and nobody is there who knows the secret.
    reboot(bench)
    end = time.monotonic() + 60
    while bench.serving() != sha("B"):
        assert time.monotonic() < end, bench.sh("systemctl status greenlight-secrets", check=False)
        time.sleep(0.5)
    assert look_inside(bench, name) == seen
    bench.machine.write(PATTERNS, FILE_MARKER)
    assert set(searched(bench.machine).split()) == {kept, laid_out}

    bench.one(bench.release("C", **options, health={"status": [299], "deadline": 1}))
    bench.one(bench.release("A", secrets={"SAMPLE_API_TOKEN": "another one"})).ok()
    bench.one(bench.release("C", secrets={"SAMPLE_API_TOKEN": "another one"})).ok()
    assert searched(bench.machine).split() == [], "it goes with its container"


def run_loudly(bench: Bench) -> list[Played]:
    """A release that ends well, one that does not, and two refusals, all at -vvv."""
    secrets = {"SAMPLE_API_TOKEN": MARKER}
    health = {"expect": "status == 'impossible'", "deadline": 1}
    good = bench.release("B", secrets=secrets)
    return [
        bench.played(
            good,
            bench.release("C", secrets=secrets, health=health),
            bench.release("F", secrets=secrets, registry_password=WRONG),
            bench.release("xyz", secrets=secrets, registry_password=WRONG),
            Call(good.module, {**good.args, "env": {"X": "1"}}, check=True),
            Call("release_info", {"app": "api"}),
            Call("ansible.builtin.setup", {"gather_subset": ["!all", "min", "env", "local"]}),
            arguments=("-vvv",),
        )
    ]


def searched(machine: Machine) -> str:
    """The files on the droplet that hold a pattern, one a line."""
    places = " ".join(PLACES)
    files = machine.sh(f"grep -rlaF -s -f {PATTERNS} {places} || true")
    journal = machine.sh(f"journalctl --no-pager -o verbose | grep -aF -f {PATTERNS} || true")
    logins = machine.sh("find / -xdev -name config.json -path '*.docker*' 2>/dev/null || true")
    return files + journal + logins


def test_a_secret_is_in_its_container_and_nowhere_else(planted: Bench) -> None:
    bench = planted
    (played,) = run_loudly(bench)
    good, broken, refused, malformed, *_rest = played.results
    assert good.ok()["live"]["sha"] == sha("B")
    assert "failed at step 'gate'" in broken.msg
    assert "HTTP 401" in refused.msg
    assert "not a git SHA" in malformed.msg
    results = json.dumps([result.raw for result in played.results])
    for secret in (MARKER, WRONG, bench.password):
        assert secret not in played.output
        assert secret not in results

    samples = bench.sh(f"rm {FOUND}.run; sleep 0.1; cat {FOUND}")
    assert samples == ""
    # Docker keeps a container's environment in that container's own file, and containerd the same
    # for itself, readable by root alone: this is where the application's secrets must be, and the
    # registry's password is not among them.
    live, standby = good["live"]["name"], good["standby"]["name"]
    assert MARKER in bench.inside(bench.containers()[live]).values()
    assert bench.password not in bench.inside(bench.containers()[standby]).values()
    identifier = bench.containers()[live]["Id"]
    own = f"/var/lib/docker/containers/{identifier}/config.v2.json"
    running = f"/run/containerd/io.containerd.runtime.v2.task/moby/{identifier}/config.json"
    assert set(searched(bench.machine).split()) == {own, METADATA, running}
    assert bench.sh(f"stat -c '%a %U' {own}").split() == ["600", "root"]
    for path in (METADATA, running):
        assert "denied" in bench.sh(f"setpriv --reuid 10001 --clear-groups cat {path}", check=False)
    image = bench.sh(
        f"docker image inspect greenlight/api:{sha('B')}; docker image history "
        f"--no-trunc greenlight/api:{sha('B')}"
    )
    assert MARKER not in image


def test_a_secret_that_the_application_tells_is_hidden_before_it_is_cut(bench: Bench) -> None:
    """Its last words have the value, which is longer than what an error shows of a line."""
    bench.one(bench.release("A")).ok()
    played = bench.played(
        bench.release("C", secrets={"SAMPLE_START_SECONDS": f"{MARKER}{'x' * 400}"}),
        arguments=("-vvv",),
    )
    (broken,) = played.results
    assert "could not convert string to float: '********'" in broken.msg
    assert MARKER not in played.output
    assert MARKER not in json.dumps(broken.raw)


def test_the_sampler_and_the_search_find_what_is_there(planted: Bench) -> None:
    bench = planted
    bench.machine.write("/var/tmp/planted", f"a line with {WRONG} in it")
    try:
        bench.sh(f"sh -c 'sleep 0.5; : {WRONG}'")
        assert "/cmdline" in bench.sh(f"rm {FOUND}.run; sleep 0.1; cat {FOUND}")
        assert "/var/tmp/planted" in searched(bench.machine)
    finally:
        bench.sh("rm /var/tmp/planted")
