# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One droplet of our own with real Docker and HAProxy, set up by setup-api.yml, and a bare one.

The first comes from the image of dev/set_up.py. GREENLIGHT_KEEP=1 leaves both in place at the end.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import docker_cli, set_up, settings
from dev.sample_api import image
from tests.integration.support.ansible import Ansible, inventory
from tests.integration.support.bench import REPOSITORY, Bench, sha
from tests.integration.support.machine import Machine, fleet

DROPLET, BARE = settings.prefixed("integration"), settings.prefixed("integration-bare")
KEEP = os.environ.get("GREENLIGHT_KEEP") == "1"


@pytest.fixture(scope="session")
def machines() -> Iterator[dict[str, Machine]]:
    """Both droplets, and the registry with all versions of the sample API."""
    fleet("up", "--droplets", "0")
    try:
        fleet("droplet", "up", DROPLET, "--from", "set-up")
        fleet("droplet", "up", BARE)
        fleet("build", "all", "--push", "--application", REPOSITORY, module="dev.sample_api")
        _push_short_tag("A")
        # A short path: that of a socket has at most 107 bytes.
        with tempfile.TemporaryDirectory(prefix="ssh-") as sockets:
            yield {name: Machine(name, sockets) for name in (DROPLET, BARE)}
    finally:
        if not KEEP:
            for name in (DROPLET, BARE):
                fleet("droplet", "down", name)


def _push_short_tag(name: str) -> None:
    """Give a version a second tag in the registry, of the form sha-<short>."""
    full = image(sha(name), REPOSITORY)
    short = f"{full.rpartition(':')[0]}:sha-{sha(name)[:7]}"
    docker_cli.docker("tag", full, short)
    docker_cli.docker("--config", str(settings.DOCKER_CONFIG), "push", "-q", short)


@pytest.fixture(scope="session")
def ansible(machines: dict[str, Machine], tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """Ansible with an inventory of our two droplets."""
    folder = tmp_path_factory.mktemp("ansible")
    return Ansible(folder, inventory(list(machines.values()), set_up.variables()))


@pytest.fixture(scope="session")
def whole_bench(machines: dict[str, Machine], ansible: Ansible) -> Iterator[Bench]:
    """The droplet, set up."""
    password = settings.REGISTRY_PASSWORD.read_text(encoding="utf-8").strip()
    bench = Bench(machines[DROPLET], ansible, password)
    bench.install()
    yield bench
    bench.direct.close()


@pytest.fixture
def bench(whole_bench: Bench) -> Bench:
    """The droplet with no release on it."""
    whole_bench.clean()
    return whole_bench


@pytest.fixture(scope="session")
def bare(machines: dict[str, Machine]) -> Machine:
    """A droplet that was never set up."""
    return machines[BARE]


@pytest.fixture(scope="session")
def front(machines: dict[str, Machine], whole_bench: Bench) -> Iterator[str]:
    """URL of the application as its load balancer's host reaches it: over the network, via UFW."""
    address = whole_bench.machine.address
    with machines[BARE].tunnel(address, settings.APPLICATION_PORT) as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder needs Docker and the fleet's registry."""
    here = Path(__file__).resolve().parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.fleet)
