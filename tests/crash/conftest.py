# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A droplet to crash, set up by setup-api.yml, and one beside it from which the load comes.

The first comes from the image of dev/set_up.py. GREENLIGHT_KEEP=1 leaves both in place at the end.
GREENLIGHT_CRASH=all crashes at every point, a number at so many of each action and kind.
GREENLIGHT_CRASH_RESULTS names a file that gets one JSON line for each crash as it happens.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from dev import docker_cli, set_up, settings
from tests.crash.matrix import Matrix
from tests.crash.report import Row, table
from tests.crash.target import Target
from tests.integration.support.ansible import Ansible, inventory
from tests.integration.support.bench import REPOSITORY
from tests.integration.support.machine import Machine, fleet

DROPLET, CLIENT = settings.prefixed("crash"), settings.prefixed("crash-client")
VERSIONS = ("A", "B", "C", "D")
KEEP = os.environ.get("GREENLIGHT_KEEP") == "1"
ROWS = pytest.StashKey[list[Row]]()


@pytest.fixture(scope="session")
def machines() -> Iterator[dict[str, Machine]]:
    """Both droplets, and the registry with the versions that are released."""
    registry = docker_cli.inspect("container", settings.container("registry"))
    if registry is None or not registry["State"]["Running"]:
        fleet("up", "--droplets", "0")
    try:
        fleet("droplet", "up", DROPLET, "--from", "set-up")
        fleet("droplet", "up", CLIENT)
        arguments = ("build", *VERSIONS, "--push", "--application", REPOSITORY)
        fleet(*arguments, module="dev.sample_api")
        with tempfile.TemporaryDirectory(prefix="ssh-") as sockets:
            yield {name: Machine(name, sockets) for name in (DROPLET, CLIENT)}
    finally:
        if not KEEP:
            for name in (DROPLET, CLIENT):
                fleet("droplet", "down", name)


@pytest.fixture(scope="session")
def target(
    machines: dict[str, Machine], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """The droplet to crash, set up; the client's host is its load balancer."""
    hosts = inventory(list(machines.values()), set_up.variables())
    ansible = Ansible(tmp_path_factory.mktemp("ansible"), hosts)
    with Target(DROPLET, machines[CLIENT], ansible) as found:
        found.install()
        yield found


@pytest.fixture(scope="session")
def matrix(target: Target, pytestconfig: pytest.Config) -> Matrix:
    """The crashes; their rows are printed at the end of the run, and written down at once."""
    rows = pytestconfig.stash.setdefault(ROWS, [])
    name = os.environ.get("GREENLIGHT_CRASH_RESULTS")
    if name:
        Path(name).write_text("", encoding="utf-8")

    def report(row: Row) -> None:
        rows.append(row)
        if name:
            with Path(name).open("a", encoding="utf-8") as stream:
                stream.write(f"{json.dumps(asdict(row))}\n")

    return Matrix(target, report)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what became of each crash."""
    rows = config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("crashes")
        for line in table(rows):
            terminalreporter.write_line(line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder needs Docker and the fleet's registry, and takes its time."""
    here = Path(__file__).resolve().parent
    for item in items:
        if here in item.path.parents:
            for mark in (pytest.mark.docker, pytest.mark.fleet, pytest.mark.slow):
                item.add_marker(mark)
