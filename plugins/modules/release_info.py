#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module release_info: what is live, standby and retained. Ansible asks by action release_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Tell which releases of an application are live, standby and retained on a host
version_added: 0.1.0
description:
  - Reads Docker, the proxy's pointer and the journal, and changes nothing.
  - Returns the same as fact C(greenlight_releases), by application.
extends_documentation_fragment:
  - greenlight.droplet.attributes
attributes:
  diff_mode:
    support: N/A
options:
  app:
    description: Name of the application, as set-up knows it.
    type: str
    default: api
  events:
    description: How many of the journal's last events, and of its last runs, to return.
    type: int
    default: 10
requirements:
  - python3-docker
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.release
"""

EXAMPLES = r"""
---
- name: Read the releases of the application api
  greenlight.droplet.release_info:
    app: api
  register: releases

- name: Say what is live
  ansible.builtin.debug:
    msg: "{{ releases.live.sha }} is live in slot {{ releases.live.slot }}"
"""

RETURN = r"""
app:
  description: Name of the application.
  returned: success
  type: str
  sample: api
live:
  description: The live release; empty when none is.
  returned: success
  type: dict
  contains: &release
    release:
      description: Identifier of the release.
      type: str
    sha:
      description: Its full git SHA.
      type: str
    digest:
      description: Digest of its image.
      type: str
    config:
      description: >-
        Hash of everything that makes its container but the image, made with a key of the host.
      type: str
    slot:
      description: Its slot.
      type: str
    state:
      description: State of its container, in Docker's words.
      type: str
    name:
      description: Name of its container.
      type: str
    started:
      description: When its container was started, UTC.
      type: str
    since:
      description: When it became live for the last time, UTC; empty when it never was.
      type: str
standby:
  description: The release that was live before; empty when there is none.
  returned: success
  type: dict
  contains: *release
leftovers:
  description: Containers of the application that are neither; the next release removes them.
  returned: success
  type: list
  elements: dict
  contains: *release
retained:
  description: Releases whose images are on the host, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    sha:
      description: Its full git SHA.
      type: str
    digest:
      description: Digest of the image.
      type: str
    since:
      description: When it became live for the last time, UTC; empty when it never was.
      type: str
    state:
      description: live, standby, retained, or unused for an image whose release never became live.
      type: str
    megabytes:
      description: Size of the image in millions of bytes.
      type: float
pointer:
  description: The slot that the map file names and the slot that the running HAProxy uses; they
    differ only after a crash.
  returned: success
  type: dict
  sample: {file: green, runtime: green, answered: true}
slots:
  description: What HAProxy's checks say of each slot.
  returned: success
  type: dict
  sample: {blue: DOWN, green: UP}
canary:
  description: The slot that gets a share of the requests before its cutover, and the share in
    percent; empty and 0 when there is no canary.
  returned: success
  type: dict
  sample: {slot: '', percent: 0}
freeze:
  description: Why, by whom and since when releases are held back; empty when they are not.
  returned: success
  type: str
  sample: ''
unfinished:
  description: The last run, when it was left half way; the next run completes or clears it.
  returned: success
  type: str
  sample: ''
damaged_lines:
  description: How many lines of the journal cannot be read; the next run puts them aside.
  returned: success
  type: int
  sample: 0
notes:
  description: What somebody should know, such as a configuration that was changed by hand.
  returned: success
  type: list
  elements: str
  sample: []
runs:
  description: The last runs, oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    run:
      description: Identifier of the run.
      type: str
    time:
      description: When it began, UTC.
      type: str
    ended:
      description: When it ended, UTC; empty while it has not.
      type: str
    action:
      description: release or rollback.
      type: str
    sha:
      description: The SHA that it aimed at.
      type: str
    from_sha:
      description: The SHA that was live when it began.
      type: str
    digest:
      description: Digest of the image.
      type: str
    config:
      description: >-
        Hash of everything that makes the container but its image, made with a key of the host.
      type: str
    holder:
      description: Who asked for it.
      type: str
    ci_run:
      description: Address of the CI run that asked for it.
      type: str
    outcome:
      description: begun, started, staged or live while it has not ended; settled or reverted.
      type: str
    reason:
      description: Why it was taken back.
      type: str
    seconds:
      description: Seconds of each step.
      type: dict
lease:
  description: Who has reserved the host for a fleet release; empty when nobody has.
  returned: success
  type: str
  sample: ''
events:
  description: The journal's last events, oldest first.
  returned: success
  type: list
  elements: dict
  sample: [{event: live, slot: green, time: "2026-11-21T10:15:04Z"}]
ansible_facts:
  description: The same under C(greenlight_releases), by application.
  returned: success
  type: dict
  sample: {greenlight_releases: {api: {}}}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._release.info import (
    inspect_releases,
)


def main() -> None:
    """Read and return."""
    module = AnsibleModule(
        argument_spec={
            "app": {"type": "str", "default": "api"},
            "events": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    with reported(module):
        found = inspect_releases(module.params["app"], module.params["events"])
    facts = {"greenlight_releases": {found["app"]: found}}
    module.exit_json(changed=False, ansible_facts=facts, **found)


if __name__ == "__main__":
    main()
