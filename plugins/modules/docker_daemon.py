#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module docker_daemon: our settings of the engine beside those of others."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_daemon
short_description: Merge settings into Docker's daemon.json
version_added: 0.1.0
description:
  - What others have set in C(/etc/docker/daemon.json) stays, such as C(data-root), C(dns) and
    mirrors of registries.
  - What contradicts the settings is refused by name, before anything is changed. So are a node of a
    Swarm, an engine by snap, and an option of dockerd's command line that the file has to say too.
  - A file that was not ours is kept as C(/etc/docker/daemon.json.before-greenlight).
  - The engine is restarted with the new file. When it does not start, it gets the old file again,
    and the module fails.
extends_documentation_fragment:
  - greenlight.droplet.attributes
options:
  settings:
    description:
      - Settings as C(daemon.json) has them. What an earlier call has set and this one does not is
        taken out.
    type: dict
    required: true
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.files
"""

EXAMPLES = r"""
---
- name: Let containers outlive a restart of the engine
  greenlight.droplet.docker_daemon:
    settings:
      live-restore: true
"""

RETURN = r"""
changes:
  description: Paths that were, or in check mode would be, written.
  returned: success
  type: list
  elements: str
  sample: [/etc/docker/daemon.json]
engines:
  description: Packages with an engine that were installed before.
  returned: success
  type: list
  elements: str
  sample: [docker-ce]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import diff_of
from ansible_collections.greenlight.droplet.plugins.module_utils._docker import daemon


def main() -> None:
    """Compare, apply unless in check mode, and say what changed."""
    module = AnsibleModule(
        argument_spec={"settings": {"type": "dict", "required": True}},
        supports_check_mode=True,
    )
    with reported(module):
        engines = daemon.installed_engines()
        found = daemon.plan(module.params["settings"])
        if not module.check_mode:
            daemon.apply(found)
    before, after = daemon.shown(found.before), daemon.shown(found.after)
    module.exit_json(
        changed=found.changed,
        changes=[daemon.PATH] if found.changed else [],
        engines=engines,
        diff=diff_of([(daemon.PATH, before, after)] if found.changed else []),
    )


if __name__ == "__main__":
    main()
