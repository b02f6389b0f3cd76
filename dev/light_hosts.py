# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Up to 32 light test hosts for releases over many hosts: `python -m dev.light_hosts up 16`.

A light host is a container with its own sshd, HAProxy, files and Python, without systemd. All of
them live inside one machine (a container that boots systemd), share its network, and are told apart
by an application of their own. Each has a stand-in for an engine of its own (dev/light_engine.py),
or all share the machine's real one. So everything they make (containers, networks, images) is
inside that one machine, and goes with it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence

from dev import (
    bases,
    demo_process,
    docker_cli,
    images,
    keys,
    light_images,
    settings,
    state,
)
from dev import light_inventory as inventory
from dev.docker_cli import docker
from dev.droplets import HOST_FLAGS, LOOPBACK
from dev.engine import default_mtu
from dev.registry import password
from dev.shell import CommandError, run_logged
from dev.steps import step

NAME = "light"
CONTAINER = settings.container(NAME)
VOLUME = f"{CONTAINER}-docker"
FOLDER = "/srv/light"
"""What the machine shows to all its light hosts: keys, the start script, their logs."""
CATALOGUE = f"{FOLDER}/images.json"
"""What can be pulled from the stand-ins: Docker's own descriptions of real images."""
STAND_IN = "light-engine.service"
ENGINE_SECONDS = 60.0
READY_SECONDS = 30.0
START_SECONDS = 120.0
# How many containers start at once; the engine does little of that in parallel.
STARTS_AT_ONCE = 4
SET_UPS_AT_ONCE = 8
IMAGES = ("api", inventory.REPOSITORY)

START_SCRIPT = f"""\
#!/bin/sh
# sshd on the port that is given, then HAProxy as soon as set-up has written its configuration.
set -e
mkdir -p /run/sshd /run/haproxy
install -m 600 {FOLDER}/authorized_keys /root/.ssh/authorized_keys
install -m 600 {FOLDER}/ssh_host_ed25519_key /etc/ssh/
/usr/sbin/sshd -p "$1" -o LogLevel=VERBOSE -E "{FOLDER}/log/$(hostname).log"
until [ -e /etc/haproxy/haproxy.cfg ]; do sleep 0.2; done
exec haproxy -W -db -f /etc/haproxy/haproxy.cfg
"""


class LightHostError(RuntimeError):
    """The light hosts, or the machine they live on, did not come up."""


def inside(script: str, *, input_text: str | None = None, timeout: float = 60) -> str:
    """Run a shell script on the machine of the light hosts; return what it wrote."""
    command = ("exec", "-i", CONTAINER, "sh", "-ec", script)
    return docker(*command, input_text=input_text, timeout=timeout)


def _create(distribution: bases.Distribution) -> None:
    """Create the machine, not started, with its engine's settings and everybody's keys."""
    labels = docker_cli.label_arguments(settings.EXTRA_ROLE, NAME)
    docker("volume", "create", *labels, VOLUME)
    first, last = inventory.port_of(1), inventory.port_of(inventory.LIMIT)
    docker(
        *("container", "create", "--name", CONTAINER, "--hostname", NAME, *labels, *HOST_FLAGS),
        *("--volume", f"{VOLUME}:/var/lib/docker", "--network", settings.NETWORK),
        *("--publish", f"{LOOPBACK}:{first}-{last}:{first}-{last}"),
        *("--add-host", f"{settings.REGISTRY_HOST}:{settings.REGISTRY_ADDRESS}"),
        images.tag(light_images.ENGINE, distribution),
    )


def _copy_in() -> None:
    """Give the machine what its engine and its light hosts start with."""
    engine = {
        "insecure-registries": [f"{settings.REGISTRY_HOST}:5000"],
        "mtu": default_mtu(),
        "userland-proxy": False,
        "no-new-privileges": True,
    }
    restart = settings.ROOT / "roles" / "docker" / "files" / "restart.conf"
    programs = {
        f"{FOLDER}/dev/{name}": (0o644, (settings.ROOT / "dev" / name).read_text("utf-8"))
        for name in ("__init__.py", "light_engine.py", "light_engine_server.py")
    }
    files = {
        **programs,
        "/etc/docker/daemon.json": (0o644, json.dumps(engine, indent=2) + "\n"),
        "/etc/systemd/system/docker.service.d/restart.conf": (0o644, restart.read_text("utf-8")),
        f"{FOLDER}/start": (0o755, START_SCRIPT),
        f"{FOLDER}/authorized_keys": (0o600, keys.login_public_key()),
        f"{FOLDER}/ssh_host_ed25519_key": (0o600, keys.ensure_host_key(NAME).read_text("utf-8")),
    }
    for path, (mode, text) in files.items():
        inside(f"install -D -m {mode:o} /dev/stdin {path}", input_text=text)
    inside(f"mkdir -p {FOLDER}/log; systemctl daemon-reload; systemctl restart docker.service")


def _wait(what: str, seconds: float, is_there: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > end:
            raise LightHostError(f"{what}: not there after {seconds:.0f} s")
        time.sleep(0.3)


def _answers(script: str) -> bool:
    try:
        inside(script, timeout=20)
    except CommandError:
        return False
    return True


def _start_machine(distribution: bases.Distribution) -> str:
    """Create and start the machine, with the hosts' image in its engine; say what was done."""
    found = docker_cli.inspect("container", CONTAINER)
    if found is not None and found["State"]["Running"]:
        return "already running"
    if found is None:
        _create(distribution)
    docker("container", "start", CONTAINER)
    _wait("systemd of the light hosts' machine", ENGINE_SECONDS, lambda: _answers("systemctl -q"))
    _copy_in()
    _wait("the light hosts' engine", ENGINE_SECONDS, lambda: _answers("docker info"))
    _load_images(distribution)
    return "created" if found is None else "started again"


def _load_images(distribution: bases.Distribution) -> None:
    """Carry the hosts' image over, and log in to the registry for the pulls to come."""
    archive = settings.STATE / "light-host.tar"
    try:
        light_images.save(distribution, archive)
        docker("cp", str(archive), f"{CONTAINER}:/var/tmp/light-host.tar")
    finally:
        archive.unlink(missing_ok=True)
    inside("docker load -q -i /var/tmp/light-host.tar; rm /var/tmp/light-host.tar", timeout=120)
    login = (
        f"docker login -u {settings.REGISTRY_USER} --password-stdin {settings.REGISTRY_HOST}:5000"
    )
    inside(login, input_text=password())


def _socket_of(number: int) -> str:
    """Path on the machine of the socket of a light host's stand-in."""
    return f"{FOLDER}/engines/{inventory.name_of(number)}.sock"


def _start_stand_ins() -> None:
    """Start a stand-in for an engine for each light host that there may be, unless they run."""
    sockets = [_socket_of(number) for number in range(1, inventory.LIMIT + 1)]
    program = shlex.join(["python3", "-m", "dev.light_engine_server", CATALOGUE, *sockets])
    inside(
        f"systemctl is-active -q {STAND_IN} || {{ mkdir -p {FOLDER}/engines;"
        f" systemd-run -q --collect --unit={STAND_IN} --working-directory={FOLDER} {program}; }}"
    )
    _wait("the stand-ins for engines", READY_SECONDS, lambda: _answers(f"test -S {sockets[-1]}"))


def _start_hosts(count: int, distribution: bases.Distribution, *, shared_engine: bool) -> None:
    """Start the light hosts that do not run yet; those that do are left alone."""
    image = images.tag(light_images.HOST, distribution)
    numbers = range(1, count + 1)
    hosts = "\n".join(
        f"{inventory.name_of(n)} {inventory.port_of(n)}"
        f" {'/var/run/docker.sock' if shared_engine else _socket_of(n)}"
        for n in numbers
    )
    # As root on a host, they may see which process listens on a port.
    start = (
        'docker start "$1" 2>/dev/null || docker run -d --init --network host --cap-add SYS_PTRACE'
        ' --name "$1" --hostname "$1" -v "$3:/var/run/docker.sock"'
        f' -v {FOLDER}:{FOLDER} {shlex.quote(image)} {FOLDER}/start "$2"'
    )
    script = f"xargs -P {STARTS_AT_ONCE} -L 1 sh -c {shlex.quote(start)} start"
    inside(script, input_text=hosts + "\n", timeout=START_SECONDS)


def _write_inventory(count: int, groups: Sequence[int]) -> None:
    """Write the inventory and pin the one host key that all light hosts show."""
    inventory.KNOWN_HOSTS.parent.mkdir(mode=0o700, exist_ok=True)
    key = keys.ensure_host_key(NAME).with_suffix(".pub").read_text(encoding="utf-8")
    ports = [inventory.port_of(number) for number in range(1, count + 1)]
    pins = "".join(keys.pinned_line(LOOPBACK, port, key) for port in ports)
    state.write_private(inventory.KNOWN_HOSTS, pins)
    text = inventory.render(count, groups, settings.REGISTRY_PASSWORD)
    state.write_private(inventory.PATH, text)


def _set_up(count: int, on_line: Callable[[str], None]) -> None:
    """Run the set-up that light hosts can take, then wait until every HAProxy listens."""
    command = [str(demo_process.BIN / "ansible-playbook"), "-i", str(inventory.PATH)]
    command += ["--forks", str(SET_UPS_AT_ONCE), str(settings.ROOT / "dev" / "light_set_up.yml")]
    run_logged(command, settings.LOGS / "light-set-up.log", on_line)
    ports = " ".join(str(inventory.application_port(n)) for n in range(1, count + 1))
    script = f'for port in {ports}; do bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"; done'
    _wait("HAProxy of the light hosts", READY_SECONDS, lambda: _answers(script))


def prepare_images(shas: Sequence[str]) -> None:
    """Have versions of the sample application ready to release, as repository `light-api`.

    They are the fleet registry's images without their health check of Docker's own: that is a
    Python process in every container each ten seconds, which hosts with processors of their own
    would not notice and 32 hosts on one machine do.
    """
    for sha in shas:
        source, target = (f"{settings.REGISTRY_HOST}:5000/{name}:{sha}" for name in IMAGES)
        inside(f"docker pull -q {source}", timeout=120)
        dockerfile = f"FROM {source}\nHEALTHCHECK NONE\n"
        inside(f"docker build -q -t {target} -", input_text=dockerfile, timeout=120)
        inside(f"docker push -q {target}", timeout=120)
    targets = " ".join(
        f"{settings.REGISTRY_HOST}:5000/{inventory.REPOSITORY}:{sha}" for sha in shas
    )
    inside(f"docker image inspect {targets} > {CATALOGUE}.new; mv {CATALOGUE}.new {CATALOGUE}")


def up(
    count: int,
    groups: Sequence[int] = (),
    distribution: bases.Distribution = bases.DISTRIBUTIONS[bases.DEFAULT_DISTRIBUTION],
    *,
    shared_engine: bool = False,
) -> None:
    """Bring up light hosts 1 to `count`, ready for releases; safe to repeat.

    The inventory gets a group `first_<n>` for each n in `groups`. With `shared_engine` all hosts
    use the machine's one real engine; which it is stays as it is until they are taken down. Needs
    the fleet's network and registry. Raises CountError, CommandError, LightHostError.
    """
    inventory.check_count(count)
    with state.lock():
        light_images.ensure(distribution)
        with step("machine of the light hosts") as current:
            current.note = _start_machine(distribution)
    with step(f"{count} light hosts"):
        _start_stand_ins()
        _start_hosts(count, distribution, shared_engine=shared_engine)
        _write_inventory(count, groups)
    with step("set-up of the light hosts") as current:
        _set_up(count, current.detail)


def down() -> bool:
    """Remove the light hosts with all that they have made; False when there were none."""
    there = docker_cli.inspect("container", CONTAINER) is not None
    if there:
        docker_cli.remove_container(CONTAINER)
    if docker_cli.inspect("volume", VOLUME) is not None:
        docker("volume", "rm", VOLUME)
    for path in (inventory.PATH, inventory.KNOWN_HOSTS):
        path.unlink(missing_ok=True)
    return there


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; errors end in one readable message."""
    parser = argparse.ArgumentParser(prog="python -m dev.light_hosts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    upper = commands.add_parser("up", help="start light hosts and make them ready for releases")
    upper.add_argument("count", type=int, help=f"1 to {inventory.LIMIT}")
    upper.add_argument("--shared-engine", action="store_true", help="one real engine for all")
    commands.add_parser("down", help="remove them with all that they have made")
    options = parser.parse_args(arguments)
    try:
        if options.command == "up":
            up(options.count, [options.count], shared_engine=options.shared_engine)
        else:
            print("removed" if down() else "there were none")
    except (CommandError, LightHostError, inventory.CountError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
