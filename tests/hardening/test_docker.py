# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a released container may do, what it leaves on the host, and which engines are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from dev import settings
from dev.sample_versions import VERSIONS
from tests.hardening.droplets import ROOT, Droplet, changed

REPOSITORY = "hardening"
SECRET = "marker-of-the-hardening-tests-5711"
USER = 10001
FORGET = (
    "docker ps -aq --filter label=greenlight.app=api | xargs -r docker rm -f;"
    " cd /var/lib/greenlight/api && rm -f journal* && echo > live.map && systemctl restart haproxy"
)


@dataclass(frozen=True)
class Released:
    """A droplet with a release, and the container that serves it."""

    droplet: Droplet
    password: str = field(repr=False)
    container: str
    pid: int

    def run(self, program: str) -> tuple[int, str]:
        """Run a Python program in the container, as its own user."""
        return self.droplet.try_inside(
            f"docker exec -i {self.container} python3 - <<'END'\n{program}\nEND"
        )

    def inspect(self) -> dict[str, Any]:
        """Docker's description of the container."""
        found: list[dict[str, Any]] = json.loads(
            self.droplet.inside(f"docker inspect {self.container}")
        )
        return found[0]


def release(droplet: Droplet, name: str, password: str, **variables: Any) -> tuple[int, str]:
    """Release a version of the sample API; return the exit code and the output."""
    values = {
        "app_image": f"{settings.REGISTRY_HOST}:5000/{REPOSITORY}",
        "app_registry_username": settings.REGISTRY_USER,
        "app_registry_password": password,
        "app_registry_plain_http": True,
        "app_secrets": {"SAMPLE_API_TOKEN": SECRET},
        "app_health": {"expect": "status == 'healthy'", "deadline": 15},
        "app_watch": {"seconds": 0},
        "app_tag": VERSIONS[name].sha,
        **variables,
    }
    words = ("-e", f"sha={VERSIONS[name].sha}")
    done = droplet.play("update-api", *words, variables=values)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def released(whole_droplet: Droplet) -> Iterator[Released]:
    """The droplet after a release with the defaults of every option of the container.

    Afterwards no release is live on it, as other tests expect.
    """
    words = ["build", "A", "--push", "--application", REPOSITORY]
    subprocess.run([sys.executable, "-m", "dev.sample_api", *words], cwd=ROOT, check=True)
    password = (settings.STATE / "registry_password").read_text(encoding="utf-8").strip()
    code, text = release(whole_droplet, "A", password)
    assert code == 0, text
    container = whole_droplet.inside("docker ps -q --filter label=greenlight.app=api").strip()
    pid = whole_droplet.inside(f"docker inspect -f '{{{{.State.Pid}}}}' {container}")
    yield Released(whole_droplet, password, container, int(pid))
    whole_droplet.inside(FORGET)


def test_container_has_no_rights_in_the_eyes_of_the_kernel(released: Released) -> None:
    text = released.droplet.inside(f"cat /proc/{released.pid}/status")
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert set(status["Uid"].split() + status["Gid"].split()) == {str(USER)}
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_container_has_limits(released: Released) -> None:
    limits = released.droplet.inside(f"cat /proc/{released.pid}/limits")
    found = {line[:25].strip(): line[26:].split()[:2] for line in limits.splitlines()[1:]}
    assert found["Max core file size"] == ["0", "0"]
    assert found["Max open files"] == ["16384", "16384"]
    assert found["Max processes"] == ["4096", "4096"]


# What docker-bench-security looks at in section 5, and what it wants.
HOST_CONFIG: list[tuple[str, Any]] = [
    ("Privileged", False),
    ("CapAdd", None),
    ("CapDrop", ["ALL"]),
    ("SecurityOpt", ["no-new-privileges:true"]),
    ("ReadonlyRootfs", True),
    ("Memory", 512 * 1024 * 1024),
    ("MemorySwap", 512 * 1024 * 1024),
    ("CpuShares", 512),
    ("PidsLimit", 512),
    ("PortBindings", None),
    ("PublishAllPorts", False),
    ("Binds", None),
    ("Devices", None),
    ("IpcMode", "private"),
    ("PidMode", ""),
    ("UTSMode", ""),
    ("UsernsMode", ""),
    ("CgroupParent", ""),
    ("Init", True),
]


@pytest.mark.parametrize(("name", "wanted"), HOST_CONFIG)
def test_docker_was_told(released: Released, name: str, wanted: object) -> None:
    assert released.inspect()["HostConfig"][name] == wanted


def test_container_writes_in_memory_alone_and_runs_nothing_there(released: Released) -> None:
    code, text = released.run("open('/srv/x', 'w')")
    assert code != 0
    assert "Read-only file system" in text
    write = "import os; open('/tmp/x', 'w').write('#!/bin/sh'); os.chmod('/tmp/x', 0o755)"
    code, text = released.run(f"{write}; os.execv('/tmp/x', ['x'])")
    assert code != 0
    assert "Permission denied" in text


def test_container_does_not_see_the_engine(released: Released) -> None:
    program = "import glob; print(glob.glob('/run/*.sock') + glob.glob('/var/run/*.sock'))"
    assert released.run(program) == (0, "[]\n")


def test_containers_on_one_network_do_not_meet(released: Released) -> None:
    image = released.inspect()["Image"]
    serve = "python3 -m http.server 3002 --directory /tmp"
    droplet = released.droplet
    droplet.inside(
        f"docker run -d --name other --network greenlight-api --ip 172.31.10.9 {image} {serve}"
    )
    try:
        reach = "import socket; socket.create_connection(('172.31.10.9', 3002), 2)"
        program = f'for i in $(seq 25); do python3 -c "{reach}" && exit 0; sleep 0.2; done; exit 1'
        droplet.inside(program)
        code, text = released.run(reach)
        assert code != 0, text
    finally:
        droplet.inside("docker rm -f other")


PLACES = (
    "/root /home /etc /var/lib/greenlight /var/log /var/tmp /tmp /usr/local /opt /run/greenlight"
)


def test_no_credentials_are_left(released: Released) -> None:
    for value in (released.password, SECRET):
        command = f"grep -rlF -e '{value}' {PLACES} 2>/dev/null; true"
        assert released.droplet.inside(command) == ""
        assert (
            released.droplet.inside(f"journalctl --no-pager | grep -cF -e '{value}'; true") == "0\n"
        )
    assert released.droplet.inside("ls /root/.docker /root/.dockercfg 2>/dev/null; true") == ""


def test_user_of_the_container_owns_nothing_on_the_host(released: Released) -> None:
    places = "/etc /usr /var /opt /home /srv /root /boot"
    command = (
        f"setpriv --reuid {USER} --regid {USER} --clear-groups find {places} -xdev ! -type l"
        " -writable ! '(' -type d -perm -1000 ')' -print 2>/dev/null; true"
    )
    assert released.droplet.inside(command) == ""
    assert released.droplet.try_inside(f"getent passwd {USER}")[0] != 0


def test_container_that_wants_to_be_root_is_refused(released: Released) -> None:
    code, text = release(released.droplet, "A", released.password, app_user="0:0")
    assert code != 0
    assert "app_allow_root: true" in text
    assert released.inspect()["State"]["Running"] is True


UNIT = "/etc/systemd/system/docker.service.d/open.conf"
OPTIONS = "/etc/default/docker"
OPEN: list[tuple[str, str, str]] = [
    (
        f"mkdir -p $(dirname {UNIT}); echo 'Environment=A=\"-H tcp://0.0.0.0:2375\"' > {UNIT}",
        f"rm -r $(dirname {UNIT})",
        UNIT,
    ),
    (
        f"cp {OPTIONS} /root/kept; echo 'DOCKER_OPTS=\"-H 0.0.0.0:2375\"' >> {OPTIONS}",
        f"mv /root/kept {OPTIONS}",
        OPTIONS,
    ),
    ("gpasswd --add ops docker", "gpasswd --delete ops docker", "docker_group_members"),
]


@pytest.fixture(params=OPEN, ids=["unit", "options", "group"])
def opened(request: pytest.FixtureRequest, whole_droplet: Droplet) -> Iterator[str]:
    """The droplet with an engine that others could command; what the refusal has to name."""
    do, undo, name = request.param
    whole_droplet.inside(do)
    yield name
    whole_droplet.inside(undo)


def test_engine_that_others_could_command_is_refused(whole_droplet: Droplet, opened: str) -> None:
    done = whole_droplet.setup()
    assert done.returncode != 0
    assert opened in done.stdout
    assert "Nothing was changed" in done.stdout
    assert changed(done.stdout) == 0
