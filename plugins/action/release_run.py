# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action release_run: see that the hosts of a play can act as one, and name the run."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import asdict

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    transaction_arguments,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils import bounds, host_files, run

_SHARED: t.Final = (
    *("health", "watch", "canary", "pull_seconds", "drain_seconds", "stop_timeout", "lock_wait"),
)
"""Options of a release from which the limits are reckoned."""


def arguments() -> dict[str, dict[str, t.Any]]:
    """Return the argument spec of this action."""
    shared = transaction_arguments()
    return {
        **{name: shared[name] for name in _SHARED},
        "run": {"type": "str", "default": ""},
        "holder": {"type": "str", "default": ""},
        "ci_run": {"type": "str", "default": ""},
        "cutover_batch": {"type": "int", "default": 1},
        "balancer_url": {"type": "str", "default": ""},
        "balancer_attempts": {"type": "int", "default": 10},
        "balancer_delay": {"type": "float", "default": 3.0},
    }


class ActionModule(ActionBase):
    """Works on the controller alone; no host is asked."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Return the run's name, who leads it, and its limits."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        present = [str(host) for host in variables["ansible_play_batch"]]
        play = self._task.get_play()
        if problem := run.unfit(hosts, present, str(play.strategy)):
            raise AnsibleActionFail(problem)
        _checked, options = self.validate_argument_spec(argument_spec=arguments())
        if options["cutover_batch"] < 1:
            raise AnsibleActionFail(
                f"app_cutover_batch is {options['cutover_batch']}; at least one host cuts over at a"
                " time. Nothing was changed."
            )
        forks = int(context.CLIARGS.get("forks") or C.DEFAULT_FORKS)
        # A play, a role or a block may let fewer hosts work at a time than Ansible could.
        forks = min(forks, int(self._task.throttle or forks))
        limits = bounds.reckon(options, len(hosts), forks, options["cutover_batch"])
        result.update(
            changed=False,
            run="-".join(filter(None, [options["run"], run.new_run(time.time())])),
            holder=options["holder"] or run.person(os.environ),
            ci_run=options["ci_run"] or run.ci_run(os.environ),
            controller=run.controller(os.getppid()),
            limits={name: round(seconds) for name, seconds in asdict(limits).items()},
            forks=forks,
            command_version=host_files.version(),
        )
        return result
