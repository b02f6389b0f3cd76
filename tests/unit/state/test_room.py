# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An unfinished run keeps room on the disk for its last word."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._state.history import State
from ansible_collections.greenlight.droplet.plugins.module_utils._state.journal import (
    ROOM_BYTES,
    Journal,
)


@pytest.mark.parametrize("last", [State.COMMITTED, State.REVERTED, State.SETTLED])
def test_room_is_kept_from_the_begin_to_the_last_word(tmp_path: Path, last: State) -> None:
    journal, room = Journal(str(tmp_path), Clock()), tmp_path / "room"
    journal.write(State.BEGUN, "run-1")
    journal.write(State.LIVE, "run-1")
    assert room.stat().st_size == ROOM_BYTES
    journal.write(last, "run-1")
    assert not room.exists()


def test_room_can_be_used_before_the_last_word(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path), Clock())
    journal.write(State.BEGUN, "run-1")
    journal.use_room()
    journal.use_room()
    assert [path.name for path in tmp_path.iterdir()] == ["journal.jsonl"]
