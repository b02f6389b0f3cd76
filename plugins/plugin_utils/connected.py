# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our actions share: their arguments as plain values, and commands over Ansible's connection.

Everything that belongs to Ansible (connection, privilege escalation, templating) stays Ansible's.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.greenlight.droplet.plugins.plugin_utils import agent
from ansible_collections.greenlight.droplet.plugins.plugin_utils.console import step_line
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import (
    RemoteError,
    RemoteHost,
    UnreachableError,
)

Params = dict[str, t.Any]

_PYTHON: t.Final = "/usr/bin/python3"

# Ansible loads an action before it gives every host a process of its own. What is read here is read
# once, and not again for each host.
agent.root()


def plain(value: t.Any) -> t.Any:
    """Return a value of Ansible's (tagged, lazy or decrypted on use) as Python's own types."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, datetime.date):
        # YAML makes one of an unquoted date; a module gets it as text too.
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value)


class ConnectedAction(ActionBase):
    """An action whose work on the host is done by the collection's own host side."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def arguments(
        self, spec: dict[str, dict[str, t.Any]], variables: Params | None = None
    ) -> Params:
        """Return the task's arguments, checked against the spec and completed with defaults.

        Options that the task does not give come from variables, if it gives `variables_prefix`.
        """
        given = self._task.args
        if prefix := given.get("variables_prefix"):
            given = {
                **self._from_variables(prefix, spec.keys() - given.keys(), variables or {}),
                **given,
            }
        # Before the check, which knows neither dates nor whatever else Ansible makes of a value.
        self._task.args = plain(given)
        _checked, arguments = self.validate_argument_spec(argument_spec=spec)
        return t.cast("Params", plain(arguments))

    def _from_variables(self, prefix: str, names: t.Iterable[str], variables: Params) -> Params:
        """Return options by name from the variables that have that name behind the prefix.

        An argument that names a variable is a template that every host's process compiles anew;
        most of these variables are plain values, which cost nothing.
        """
        found = {name: variables[prefix + name] for name in names if prefix + name in variables}
        try:
            return t.cast("Params", self._templar.template(found))
        except AnsibleError:
            for name, value in sorted(found.items()):
                self._require_template(prefix + name, value)
            raise

    def _require_template(self, variable: str, value: t.Any) -> None:
        """Raise an error that names the variable when its value cannot be made."""
        try:
            self._templar.template(value)
        except AnsibleError as exc:
            # Ansible says the cause behind it.
            text = f"Nothing was changed, because the value of variable {variable} cannot be made"
            raise AnsibleActionFail(text) from exc

    def remote(self, action: str, params: Params, task_vars: Params, hosts: int = 1) -> RemoteHost:
        """Return the host's side of a release, whose steps are shown as they are done."""
        host = task_vars["inventory_hostname"]
        return RemoteHost(
            self._on_host,
            self._python(task_vars),
            action,
            params,
            check_mode=bool(self._task.check_mode),
            say=lambda step: self.say(host, step_line(step)),
            hosts=hosts,
        )

    def say(self, host: str, text: str, color: str = "COLOR_CHANGED") -> None:
        """Show a text of one or several lines, each with the host's name."""
        for line in text.splitlines():
            self._display.display(f"{host:<12} {line}", color=getattr(C, color))

    def _on_host(self, command: str, data: bytes) -> tuple[int, str, str]:
        # With its own choice of a shell Ansible adds a process that sleeps for no time, against a
        # race of sshd's with a terminal. What has something on its standard input gets no terminal.
        shell = self._play_context.executable or "/bin/sh"
        try:
            done = self._low_level_execute_command(command, in_data=data, executable=shell)
        except AnsibleConnectionFailure as exc:
            raise UnreachableError(str(exc)) from exc
        except AnsibleError as exc:
            # A wrong password of sudo, for instance: this host fails, and the others must hear so.
            raise RemoteError(str(exc)) from exc
        return int(done["rc"]), str(done["stdout"]), str(done["stderr"])

    def _python(self, task_vars: Params) -> str:
        """Return the host's Python as the inventory names it; the distribution's own without."""
        name = task_vars.get("ansible_python_interpreter") or C.config.get_config_value(
            "INTERPRETER_PYTHON", variables=task_vars
        )
        found = str(self._templar.template(name))
        return _PYTHON if found.startswith("auto") else found
