# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The crash matrix: a run that dies before any of its effects loses nothing, and the next one ends.

The points are found by watching a run, see remote/points.py. By default a spread of them is tried;
GREENLIGHT_CRASH=all tries every one, and each one around the pointer's move with all next runs; a
number tries so many of each action and kind, and those around the move.
"""

from __future__ import annotations

import os

import pytest

from tests.crash.matrix import FOLLOWING, Action, Kind, Matrix, around_move, spread

SHARE = os.environ.get("GREENLIGHT_CRASH", "")
COUNTS = {("release", "kill"): 7, ("rollback", "kill"): 4}
KNOWN = {
    "release": {
        "open journal.jsonl",
        "write journal.jsonl",
        "fsync journal.jsonl",
        "open .live.map.*",
        "rename live.map",
        "flock lock",
        "haproxy set map",
        "gate GET /v1/health",
        "docker POST /images/create",
        "docker POST /images/create sent",
        "docker POST /images/create answered",
        "docker POST /images/sha256:*/tag",
        "docker POST /containers/create",
        "docker POST /containers/*/start",
        "docker POST /containers/*/update",
        "docker POST /containers/*/stop",
        "docker DELETE /containers/*",
        "end",
    },
    "rollback": {
        "write journal.jsonl",
        "rename live.map",
        "haproxy set map",
        "gate GET /v1/health",
        "docker POST /containers/*/start",
        "docker POST /containers/*/stop",
        "end",
    },
}


@pytest.mark.parametrize("action", ["release", "rollback"])
def test_the_points_of_a_run_are_found(matrix: Matrix, action: Action) -> None:
    names = {key.partition(" ")[2].partition(" #")[0] for key in matrix.points(action)}
    assert names >= KNOWN[action], sorted(KNOWN[action] - names)
    if action == "release":
        # Of an old release's image both names go: the local one and the registry's.
        assert any(name.startswith("docker DELETE /images/") for name in names)


def cases(matrix: Matrix, action: Action, kind: Kind) -> list[tuple[str, str]]:
    """The points to crash at, each with the run that follows."""
    keys = matrix.points(action)
    move = around_move(keys)
    if SHARE == "all":
        plain = [(key, FOLLOWING[at % 3]) for at, key in enumerate(keys) if key not in move]
        return plain + [(key, following) for key in move for following in FOLLOWING]
    if kind == "power" and not SHARE:
        return [(move[1], "same"), (move[-1], "other")]
    count = int(SHARE or COUNTS[action, kind])
    some = sorted({*spread(keys, count), *move}, key=keys.index)
    return [(key, FOLLOWING[at % 3]) for at, key in enumerate(some)]


@pytest.mark.parametrize("action", ["release", "rollback"])
@pytest.mark.parametrize("kind", ["kill", "power"])
def test_a_crash_loses_nothing_and_the_next_run_ends(
    matrix: Matrix, action: Action, kind: Kind
) -> None:
    rows = [
        matrix.crash(action, kind, point, following)
        for point, following in cases(matrix, action, kind)
    ]
    wrong = [f"{row.point}, then {row.following}: {row.problems}" for row in rows if row.problems]
    assert rows
    assert not wrong, "\n".join(wrong)
