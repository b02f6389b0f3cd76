# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet network: it plays the provider's private network."""

from __future__ import annotations

from dev import settings
from dev.docker_cli import docker, inspect, label_arguments
from dev.engine import default_mtu


def ensure() -> bool:
    """Make the network with the MTU of this machine's way out; False when it is there."""
    if inspect("network", settings.NETWORK) is not None:
        return False
    docker(
        *("network", "create", "--driver", "bridge"),
        *("--subnet", settings.SUBNET, "--gateway", settings.GATEWAY),
        *("--ip-range", settings.DYNAMIC_RANGE),
        *("--opt", f"com.docker.network.driver.mtu={default_mtu()}"),
        *label_arguments("network", settings.NETWORK),
        settings.NETWORK,
    )
    return True
