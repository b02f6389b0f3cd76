# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action rollout: a release or a rollback on the whole fleet, or on none of it."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.greenlight.droplet.plugins.module_utils import balancer
from ansible_collections.greenlight.droplet.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.droplet.plugins.module_utils.rollout_arguments import (
    rollout_arguments,
)
from ansible_collections.greenlight.droplet.plugins.module_utils.wait import Clock
from ansible_collections.greenlight.droplet.plugins.plugin_utils import taking_part
from ansible_collections.greenlight.droplet.plugins.plugin_utils.board import (
    AbandonedError,
    Board,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.connected import (
    ConnectedAction,
    Params,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import (
    RemoteError,
    UnreachableError,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.rollout import (
    Rollout,
    Terms,
    Voice,
)

_BALANCER_TIMEOUT: t.Final = 5.0
"""Seconds that one answer through the load balancer may take."""

_FLEET_OPTIONS: t.Final = (
    "variables_prefix",
    "action",
    "cutover_batch",
    "balancer_url",
    "balancer_host_header",
    "balancer_attempts",
    "balancer_delay",
)


class ActionModule(ConnectedAction):
    """Runs once per host, in a process of its own, at the same time as all others of the fleet."""

    def run(self, tmp: str | None = None, task_vars: Params | None = None) -> Params:
        """Take part in the release and return this host's result."""
        result: Params = super().run(tmp, task_vars)
        variables = task_vars or {}
        forks = int(context.CLIARGS.get("forks") or C.DEFAULT_FORKS)
        fleet = taking_part.Fleet.of(variables, forks)
        if problem := fleet.problem() or taking_part.unfit(self._task, len(fleet.hosts)):
            raise AnsibleActionFail(problem)
        host: str = variables["inventory_hostname"]
        path = Path(C.DEFAULT_LOCAL_TMP) / f"rollout-{self._task._uuid}"
        board = Board(path, os.getppid(), len(fleet.hosts))
        try:
            with board.taking_part(host):
                result.update(self._take_part(host, fleet, board, variables))
        except UnreachableError as exc:
            raise AnsibleConnectionFailure(str(exc)) from exc
        except (RemoteError, AbandonedError) as exc:
            raise AnsibleActionFail(str(exc)) from exc
        for note in result.pop("notes", []):
            self._display.warning(f"{host}: {note}")
        return result

    def _take_part(
        self, host: str, fleet: taking_part.Fleet, board: Board, variables: Params
    ) -> Params:
        params = self.arguments(rollout_arguments(), variables)
        name = params["run"] or board.agree("run", host, taking_part.new_run(time.time()))
        voice = Voice(
            self._display.banner,
            lambda text: self.say(host, text),
            lambda text: self.say(host, text, "COLOR_ERROR"),
        )
        terms = self._terms(params, fleet.hosts, variables)
        remote = self.remote(params["action"], _call_params(params), variables, len(terms.hosts))
        return Rollout(host, terms, board, remote, voice).run(name)

    def _terms(self, params: Params, hosts: list[str], variables: Params) -> Terms:
        if params["cutover_batch"] < 1:
            raise AnsibleActionFail(
                f"cutover_batch is {params['cutover_batch']}; at least one host cuts over at a"
                " time. Nothing was changed."
            )
        others = sorted(set(variables["groups"]["all"]) - set(hosts))
        url = params["balancer_url"]
        path = params["health"]["path"]

        def verify(expected: dict[str, str]) -> tuple[str, str]:
            try:
                seen = balancer.verify(
                    Clock(),
                    url=url.rstrip("/") + path,
                    host_header=params["balancer_host_header"],
                    expected=expected,
                    attempts=params["balancer_attempts"],
                    delay=params["balancer_delay"],
                    timeout=_BALANCER_TIMEOUT,
                    others=others,
                )
            except GreenlightError as exc:
                return str(exc), ""
            return seen.missing, seen.message

        return Terms(
            params["action"],
            params["app"],
            hosts,
            params["cutover_batch"],
            bool(self._task.check_mode),
            verify if url else None,
        )


def _call_params(params: Params) -> Params:
    """Return the parameters of a call on one host, with who asks for it."""
    call = {name: value for name, value in params.items() if name not in _FLEET_OPTIONS}
    return {
        **call,
        "digest": "",
        "reserve": False,
        "holder": params["holder"] or taking_part.person(os.environ),
        "ci_run": params["ci_run"] or taking_part.ci_run(os.environ),
    }
