# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, stop and look at the dev fleet: `python -m dev.fleet up`."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence

from dev import (
    balancer,
    bases,
    docker_cli,
    droplets,
    engine,
    images,
    keys,
    network,
    packages,
    registry,
    set_up,
    settings,
    state,
)
from dev.shell import CommandError, as_root, run
from dev.steps import step

ERRORS = (
    CommandError,
    engine.EngineError,
    droplets.DropletError,
    balancer.BalancerError,
    registry.RegistryError,
)


def fleet_numbers() -> list[int]:
    """Numbers of the fleet's droplets that exist, running or not."""
    names = docker_cli.ours("container", f"label={settings.ROLE_LABEL}=droplet")
    return sorted(int(name.rpartition("-")[2]) for name in names)


def _prepare(distribution: bases.Distribution, names: list[str] | None = None) -> None:
    """What every machine of the fleet stands on: programs, engine, keys, images, network."""
    with step("programs") as current:
        packages.ensure(["ssh", "ssh-keygen"], current)
    with step("Docker engine") as current:
        engine.ensure(current)
    with step("key pair") as current:
        current.note = "made" if keys.ensure_login_key() else "already there"
    _remove_strangers()
    images.ensure(distribution, names)
    with step(f"network {settings.SUBNET}") as current:
        current.note = "made" if network.ensure() else "already there"


def _remove_strangers() -> None:
    """Make room: names and ports are shared by all checkouts on this machine, keys are not."""
    machines = docker_cli.strangers("container")
    volumes = docker_cli.strangers("volume")
    if not machines and not volumes:
        return
    with step("machines of another checkout") as current:
        for name in machines:
            docker_cli.remove_container(name)
        for name in volumes:
            docker_cli.docker("volume", "rm", "--force", name)
        current.note = f"removed {', '.join(_short(name) for name in machines) or 'volumes'}"


def up(distribution: bases.Distribution, count: int) -> None:
    """Bring up `count` droplets, the registry and the load balancer; safe to repeat."""
    began = time.monotonic()
    with state.lock():
        _prepare(distribution)
        with step("registry") as current:
            current.note = registry.ensure(distribution)
        wanted = [droplets.fleet_droplet(number) for number in range(1, count + 1)]
        connections = []
        for droplet in wanted:
            with step(f"droplet {droplet.name}") as current:
                connection, current.note = droplets.start(droplet, distribution)
                connections.append(connection)
        for connection in connections:
            with step(f"boot of {connection.name}") as current:
                droplets.wait_booted(connection)
                current.note = f"SSH answers on {connection.host}:{connection.port}"
        with step("load balancer") as current:
            current.note = balancer.ensure(fleet_numbers(), distribution)
    print(f"The fleet is up after {time.monotonic() - began:.1f} s.", flush=True)


def down(*, everything: bool, with_images: bool, with_engine: bool) -> None:
    """Remove the fleet; with `everything` also the droplets that tests started beside it."""
    with state.lock():
        if not engine.answers():
            print("No Docker engine answers: there is nothing to take down.", flush=True)
        else:
            _remove_machines(everything=everything)
            if with_images:
                with step("images") as current:
                    current.note = f"removed {len(images.remove_all())}"
        if with_engine:
            with step("Docker engine") as current:
                current.note = engine.stop()


def _labelled(kind: str, roles: Sequence[str]) -> list[str]:
    """Names of the containers or volumes with one of these roles."""
    found = [docker_cli.ours(kind, f"label={settings.ROLE_LABEL}={role}") for role in roles]
    return [name for names in found for name in names]


def _remove_machines(*, everything: bool) -> None:
    """Remove containers and volumes, then the network when nothing is left on it."""
    roles = [*settings.FLEET_ROLES, *([settings.EXTRA_ROLE] if everything else [])]
    with step("machines") as current:
        names = _labelled("container", roles)
        if names:
            docker_cli.docker("container", "rm", "--force", "--volumes", *names)
        current.note = f"removed {', '.join(_short(name) for name in names) or 'none'}"
    with step("volumes") as current:
        volumes = _labelled("volume", roles)
        if volumes:
            docker_cli.docker("volume", "rm", *volumes)
        current.note = f"removed {len(volumes)}"
    for name in names:
        (settings.STATE / f"{_short(name)}.json").unlink(missing_ok=True)
    with step("network") as current:
        left = docker_cli.ours("container")
        if left:
            current.note = f"kept for {', '.join(_short(name) for name in left)} (down --all)"
            return
        networks = docker_cli.ours("network")
        if networks:
            docker_cli.docker("network", "rm", *networks)
            network.stop_keeping()
        current.note = f"removed {len(networks)}"


def _short(container: str) -> str:
    """The machine's name in a container's name."""
    return container.removeprefix(f"{settings.PREFIX}-")


def clean() -> None:
    """Remove everything: the fleet, its images, the engine if it was started here, and .fleet."""
    down(everything=True, with_images=True, with_engine=True)
    if settings.STATE.exists():
        with step("folder .fleet") as current:
            # The logs of a dockerd started here belong to root.
            run(as_root(["chown", "-R", str(settings.ROOT.stat().st_uid), str(settings.STATE)]))
            shutil.rmtree(settings.STATE)
            current.note = "removed"


def status() -> int:
    """Print one line per machine; 0 when the whole fleet answers."""
    if not engine.answers():
        print("The fleet is down: no Docker engine answers.")
        return 1
    names = docker_cli.ours("container")
    if not names:
        print("The fleet is down.")
        return 1
    healthy = True
    for name in names:
        found = docker_cli.inspect("container", name)
        if found is None:
            continue
        labels = found["Config"]["Labels"]
        address = found["NetworkSettings"]["Networks"][settings.NETWORK]["IPAddress"]
        ports = found["NetworkSettings"]["Ports"] or {}
        where = ", ".join(
            f"127.0.0.1:{item['HostPort']}" for p in ports.values() for item in p or []
        )
        healthy = healthy and found["State"]["Running"]
        print(
            f"{labels[settings.NAME_LABEL]:<16} {labels[settings.ROLE_LABEL]:<9} "
            f"{found['State']['Status']:<9} {address:<13} {where}"
        )
    return 0 if healthy else 1


def restart(names: list[str]) -> None:
    """Reboot droplets (all of the fleet's when none is named); what is on them stays."""
    chosen = names or [settings.droplet_name(number) for number in fleet_numbers()]
    for name in chosen:
        with step(f"reboot of {name}") as current:
            connection = droplets.reboot(name)
            droplets.wait_booted(connection)
            current.note = f"SSH answers on {connection.host}:{connection.port}"


def droplet_up(name: str, port: int, chosen: bases.Distribution, source: str = "bare") -> None:
    """Bring up a droplet of its own beside the fleet, bare or set up; write .fleet/<name>.json."""
    with state.lock():
        _prepare(chosen, ["droplet"])
    with (
        set_up.image(chosen, wanted=source == "set-up") as image,
        state.lock(),
        step(f"droplet {name}") as current,
    ):
        droplet = droplets.Droplet(name, port)
        connection, current.note = droplets.start(droplet, chosen, image)
    with step(f"boot of {name}") as current:
        droplets.wait_booted(connection)
        current.note = f"SSH answers on {connection.host}:{connection.port}"


def droplet_down(name: str) -> None:
    """Remove one droplet."""
    with step(f"droplet {name}") as current:
        current.note = "removed" if droplets.remove(name) else "there was none"


def _droplet_name(text: str) -> str:
    """Check a name from the command line: it becomes part of container and file names."""
    if not text.isascii() or not text.replace("-", "").isalnum() or text != text.lower():
        raise argparse.ArgumentTypeError("a droplet's name is made of a-z, 0-9 and -")
    return text


def _count(text: str) -> int:
    """Check --droplets."""
    if not text.isdigit() or int(text) > settings.MAX_FLEET_DROPLETS:
        raise argparse.ArgumentTypeError(f"0 to {settings.MAX_FLEET_DROPLETS}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    main_parser = argparse.ArgumentParser(prog="python -m dev.fleet", description=__doc__)
    commands = main_parser.add_subparsers(dest="command", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    choices = sorted(bases.DISTRIBUTIONS)
    shared.add_argument("--distribution", choices=choices, default=bases.DEFAULT_DISTRIBUTION)
    upper = commands.add_parser("up", parents=[shared], help="start the fleet")
    upper.add_argument("--droplets", type=_count, default=2, metavar="N")
    downer = commands.add_parser("down", help="remove the fleet: containers, volumes, network")
    downer.add_argument("--all", action="store_true", help="also droplets beside the fleet")
    downer.add_argument("--images", action="store_true", help="--all, and the images")
    downer.add_argument("--engine", action="store_true", help="--all, and our own dockerd")
    commands.add_parser("status", help="one line per machine")
    restarter = commands.add_parser("restart", help="reboot droplets")
    restarter.add_argument("names", nargs="*", type=_droplet_name)
    commands.add_parser("clean", help="remove all of it, also .fleet")
    one = commands.add_parser("droplet", help="a droplet beside the fleet")
    actions = one.add_subparsers(dest="action", required=True)
    one_up = actions.add_parser("up", parents=[shared])
    one_up.add_argument("name", type=_droplet_name)
    one_up.add_argument(
        "--port", type=int, default=0, help="SSH port on 127.0.0.1, default: a free one"
    )
    one_up.add_argument("--from", dest="source", choices=("bare", "set-up"), default="bare")
    actions.add_parser("down").add_argument("name", type=_droplet_name)
    return main_parser


def dispatch(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    if options.command == "status":
        return status()
    if options.command == "up":
        up(bases.DISTRIBUTIONS[options.distribution], options.droplets)
    elif options.command == "down":
        down(
            everything=options.all or options.images or options.engine,
            with_images=options.images,
            with_engine=options.engine,
        )
    elif options.command == "restart":
        restart(options.names)
    elif options.command == "clean":
        clean()
    elif options.action == "up":
        chosen = bases.DISTRIBUTIONS[options.distribution]
        droplet_up(options.name, options.port, chosen, options.source)
    else:
        droplet_down(options.name)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; errors end in one readable message."""
    options = parser().parse_args(arguments)
    try:
        return dispatch(options)
    except ERRORS as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
