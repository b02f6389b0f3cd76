# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action release_info: what is live, standby and retained, read by the host side of a release.

Being asked this way a host needs no module packed and sent: a status of many hosts is mostly that.
"""

from __future__ import annotations

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.greenlight.droplet.plugins.plugin_utils.connected import (
    ConnectedAction,
    Params,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import (
    RemoteError,
    UnreachableError,
)


class ActionModule(ConnectedAction):
    """Reads one application on one host; changes nothing."""

    def run(self, tmp: str | None = None, task_vars: Params | None = None) -> Params:
        """Return what module release_info documents."""
        result: Params = super().run(tmp, task_vars)
        params = self.arguments(
            {"app": {"type": "str", "default": "api"}, "events": {"type": "int", "default": 10}}
        )
        try:
            found = self.remote("inspect", params, task_vars or {}).inspect(params["events"])
        except UnreachableError as exc:
            raise AnsibleConnectionFailure(str(exc)) from exc
        except RemoteError as exc:
            raise AnsibleActionFail(str(exc)) from exc
        result.update(found)
        if not found.get("failed"):
            facts = {"greenlight_releases": {found["app"]: found}}
            result.update(changed=False, ansible_facts=facts)
        return result
