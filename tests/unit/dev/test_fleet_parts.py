# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure parts of the dev fleet: names, pins, configurations, hashes, the command line."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from dev import (
    balancer,
    bases,
    docker_cli,
    droplets,
    engine,
    fleet,
    images,
    keys,
    packages,
    registry,
    settings,
    shell,
    state,
    steps,
)


def test_addresses_and_ports_are_the_contract() -> None:
    """The inventory relies on these numbers."""
    first, second = droplets.fleet_droplet(1), droplets.fleet_droplet(2)
    assert (first.name, first.port, first.address) == ("api-1", 2221, "10.77.0.11")
    assert (second.name, second.port, second.address) == ("api-2", 2222, "10.77.0.12")
    assert settings.container("api-1") == "greenlight-fleet-api-1"


def test_fixed_addresses_are_distinct() -> None:
    """No droplet of the largest fleet takes the balancer's or the registry's address."""
    numbers = range(1, settings.MAX_FLEET_DROPLETS + 1)
    fixed = [settings.droplet_address(n) for n in numbers]
    fixed += [settings.BALANCER_ADDRESS, settings.REGISTRY_ADDRESS, settings.GATEWAY]
    assert len(set(fixed)) == len(fixed)
    assert all(int(address.rpartition(".")[2]) < 128 for address in fixed)


def test_flags_are_not_privileged_and_drop_sys_resource() -> None:
    """A machine without SYS_RESOURCE can start them; nothing asks for --privileged."""
    flags = " ".join(droplets.HOST_FLAGS)
    assert "--cap-drop SYS_RESOURCE" in flags
    assert "--privileged" not in flags


def test_pin_has_the_port_form_and_replaces_only_its_address() -> None:
    """A new key of one droplet must not touch the other's pin."""
    old = keys.pinned_line("127.0.0.1", 2221, "ssh-ed25519 OLD api-1")
    other = keys.pinned_line("127.0.0.1", 22210, "ssh-ed25519 OTHER x")
    new = keys.pinned_line("127.0.0.1", 2221, "ssh-ed25519 NEW api-1\n")
    assert new == "[127.0.0.1]:2221 ssh-ed25519 NEW\n"
    assert keys.replace_pin(old + other, new) == other + new
    assert keys.replace_pin("", new) == new


def test_ssh_command_checks_the_pin() -> None:
    """Host keys are always checked against the fleet's own file."""
    connection = droplets.Connection("x", "127.0.0.1", 2229, "root", "/k", "/pins", "10.77.0.130")
    command = " ".join(connection.ssh())
    assert "StrictHostKeyChecking=yes" in command
    assert "UserKnownHostsFile=/pins" in command
    assert command.endswith("-i /k -p 2229 root@127.0.0.1")


def test_extra_droplets_have_their_own_pins() -> None:
    """Two runs that start droplets at once do not write one file."""
    assert droplets.Droplet("m1").known_hosts != droplets.fleet_droplet(1).known_hosts


def test_balancer_configuration() -> None:
    """Round robin over the named droplets, health on /v1/health, retries before sending only."""
    text = balancer.render([2, 1])
    assert text.index("api-1 10.77.0.11:3002") < text.index("api-2 10.77.0.12:3002")
    for line in (
        "balance roundrobin",
        "http-check send meth GET uri /v1/health",
        "retry-on conn-failure\n",
    ):
        assert line in text
    assert "cookie" not in text
    assert "stick-table" not in text


def test_registry_client_configuration() -> None:
    """The Docker client finds the user and the password for pushes."""
    document = json.loads(registry.client_config("greenlight", "s3:cret"))
    token = document["auths"]["127.0.0.1:5001"]["auth"]
    assert base64.b64decode(token) == b"greenlight:s3:cret"


def test_inputs_hash_depends_on_every_part() -> None:
    """Any change of any input rebuilds; the order of the parts does not matter."""
    base = images.inputs_hash({"a": "1", "b": "2"})
    assert base == images.inputs_hash({"b": "2", "a": "1"})
    assert base != images.inputs_hash({"a": "1", "b": "3"})
    assert base != images.inputs_hash({"a": "12", "b": ""})


def test_every_image_has_a_dockerfile_and_a_parent() -> None:
    """The build order never meets an image whose parent comes later."""
    known = {"system"}
    for name, parent in images.PARENTS.items():
        assert parent in known
        assert (settings.DOCKERFILES / f"{name}.Dockerfile").is_file()
        known.add(name)


def test_distributions() -> None:
    """The default can be built without a registry; tags have no colon inside."""
    assert bases.DISTRIBUTIONS[bases.DEFAULT_DISTRIBUTION].codename == "bookworm"
    assert images.tag("droplet", bases.DISTRIBUTIONS["ubuntu:24.04"]).endswith(":ubuntu-24.04")


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's keys come with debootstrap, and each package is named once."""
    monkeypatch.setattr(packages, "installed", lambda program: program == "ssh")
    assert packages.missing(["ssh", "docker", "dockerd"]) == ["docker.io"]
    assert packages.missing(["debootstrap"]) == ["debian-archive-keyring", "debootstrap"]


def test_private_file_is_private(tmp_path: Path) -> None:
    """Nobody else reads it, whatever the umask, and an old one is replaced whole."""
    path = tmp_path / "secret"
    old = os.umask(0)
    try:
        state.write_private(path, "long first text")
        state.write_private(path, "two")
    finally:
        os.umask(old)
    assert path.read_text(encoding="utf-8") == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_failed_command_says_what_it_wrote() -> None:
    """The error carries code and output; success returns stdout."""
    assert shell.run(["sh", "-c", "echo out; echo err >&2"]) == "out\n"
    with pytest.raises(shell.CommandError, match=r"exit code 3\nwhy"):
        shell.run(["sh", "-c", "echo why >&2; exit 3"])
    with pytest.raises(shell.CommandError, match="not installed"):
        shell.run(["no-such-program-here"])
    with pytest.raises(shell.CommandError, match=r"no end after 0\.2 s"):
        shell.run(["sleep", "5"], timeout=0.2)


def test_logged_command_fails_with_its_log(tmp_path: Path) -> None:
    """Lines are passed on while it runs, and its failure shows the end of the log."""
    lines: list[str] = []
    with pytest.raises(shell.CommandError, match="two"):
        shell.run_logged(["sh", "-c", "echo one; echo two; exit 1"], tmp_path / "l", lines.append)
    assert lines == ["one", "two"]


def test_start_time_tells_processes_apart() -> None:
    """A pid is only stopped when it is still the process that was started."""
    assert engine._start_time(os.getpid()) is not None
    with subprocess.Popen(["true"]) as child:
        # Ended, and not collected yet: nothing to wait for.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert engine._start_time(child.pid) is None
    assert engine._start_time(child.pid) is None


def test_engine_of_others_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pid file whose process is another one by now must not get that one killed."""
    record = tmp_path / "dockerd.json"
    monkeypatch.setattr(engine, "PID_FILE", record)
    assert "left alone" in engine.stop()
    record.write_text(json.dumps({"pid": os.getpid(), "start_time": "1"}), encoding="utf-8")
    engine.stop()
    assert not record.exists()


def test_step_prints_one_line_and_the_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """A step that raises is marked, and the error goes on."""
    with steps.step("good") as current:
        current.note = "fine"
    with pytest.raises(ValueError, match="broken"), steps.step("bad"):
        raise ValueError("broken")
    good, bad = capsys.readouterr().out.splitlines()
    assert good.startswith("ok")
    assert good.endswith("good: fine")
    assert bad.startswith("FAIL")


@pytest.mark.parametrize("name", ["../x", "a b", "A", "", "x;y", "é"])
def test_droplet_names_are_checked(name: str) -> None:
    """A name becomes part of file and container names."""
    with pytest.raises(SystemExit):
        fleet.parser().parse_args(["droplet", "down", name])


@pytest.mark.parametrize("count", ["-1", "9", "two"])
def test_droplet_count_is_checked(count: str) -> None:
    """The fleet has at most eight droplets."""
    with pytest.raises(SystemExit):
        fleet.parser().parse_args(["up", f"--droplets={count}"])


@pytest.mark.parametrize(
    ("everything", "removed", "network"),
    [
        (False, {"greenlight-fleet-lb", "greenlight-fleet-api-1"}, False),
        (True, {"greenlight-fleet-lb", "greenlight-fleet-api-1", "greenlight-fleet-m"}, True),
    ],
)
def test_down_leaves_the_droplets_of_tests(
    everything: bool,
    removed: set[str],
    network: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Taking the fleet down does not take away a droplet that a test runs beside it."""
    roles = {"lb": "balancer", "api-1": "droplet", "m": "extra"}
    there = {f"greenlight-fleet-{name}": role for name, role in roles.items()}
    calls: list[tuple[str, ...]] = []

    def ours(kind: str, *filters: str) -> list[str]:
        if kind == "network":
            return ["greenlight-fleet"]
        wanted = [item.rpartition("=")[2] for item in filters]
        return [name for name, role in there.items() if not wanted or role in wanted]

    def docker(*arguments: str) -> str:
        calls.append(arguments)
        if arguments[0] == "container":
            for name in arguments[4:]:
                there.pop(name)
        return ""

    monkeypatch.setattr(settings, "STATE", tmp_path)
    monkeypatch.setattr(docker_cli, "ours", ours)
    monkeypatch.setattr(docker_cli, "docker", docker)
    fleet._remove_machines(everything=everything)
    assert set(calls[0][4:]) == removed
    assert (("network", "rm", "greenlight-fleet") in calls) is network


def test_images_without_a_name_are_removed_by_their_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer build or push takes the name from an older image, which has to go as well."""
    push = settings.REGISTRY_PUSH
    named = f"{push}/api:a sha256:1\n{push}/api:<none> sha256:2\n{push}/integration:<none> sha256:2"
    removed: list[str] = []

    def docker(*arguments: str) -> str:
        if arguments[1] == "rm":
            removed.extend(arguments[3:])
            return ""
        return "<none>:<none> sha256:3" if "dangling=true" in arguments else named

    monkeypatch.setattr(docker_cli, "docker", docker)
    assert images.remove_all() == removed == [f"{push}/api:a", "sha256:2", "sha256:3"]


def test_a_free_port_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a listener's, nor that of a droplet that is off; none left is said."""
    monkeypatch.setattr(settings, "STATE", tmp_path)
    (tmp_path / "off.json").write_text('{"name": "off", "port": 2990}', encoding="utf-8")
    (tmp_path / "dockerd.json").write_text('{"pid": 1}', encoding="utf-8")
    monkeypatch.setattr(droplets, "_can_listen", lambda port: port != 2991)
    monkeypatch.setattr(settings, "FREE_PORTS", range(2990, 2993))
    assert droplets.free_port() == 2992
    monkeypatch.setattr(settings, "FREE_PORTS", range(2990, 2992))
    with pytest.raises(droplets.DropletError, match="no port from 2990 to 2991 is free"):
        droplets.free_port()
    with socket.socket() as taken:
        taken.bind((droplets.LOOPBACK, 0))
        taken.listen()
        monkeypatch.undo()
        assert not droplets._can_listen(taken.getsockname()[1])


def test_the_names_of_test_droplets_have_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs on one fleet have droplets of their own."""
    monkeypatch.setattr(settings, "TEST_PREFIX", "mine-")
    assert settings.prefixed("crash") == "mine-crash"
