# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and addresses of hosts: which holds which. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence


def networks_holding(networks: Sequence[str], addresses: Sequence[str]) -> list[str]:
    """Return those of the networks that hold at least one of the addresses.

    Raises ValueError naming a network or an address that is none.
    """
    found: list[str] = []
    wanted = [_address(address) for address in addresses]
    for text in networks:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError as exc:
            raise ValueError(f"{text!r} is not a network such as 10.20.0.0/20") from exc
        if any(address in network for address in wanted):
            found.append(text)
    return found


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError as exc:
        raise ValueError(f"{text!r} is not an IP address") from exc


def slot_address(subnet: str, slot: str) -> str:
    """Return the fixed address of a slot in its application's subnet: blue .2, green .3."""
    positions = {"blue": 2, "green": 3}
    if slot not in positions:
        raise ValueError(f"{slot!r} is not a slot; the slots are blue and green")
    try:
        return str(ipaddress.ip_network(subnet)[positions[slot]])
    except (ValueError, IndexError) as exc:
        raise ValueError(f"{subnet!r} is not a network that holds two slots") from exc
