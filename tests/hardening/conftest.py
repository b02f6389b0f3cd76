# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One droplet set up by setup-api.yml, a neighbour that nobody has allowed anything, an attacker.

GREENLIGHT_KEEP=1 leaves them in place at the end, and set-up out when it was done before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import settings
from tests.hardening.droplets import Droplet, Host, fleet, remove_host

NAME = settings.prefixed("hardening")
NAMES = (NAME, f"{NAME}-neighbour", f"{NAME}-attacker")
KEEP = os.environ.get("GREENLIGHT_KEEP") == "1"
READY = "/run/greenlight-test-ready"


@pytest.fixture(scope="session")
def hosts() -> Iterator[dict[str, Host]]:
    """All hosts by name, booted."""
    fleet("up", "--droplets", "0")
    try:
        for name in NAMES:
            # The droplet that is set up begins with the image of one that is, which saves a minute.
            fleet("droplet", "up", name, *(("--from", "set-up") if name == NAME else ()))
        yield {name: Host(name) for name in NAMES}
    finally:
        if not KEEP:
            for name in NAMES:
                remove_host(name)


@pytest.fixture(scope="session")
def whole_droplet(hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> Droplet:
    """The droplet, set up once."""
    droplet = Droplet(hosts[NAME].name, tmp_path_factory.mktemp("inventory"))
    if not (KEEP and droplet.try_inside(f"test -e {READY}")[0] == 0):
        done = droplet.setup()
        assert done.returncode == 0, done.stdout
        droplet.inside(f"touch {READY}")
    return droplet


@pytest.fixture
def droplet(whole_droplet: Droplet) -> Droplet:
    """The droplet, reached over SSH: a test that locked it out fails the next one here."""
    whole_droplet.wait_reachable(20.0)
    return whole_droplet


@pytest.fixture(scope="session")
def neighbour(hosts: dict[str, Host]) -> Host:
    """A host on the droplet's network that nobody has allowed anything."""
    return hosts[f"{NAME}-neighbour"]


@pytest.fixture(scope="session")
def attacker(hosts: dict[str, Host]) -> Host:
    """Another one, which misbehaves."""
    return hosts[f"{NAME}-attacker"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder needs Docker and the fleet's network."""
    here = Path(__file__).resolve().parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.fleet)
