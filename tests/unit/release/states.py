# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test looks at after a run."""

from __future__ import annotations

from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import observe
from tests.unit.release.host_state import make_host
from tests.unit.release.world import World


def live_and_standby(world: World) -> tuple[str, str]:
    """The SHAs of the live and the standby release, empty for none."""
    snapshot = observe(make_host(world))
    live, standby = snapshot.live, snapshot.standby
    return live.sha if live else "", standby.sha if standby else ""


def assert_consistent(world: World) -> None:
    """What holds after every run that has ended, however it ended."""
    snapshot = observe(make_host(world))
    assert world.file == world.runtime
    assert not world.locked
    if snapshot.route.slot is not None:
        assert snapshot.live is not None
        assert snapshot.live.running
        assert snapshot.turns[-1].release == snapshot.live.release
