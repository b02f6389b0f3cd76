# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How module release reaches the code that does its work: the host side that role command installs.

The same code serves the module, the timers of the host, its watchdog and people at its console. It
is on the host already, compiled, so a call sends its parameters and little else.
"""

from __future__ import annotations

import base64
import fcntl
import importlib
import os
import sys
import typing as t

from .._state.installation import DESCRIPTOR_FOLDER, FOLDER, LAUNCHER, installed_version

_DAMAGE: t.Final = (
    OSError,
    ImportError,
    SyntaxError,
    AttributeError,
    ValueError,
    EOFError,
    TypeError,
)
"""What a file that is missing, cut off or damaged raises when it is imported."""

NICENESS: t.Final = 5
"""By how much a release yields to the proxy and the applications, in steps of nice(2), 0 to 19."""

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def run_module(module: AnsibleModule) -> t.NoReturn:
    """Let the host side carry out one call; leave through exit_json or fail_json."""
    # Users' requests go first: they share the processors with whatever a release does.
    os.nice(NICENESS)
    params, present = module.params, installed_version()
    wanted = params["command_version"] or present
    if params["archive"]:
        room = _sent_along(module, params["archive"])
    elif wanted != present and _begins(params) and os.path.isdir(DESCRIPTOR_FOLDER):
        _leave(
            module.exit_json,
            module,
            needed=False,
            outdated_command=True,
            message="the command greenlight on this host is of another version, which is brought up"
            " to date when all has been checked",
            steps=[],
        )
    else:
        room = find_room(wanted)
    if room is None:
        _leave(module.fail_json, module, msg=_refusal(wanted, begins=_begins(params)))
    # A version from before this word was said is only asked for when it is the installed one.
    room.run_module(module, **({"outdated": True} if wanted != present else {}))
    raise AssertionError("exit_json and fail_json do not return")


def _leave(way: t.Callable[..., t.Any], module: AnsibleModule, **result: t.Any) -> None:
    """End the call with a result of ours; of the parameters nothing is returned but the run."""
    run, module.params, module.no_log_values = module.params["run"], {}, set()
    way(changed=False, run=run, **result)


def _begins(params: dict[str, t.Any]) -> bool:
    """Tell whether a call may begin a run: later phases name the digest that the plan has found."""
    return params["state"] in ("planned", "settled") and not params["digest"]


def find_room(version: str) -> t.Any:
    """Return the room `entrypoint` of a version that is on the host; None when it is not whole.

    A run goes on with the version that it has begun with, whatever is installed meanwhile.
    """
    folder = f"{FOLDER}/{version}"
    try:
        # Who installs removes no version that is in use; the lock ends with this process.
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)
        return _import_from(folder)
    except _DAMAGE:
        return None


def _sent_along(module: AnsibleModule, archive: str) -> t.Any:
    """Return the same of a packed host side, which goes with the temporary folder of the call."""
    path = f"{module.tmpdir}/greenlight.zip"
    try:
        with open(path, "xb") as stream:
            stream.write(base64.b64decode(archive, validate=True))
        return _import_from(path)
    except _DAMAGE as exc:
        text = f"archive is not what lookup greenlight.droplet.host_files returns: {exc}."
        _leave(module.fail_json, module, msg=text)
    return None


def _import_from(path: str) -> t.Any:
    sys.path.insert(0, path)
    room = importlib.import_module("greenlight._release.entrypoint")
    return room if callable(room.run_module) else None


def _refusal(version: str, *, begins: bool) -> str:
    changed = "Nothing was changed." if begins else "This call has changed nothing."
    if not begins and installed_version() not in ("", version):
        return (
            f"Version {version} of the command greenlight, with which this run began, is no longer"
            f" whole on this host ({FOLDER}). The host itself takes the run back; run the same"
            f" command again then. {changed}"
        )
    return (
        "This host is not set up for releases: the command greenlight, which carries out every"
        f" call, is not on it, or not whole ({LAUNCHER}, {FOLDER}). Run setup-api.yml on it first."
        f" {changed}"
    )
