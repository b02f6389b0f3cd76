# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making final what this host has proved, before anything else is looked at.

Other hosts of the fleet may have made it final already. Neither a Docker that hangs nor a repair
that fails may then keep this host from doing the same: it is one line of the journal.
"""

from __future__ import annotations

import typing as t

from .._core.boundary import DEFECT, boundary
from .._core.errors import GreenlightError
from .._core.redact import spellings, tell
from .._model.spec import Order, short_sha
from .._state.history import State
from . import report, traffic
from .context import Host
from .planner import Kind, Phase

_LIMIT: t.Final = 2.0
"""Seconds that Docker's word is waited for, before it goes without."""

WAITS: t.Final = (
    "nothing has gone back, because other hosts may have made it final; this host goes back when"
    " nobody goes on with the run"
)
"""What becomes of a host that has proved a release and cannot make it final."""


def commit_proved(host: Host, order: Order, phase: Phase) -> list[report.Done]:
    """Make a run final here that has proved its release, in a phase that does so.

    Returns what was done, which may be nothing. Whoever calls holds the lock. Raises Failure when
    the word cannot be written, and FileError when the journal cannot be read; the lease that the
    proof has left goes on then.
    """
    if phase not in ("committed", "settled"):
        return []
    run = host.journal.read().run(order.run)
    if run.state is not State.PROVED:
        return []
    sha, begin = str(run.begin.get("sha", "")), host.clock.now()
    release = run.turns[-1].release if run.turns else ""
    if _has_died(host, release):
        # The plan looks at it once more, and goes back: better the old release than none.
        return []
    try:
        with boundary(DEFECT):
            host.journal.write(
                State.COMMITTED, order.run, release=release, sha=sha, action=order.action
            )
    except GreenlightError as exc:
        raise _failure(host, order, sha, exc) from exc
    text = f"{short_sha(sha)} is final; from here on only a rollback leads back"
    return [report.Done(Kind.COMMIT.value, text, host.clock.now() - begin)]


def _has_died(host: Host, release: str) -> bool:
    """Tell whether Docker says that the release's container does not run; its silence does not."""
    try:
        with boundary(DEFECT):
            found = host.engine.containers(host.application.app, _LIMIT)
    except GreenlightError:
        return False
    return not any(c.running for c in found if c.release == release)


def _failure(host: Host, order: Order, sha: str, exc: GreenlightError) -> report.Failure:
    secrets = spellings([*order.container.secrets.values(), order.source.password])
    return report.Failure(
        action=order.action,
        sha=sha,
        step=Kind.COMMIT.value,
        reason=tell(str(exc).rstrip("."), secrets, report.TEXT_CHARACTERS),
        check="",
        last_answer="",
        outcome=WAITS,
        serving=traffic.serving_line(host),
        next_command=report.same_command(order, breaks=True),
    )
