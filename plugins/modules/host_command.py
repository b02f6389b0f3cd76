#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module host_command: install the command `greenlight` on a host, or bring it up to date."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import diff_of
from ansible_collections.greenlight.droplet.plugins.module_utils._state.installer import (
    Installation,
)


def main() -> None:
    """Compare, install unless in check mode, and say what changed."""
    module = AnsibleModule(
        argument_spec={"archive": {"type": "str", "required": True}}, supports_check_mode=True
    )
    with reported(module):
        wanted = Installation(module.params["archive"])
        changed = wanted.changed
        if changed and not module.check_mode:
            wanted.apply()
    module.exit_json(changed=changed, version=wanted.version, diff=_diff(wanted))


def _diff(wanted: Installation) -> list[dict[str, str]]:
    shown = [("greenlight", _line(wanted.before), _line(wanted.version))]
    if wanted.before == wanted.version and wanted.is_damaged:
        shown[0] = ("greenlight", f"version {wanted.version}, damaged\n", _line(wanted.version))
    shown += [(one.path, one.before, one.after) for one in wanted.differences]
    return diff_of(shown)


def _line(version: str) -> str:
    return f"version {version}\n" if version else ""


if __name__ == "__main__":
    main()
