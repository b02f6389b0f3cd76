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

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._release.argument_spec import (
    transaction_arguments,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.option_checks import (
    check_balancer,
    check_limits,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils import (
    bounds,
    host_files,
    run,
    yaml_texts,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.controller_action import (
    Arguments,
    ControllerAction,
)

_SHARED: t.Final = (
    *("health", "watch", "canary", "pull_seconds", "drain_seconds", "stop_timeout", "lock_wait"),
)
"""Options of a release from which the limits are reckoned."""


class ActionModule(ControllerAction):
    """Names a run and reckons its limits."""

    def arguments(self) -> Arguments:
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
            "texts": {"type": "dict", "default": {}},
        }

    def work(self, options: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the run's name, who leads it, and its limits."""
        hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        present = [str(host) for host in variables["ansible_play_batch"]]
        play = self._task.get_play()
        if problem := run.unfit(hosts, present, str(play.strategy)):
            raise AnsibleActionFail(problem)
        try:
            check_limits(options)
            check_balancer(options["balancer_url"])
        except SpecError as exc:
            # Ansible would put the cause behind the text, which has its words already.
            raise AnsibleActionFail(f"{exc} Nothing was changed.") from None
        if options["cutover_batch"] < 1:
            raise AnsibleActionFail(
                f"app_cutover_batch is {options['cutover_batch']}; at least one host cuts over at a"
                " time. Nothing was changed."
            )
        forks = int(context.CLIARGS.get("forks") or C.DEFAULT_FORKS)
        # A play, a role or a block may let fewer hosts work at a time than Ansible could.
        forks = min(forks, int(self._task.throttle or forks))
        limits = bounds.reckon(options, len(hosts), forks, options["cutover_batch"])
        return {
            "changed": False,
            "run": "-".join(filter(None, [options["run"], run.new_run(time.time())])),
            "holder": options["holder"] or run.person(os.environ),
            "ci_run": options["ci_run"] or run.ci_run(os.environ),
            "controller": run.controller(os.getppid()),
            "limits": {name: round(seconds) for name, seconds in asdict(limits).items()},
            "forks": forks,
            "command_version": host_files.version(),
            "warnings": yaml_texts.warnings_of(options["texts"]),
        }
