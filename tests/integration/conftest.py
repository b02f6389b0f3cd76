# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One droplet of our own with real Docker and HAProxy, set up by setup-api.yml, and a bare one.

GREENLIGHT_KEEP=1 leaves both in place at the end, and set-up out when it was done before.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev import docker_cli, settings
from dev.sample_api import image
from tests.integration.support.ansible import Ansible, inventory
from tests.integration.support.bench import REPOSITORY, Bench, sha
from tests.integration.support.machine import ROOT, Machine, fleet

DROPLET, BARE = settings.prefixed("integration"), settings.prefixed("integration-bare")
KEEP = os.environ.get("GREENLIGHT_KEEP") == "1"
READY = "test -e /usr/local/bin/greenlight-test-state && cat /usr/local/bin/greenlight-test-state"


@pytest.fixture(scope="session")
def machines() -> Iterator[dict[str, Machine]]:
    """Both droplets, and the registry with all versions of the sample API."""
    fleet("up", "--droplets", "0")
    try:
        for name in (DROPLET, BARE):
            fleet("droplet", "up", name)
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
def variables(machines: dict[str, Machine]) -> dict[str, Any]:
    """Inventory variables of the droplet: those of inventory/dev.yml for a fleet of one."""
    key = settings.KEY.with_suffix(".pub").read_text(encoding="utf-8").strip()
    return {
        "balancer_addresses": [machines[BARE].address],
        "admin_networks": [settings.GATEWAY],
        "users_admins": [{"name": "ops", "keys": [key]}],
        "docker_insecure_registries": [f"{settings.REGISTRY_HOST}:5000"],
    }


@pytest.fixture(scope="session")
def ansible(
    machines: dict[str, Machine],
    variables: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Ansible:
    """Ansible with an inventory of our two droplets."""
    folder = tmp_path_factory.mktemp("ansible")
    return Ansible(folder, inventory(list(machines.values()), variables))


@pytest.fixture(scope="session")
def whole_bench(machines: dict[str, Machine], ansible: Ansible) -> Bench:
    """The droplet, set up."""
    password = settings.REGISTRY_PASSWORD.read_text(encoding="utf-8").strip()
    bench = Bench(machines[DROPLET], ansible, password)
    if not (KEEP and bench.sh(READY, check=False)):
        ansible.playbook(ROOT / "playbooks" / "setup-api.yml", "-e", f"target={DROPLET}")
    bench.install()
    return bench


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
