# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up says it when a network that is there may give a slot's address to another container."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._release.provision import (
    find_notes,
)
from tests.unit.release.fakes import APPLICATION

SUBNET = {"Subnet": APPLICATION.subnet}


class Docker:
    """An engine with one network."""

    def __init__(self, pool: dict[str, t.Any]) -> None:
        self._pool = pool

    def network(self, name: str) -> dict[str, t.Any]:
        """Return Docker's description of the network."""
        return {"Name": name, "IPAM": {"Config": [self._pool]}}


@pytest.mark.parametrize(
    ("pool", "is_told"),
    [
        (SUBNET, True),
        ({**SUBNET, "IPRange": "172.31.10.128/25"}, False),
        ({**SUBNET, "IPRange": "172.31.10.0/25"}, True),
        ({**SUBNET, "IPRange": "172.31.10.0/24"}, True),
    ],
)
def test_a_pool_that_holds_a_slots_address_is_told(pool: dict[str, t.Any], is_told: bool) -> None:
    engine: t.Any = Docker(pool)
    assert bool(find_notes(APPLICATION, engine)) is is_told
