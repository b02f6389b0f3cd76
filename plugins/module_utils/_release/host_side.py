# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which copy of the host side carries out a module's call: the installed or the one sent along.

Both are the same code when the installed one is of the version that the caller names. It is
compiled already; what Ansible sends is compiled for each call, a fifth of a short call's time.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import sys
import types
import typing as t

from .._state.installation import CURRENT

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    # Ansible sends along whatever is imported anywhere, so the room is there for import_module.
    from .entrypoint import Action


def run_module(module: AnsibleModule, action: Action) -> t.NoReturn:
    """Run one call of module release or rollback and leave through exit_json or fail_json."""
    room = _installed(module.params["command_version"], CURRENT)
    if room is None:
        # Only now, because this compiles all of it.
        room = importlib.import_module(".entrypoint", __package__)
    room.run_module(module, action)
    raise AssertionError("exit_json and fail_json do not return")


def _installed(version: str, link: str) -> types.ModuleType | None:
    """Return the installed room `entrypoint` when it is of that version and whole, else None."""
    folder = os.path.realpath(link)
    if not version or os.path.basename(folder) != version:
        return None
    try:
        # Who installs removes no version that is in use; the lock ends with this process.
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)
        sys.path.insert(0, folder)
        return importlib.import_module("greenlight._release.entrypoint")
    except (OSError, ImportError):
        # Not whole. Set-up and the next release with another version install it anew.
        return None
