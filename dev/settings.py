# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses and paths of the dev fleet; nothing here touches the machine."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".fleet"
DOCKERFILES = Path(__file__).resolve().parent / "dockerfiles"

# Everything the fleet creates carries this label; `down` removes what carries it and nothing else.
LABEL = "greenlight.dev"
LABEL_VALUE = "fleet"
ROLE_LABEL = "greenlight.dev.role"
NAME_LABEL = "greenlight.dev.name"
# Whose machine it is: a hash of the key that logs in on it, so of the checkout that made it.
KEY_LABEL = "greenlight.dev.key"
INPUTS_LABEL = "greenlight.dev.inputs"

# The fleet's own machines, and the role of the droplets that tests start beside it.
FLEET_ROLES = ("droplet", "balancer", "registry")
EXTRA_ROLE = "extra"
# Before the names of the tests' droplets, so that two runs on one fleet have droplets of their own.
TEST_PREFIX = os.environ.get("GREENLIGHT_TEST_PREFIX", "")
# Where droplets without a fixed port answer SSH: below the ports that outgoing connections take.
FREE_PORTS = range(2400, 3000)

PREFIX = "greenlight-fleet"
NETWORK = "greenlight-fleet"
SUBNET = "10.77.0.0/24"
GATEWAY = "10.77.0.1"
# Machines without a fixed address take one from the upper half of the subnet.
DYNAMIC_RANGE = "10.77.0.128/25"
# Where the applications of the fleet and of the tests have their slots.
SLOT_SUBNETS = ("172.30.0.0/16", "172.31.0.0/16")
BALANCER_ADDRESS = "10.77.0.10"
REGISTRY_ADDRESS = "10.77.0.20"

BALANCER_PORT = 3001
REGISTRY_PORT = 5001
APPLICATION_PORT = 3002
REGISTRY_HOST = "registry.greenlight.test"
REGISTRY_PUSH = f"127.0.0.1:{REGISTRY_PORT}"
REGISTRY_USER = "greenlight"

KEY = STATE / "id_ed25519"
KNOWN_HOSTS = STATE / "known_hosts"
REGISTRY_PASSWORD = STATE / "registry_password"
DOCKER_CONFIG = STATE / "docker"
LOGS = STATE / "logs"

MAX_FLEET_DROPLETS = 8


def droplet_name(number: int) -> str:
    """Inventory name of the fleet's droplet `number` (1-based)."""
    return f"api-{number}"


def droplet_address(number: int) -> str:
    """Fleet network address of droplet `number`; .20 belongs to the registry."""
    return f"10.77.0.{10 + number}"


def droplet_port(number: int) -> int:
    """Port on 127.0.0.1 where droplet `number` answers SSH."""
    return 2220 + number


def prefixed(name: str) -> str:
    """Name of a test's droplet: `name` behind GREENLIGHT_TEST_PREFIX."""
    return f"{TEST_PREFIX}{name}"


def container(name: str) -> str:
    """Container name of the machine called `name`."""
    return f"{PREFIX}-{name}"
