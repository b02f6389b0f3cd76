# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a release that just took over still good? The pure judgement of counters and checks."""

from __future__ import annotations

from ansible_collections.greenlight.droplet.plugins.module_utils.proxy import SlotStatus
from ansible_collections.greenlight.droplet.plugins.module_utils.spec import Watch


def errors_between(before: SlotStatus, now: SlotStatus) -> int:
    """Return how many requests failed in the slot: 5xx answers, and no or broken answers.

    Counters that went backwards mean that HAProxy was restarted; they then count from zero.
    """
    total = 0
    for old, new in (
        (before.server_errors, now.server_errors),
        (before.connection_errors, now.connection_errors),
    ):
        total += new - old if new >= old else new
    return total


def assess(before: SlotStatus, now: SlotStatus, own_checks: int, watch: Watch) -> str | None:
    """Return why the release has failed the watch so far, or None.

    `own_checks` requests of the watch itself are left out of the total. The limit is a share, and
    a least number of errors, so that one bad request at low traffic condemns nothing and a
    release that fails every one of few requests does not pass.
    """
    errors = errors_between(before, now)
    total = now.requests - before.requests if now.requests >= before.requests else now.requests
    served = max(total - own_checks, errors, 1)
    share = 100.0 * errors / served
    if errors >= watch.min_errors and share > watch.max_error_percent:
        return (
            f"{errors} of {served} requests failed ({share:.1f} %, the limit is"
            f" {watch.max_error_percent:g} % from {watch.min_errors} errors on)"
        )
    return None
