#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module files: several small files of settings in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: files
short_description: Install several small files in one call
version_added: 0.1.0
description:
  - Writes settings files and removes others, in one round trip for all of them.
  - Every new text is checked by its own command before the first file is written, so that a text
    that a program refuses changes nothing.
  - Each file is replaced atomically. Parent folders that are missing are made with mode 0755.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  files:
    description: The files, in the order in which they are written.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path of the file.
        type: str
        required: true
      content:
        description: The whole text.
        type: str
        required: true
      mode:
        description: Octal mode, quoted.
        type: str
        default: '0644'
      owner:
        description: Name of the user who owns it.
        type: str
        default: root
      group:
        description: Name of its group.
        type: str
        default: root
      validate:
        description: Command that checks the text; C(%s) stands for the path of a copy.
        type: str
        default: ''
  absent:
    description: Absolute paths of files that must not be there.
    type: list
    elements: str
    default: []
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: ansible.builtin.copy
"""

EXAMPLES = r"""
---
- name: Say who may log in, and drop the file that contradicted it
  greenlight.droplet.files:
    files:
      - path: /etc/ssh/sshd_config.d/00-greenlight.conf
        content: |
          PasswordAuthentication no
        validate: /usr/sbin/sshd -t -f %s
      - path: /etc/cron.allow
        content: |
          root
        mode: '0600'
    absent:
      - /etc/ssh/sshd_config.d/50-cloud-init.conf
"""

RETURN = r"""
changes:
  description: Paths that were, or in check mode would be, written or removed.
  returned: success
  type: list
  elements: str
  sample: [/etc/cron.allow]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._core import file_set
from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import diff_of

FILE: dict[str, t.Any] = {
    "path": {"type": "str", "required": True},
    "content": {"type": "str", "required": True},
    "mode": {"type": "str", "default": "0644"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "validate": {"type": "str", "default": ""},
}


def _diff(difference: file_set.Difference) -> list[dict[str, str]]:
    """Text and permissions apart, so that a change of the mode alone shows as that.

    Of a new file the text is enough.
    """
    shown = []
    if difference.before != difference.after:
        shown.append((difference.path, difference.before, difference.after))
    if difference.before_permissions not in ("absent", difference.after_permissions):
        before, after = difference.before_permissions, difference.after_permissions
        shown.append((f"{difference.path} (permissions)", f"{before}\n", f"{after}\n"))
    return diff_of(shown)


def main() -> None:
    """Compare, check, write unless in check mode, and say what changed."""
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "default": [], "options": FILE},
            "absent": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    with reported(module):
        wanted = [file_set.parse_file(raw) for raw in module.params["files"]]
        for path in module.params["absent"]:
            file_set.check_path(path)
        differences = file_set.find_differences(wanted, module.params["absent"])
        file_set.validate(differences, module.check_mode)
        if not module.check_mode:
            file_set.apply(differences)
    result: dict[str, t.Any] = {"changes": [difference.path for difference in differences]}
    if module._diff:
        result["diff"] = [shown for difference in differences for shown in _diff(difference)]
    module.exit_json(changed=bool(differences), **result)


if __name__ == "__main__":
    main()
