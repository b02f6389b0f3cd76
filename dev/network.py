# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet network: it plays the provider's private network, and keeps the slots' packets in."""

from __future__ import annotations

from dev import settings
from dev.docker_cli import docker, inspect, label_arguments
from dev.engine import default_mtu
from dev.shell import as_root, run, succeeds

# A droplet whose slots' bridge is missing sends packets for a slot to its default route: to this
# machine. They must not leave it, where somebody else's server may have that address. Docker keeps
# the chain DOCKER-USER as it is, and asks it before its own rules.
CHAIN = "DOCKER-USER"
# What goes from one machine of the fleet to another on the bridge stays: a test plays a neighbour.
ROUTED = ("--match", "physdev", "!", "--physdev-is-bridged")
RULES = tuple(
    ("--source", settings.SUBNET, "--destination", subnet, *ROUTED, "--jump", "DROP")
    for subnet in settings.SLOT_SUBNETS
)


def _iptables(action: str, rule: tuple[str, ...]) -> list[str]:
    return as_root(["iptables", "--wait", action, CHAIN, *rule])


def keep_slot_packets_in() -> bool:
    """Drop packets of the fleet's droplets to any slot's address; False when they are already."""
    absent = [rule for rule in RULES if not succeeds(_iptables("--check", rule))]
    for rule in absent:
        run(_iptables("--insert", rule))
    return bool(absent)


def stop_keeping() -> None:
    """Remove the rules again."""
    for rule in RULES:
        while succeeds(_iptables("--check", rule)):
            run(_iptables("--delete", rule))


def ensure() -> bool:
    """Make the network with the MTU of this machine's way out; False when it is there."""
    keep_slot_packets_in()
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
