# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judgement of HAProxy's counters: shares, least numbers, restarts, requests that hang."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._haproxy.runtime_api import (
    SlotStatus,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._health.error_budget import Tally
from tests.unit.asked import watch


def counters(requests: int, errors: int, broken: int = 0) -> SlotStatus:
    """The counters of a slot whose requests are all answered."""
    return SlotStatus("UP", 0, requests, errors, broken, answered=requests - broken)


@pytest.mark.parametrize(
    ("before", "now", "checks", "verdict"),
    [
        (counters(0, 0), counters(100, 0), 10, None),
        (counters(0, 0), counters(20, 2), 10, None),
        (counters(0, 0), counters(1000, 40), 0, None),
        (counters(0, 0), counters(100, 6), 0, "6 of 100 requests failed (6.0 %"),
        (counters(0, 0), counters(13, 3), 10, "3 of 3 requests failed (100.0 %"),
        (counters(50, 50), counters(150, 50), 0, None),
        (counters(0, 0), counters(100, 3, 4), 0, "7 of 100"),
        (counters(500, 90), counters(40, 9), 0, "9 of 40"),
    ],
)
def test_share_and_number_decide(
    before: SlotStatus, now: SlotStatus, checks: int, verdict: str | None
) -> None:
    tally = Tally(watch(), before)
    tally.add(1.0, now)
    found = tally.verdict(checks)
    assert (found is None) if verdict is None else (found is not None and found.startswith(verdict))


def hanging(requests: int, answered: int, aborted: int = 0) -> SlotStatus:
    """The counters of a slot that has answered only some of its requests."""
    return SlotStatus("UP", requests - answered, requests, 0, 0, answered, aborted)


def test_requests_without_an_answer_condemn_once_they_have_waited() -> None:
    tally = Tally(watch(answer_seconds=5.0), hanging(0, 0))
    for second in range(5):
        tally.add(float(second), hanging(second * 2, 0))
        assert tally.verdict(0) is None
    tally.add(7.0, hanging(14, 0))
    found = tally.verdict(0)
    assert found is not None
    assert "4 of them without an answer for 5 s" in found


def test_slow_answers_and_streams_condemn_nothing() -> None:
    tally = Tally(watch(answer_seconds=5.0), hanging(0, 0))
    for second in range(60):
        # Each request waits four seconds; a stream has had its head and goes on.
        tally.add(float(second), hanging(second * 10, max(second - 4, 0) * 10))
        assert tally.verdict(0) is None


def test_what_clients_gave_up_does_not_hang() -> None:
    tally = Tally(watch(answer_seconds=5.0), hanging(0, 0))
    for second in range(20):
        tally.add(float(second), hanging(10, 0, aborted=10))
    assert tally.waiting == 0


def test_a_restart_of_haproxy_begins_the_count_anew() -> None:
    tally = Tally(watch(answer_seconds=1.0), hanging(1000, 1000))
    tally.add(1.0, hanging(5, 5))
    tally.add(3.0, hanging(50, 50))
    assert (tally.requests, tally.errors, tally.waiting) == (50, 0, 0)
