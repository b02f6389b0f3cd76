# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a droplet while it serves: its engine or its firewall is restarted."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import Figure
from tests.e2e.hosts import fleet, on
from tests.e2e.traffic import Traffic

pytestmark = [pytest.mark.fleet, pytest.mark.slow]


# The command, and what shows that it did something: the engine's process is another one afterwards.
DOCKER = "systemctl restart docker"
UFW = "ufw reload"
ENGINE = "systemctl show --property MainPID docker"


@pytest.mark.parametrize("command", [DOCKER, UFW])
def test_no_request_fails_when_a_part_is_restarted(
    command: str, aligned: str, traffic: Traffic, figure: Figure
) -> None:
    before, engine = fleet(), on("api-1", ENGINE)
    said = on("api-1", command)
    time.sleep(4.0)
    result = traffic.stop().clean()
    figure(f"{command} under load: {result.requests:,} requests, {result.failed} failed")
    if command == DOCKER:
        assert on("api-1", ENGINE) != engine
    else:
        assert "reloaded" in said
    # The containers lived through it: the same ones, not started again.
    assert fleet() == before
    assert set(result.short["versions"]) == {aligned}
