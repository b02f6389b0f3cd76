# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failed step is explained with: the reason, the last answers, what serves, what to run."""

from __future__ import annotations

import typing as t

from .._core.boundary import DEFECT, boundary
from .._core.errors import CheckError, GreenlightError
from .._core.redact import spellings, tell
from .._model.engine_model import Container
from .._model.spec import Order
from .._state.history import State
from . import report, traffic
from .compensation import Compensation
from .context import Host
from .last_word import WAITS
from .planner import Kind, Step

_FIX: t.Final = (
    "nothing has to be undone; fix the cause, then release the fixed commit with"
    " ansible-playbook playbooks/update-api.yml -e sha=<fixed sha>"
)


def _outcome_of(way: Compensation, outcome: report.Outcome) -> str:
    """Say what was taken back, and what stays on the host all the same."""
    if not outcome.done and not way.said:
        return f"{way}, nothing has changed"
    pulled = any(done.step == Kind.PULL.value for done in outcome.done)
    return f"{way}; the image that was pulled stays on this host" if pulled else str(way)


class Explanation:
    """Puts together what the error of one order says, without the order's secrets."""

    def __init__(self, host: Host, order: Order) -> None:
        self._host = host
        self._order = order
        self._secrets = spellings([*order.container.secrets.values(), order.source.password])

    def reason(self, exc: GreenlightError) -> str:
        """Return why the step failed."""
        return tell(str(exc).rstrip("."), self._secrets, report.TEXT_CHARACTERS)

    def log_lines(self, container: Container | None) -> list[str]:
        """Return the last lines that the container wrote; read before the container goes."""
        if container is None:
            return []
        try:
            with boundary(DEFECT):
                lines = self._host.engine.log_lines(container.id, report.LOG_LINES)
        except GreenlightError as exc:
            return [f"(the log cannot be read: {exc})"]
        limit = report.LINE_CHARACTERS
        return [tell(line, self._secrets, limit, blanks=True) for line in lines]

    def failure(
        self,
        step: Step,
        exc: GreenlightError,
        outcome: report.Outcome,
        way: Compensation | None,
        lines: t.Sequence[str],
    ) -> report.Failure:
        """Return the error; `way` is what was taken back, None when nothing had to be."""
        text = self._outcome_without_a_way_back(outcome)
        return report.Failure(
            action=self._order.action,
            sha=outcome.plan.goal.sha,
            step=step.kind.value,
            reason=self.reason(exc),
            check=exc.check if isinstance(exc, CheckError) else "",
            last_answer=tell(exc.last_answer, self._secrets, report.LINE_CHARACTERS)
            if isinstance(exc, CheckError)
            else "",
            outcome=_outcome_of(way, outcome) if way else text,
            serving=traffic.serving_line(self._host),
            next_command=_FIX if way else report.same_command(self._order, breaks=text is WAITS),
            log_lines=lines,
            done=outcome.done,
            changed=bool(outcome.done),
            back_seconds=way.pointer_seconds if way else None,
        )

    def _outcome_without_a_way_back(self, outcome: report.Outcome) -> str:
        state = outcome.before.history.run(self._order.run).state
        committed = any(done.step == Kind.COMMIT.value for done in outcome.done)
        if committed or state is State.COMMITTED:
            return "the release is final; this host completes what is left alone"
        if state is State.PROVED:
            return WAITS
        return (
            "nothing has gone back in this call; this host takes the run back when nobody goes on"
            " with it"
        )
