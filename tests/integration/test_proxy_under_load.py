# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No request is lost when the machinery around a live release is restarted, or on a release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.support.bench import Bench, sha
from tests.load.driver import LoadRun
from tests.load.options import LoadOptions


@pytest.fixture(scope="module")
def serving(whole_bench: Bench) -> Bench:
    """The droplet with A live."""
    whole_bench.clean()
    whole_bench.one(whole_bench.release("A")).ok()
    return whole_bench


@contextmanager
def load(url: str) -> Iterator[dict[str, Any]]:
    """Load of four kinds; afterwards nothing may have failed."""
    options = LoadOptions(
        url, seconds=90, keepalive_rate=40, connection_rate=30, slow_rate=2, stream_rate=0.5
    )
    with LoadRun(options) as run:
        yield {}
        counts = run.stop()
    assert counts["ok"] > 50
    assert counts["failed"] == 0, counts["reasons"]


def test_a_restart_of_dockerd_loses_nothing(serving: Bench, front: str) -> None:
    (name,) = serving.containers()
    started = serving.containers()[name]["State"]["StartedAt"]
    with load(front):
        serving.sh("sleep 1; systemctl restart docker; docker info >/dev/null; sleep 1")
    # live-restore: the container is the same process as before.
    assert serving.containers()[name]["State"]["StartedAt"] == started
    assert serving.serving() == sha("A")


def test_reloads_of_the_firewall_lose_nothing(serving: Bench, front: str) -> None:
    with load(front):
        serving.sh("for i in 1 2 3; do sleep 0.5; ufw reload >/dev/null; done; sleep 1")
    assert "Status: active" in serving.sh("ufw status")


def test_releases_and_rollbacks_lose_nothing(serving: Bench, front: str) -> None:
    with load(front):
        results = serving.play(
            serving.release("B", drain_seconds=15),
            serving.rollback(drain_seconds=15),
            serving.release("C", drain_seconds=15),
        )
    assert [result.ok()["live"]["sha"] for result in results] == [sha("B"), sha("A"), sha("C")]
