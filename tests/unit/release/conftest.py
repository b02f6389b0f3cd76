# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The droplet in memory that these tests begin with; a file that wants more on it overrides it."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core import http
from tests.unit.release.fakes import answer_from
from tests.unit.release.world import World


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A bare droplet whose containers answer the health check."""
    world = World()
    monkeypatch.setattr(http, "get", answer_from(world))
    return world
