# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who releases without being root: the deploy user, and a person whom sudo asks for a password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dev.sample_versions import VERSIONS
from dev.settings import STATE
from tests.e2e.hosts import fleet, inside, on, serving
from tests.e2e.playbooks import extra, play, rollback, update
from tests.e2e.traffic import Traffic

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
NEW = VERSIONS["C"].sha
PASSWORD = "a password that sudo asks for"
LINE = "deploy ALL=(root) NOPASSWD: /bin/sh -c echo BECOME-SUCCESS-* ; /usr/bin/python3*"


@pytest.fixture(scope="module")
def users() -> Iterator[None]:
    """The deploy user, and ops with a password, on both hosts; gone and without one at the end."""
    key = (STATE / "id_ed25519.pub").read_text(encoding="utf-8").strip()
    hashed = inside("api-1", f"openssl passwd -6 '{PASSWORD}'").strip()
    admin = {"name": "ops", "keys": [key]}
    there = {
        "users_deploy_keys": [key],
        "users_admins": [{**admin, "password_hash": hashed}],
    }
    set_up(there)
    yield
    set_up({"users_admins": [admin], "users_removed": ["deploy"]})


def set_up(values: dict[str, Any]) -> None:
    """Run the part of the set-up that makes users."""
    play("setup-api", "--tags", "users_accounts", *extra(values)).ok()


@pytest.mark.usefixtures("users")
def test_the_deploy_user_releases_and_rolls_back(aligned: str, traffic: Traffic) -> None:
    # Its rights are the documented ones and no more.
    assert LINE in on("api-1", "cat /etc/sudoers.d/greenlight-deploy")
    assert "password is required" in inside("api-1", "su deploy -c 'sudo -n id' 2>&1 || true")
    deploy = extra({"ansible_user": "deploy"})
    update(NEW, *deploy).ok()
    assert set(serving().values()) == {NEW}
    rollback(*deploy).ok()
    assert set(serving().values()) == {aligned}
    traffic.stop().clean()


@pytest.mark.usefixtures("users")
def test_a_person_whom_sudo_asks_for_a_password_releases_and_rolls_back(
    aligned: str, traffic: Traffic
) -> None:
    before = fleet()
    ops = {"ansible_user": "ops"}
    update(NEW, *extra(ops)).refused("No host was touched")
    assert fleet() == before
    known = extra({**ops, "ansible_become_password": PASSWORD})
    update(NEW, *known).ok()
    assert set(serving().values()) == {NEW}
    assert PASSWORD not in rollback(*known, "-vvv").ok().text
    assert set(serving().values()) == {aligned}
    traffic.stop().clean()
