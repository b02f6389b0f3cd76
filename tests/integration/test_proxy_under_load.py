# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No request is lost on releases and rollbacks. Faults under load: test_faults_services.py."""

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


def test_releases_and_rollbacks_lose_nothing(serving: Bench, front: str) -> None:
    with load(front):
        results = serving.play(
            serving.release("B", drain_seconds=15),
            serving.rollback(drain_seconds=15),
            serving.release("C", drain_seconds=15),
        )
    assert [result.ok()["live"]["sha"] for result in results] == [sha("B"), sha("A"), sha("C")]
