#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of action rollout; its work is in plugins/action/rollout.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout
short_description: Release or roll back on every host of the play, or on none
version_added: 0.2.0
description:
  - Goes through the phases of M(greenlight.droplet.release) or M(greenlight.droplet.rollback) on
    all hosts of the play together. All are staged before any traffic moves, all are live before any
    old container is stopped, and when one host fails all go back.
  - One task, in which every host has one connection and one process. Each step is shown as soon as
    it is done.
  - Runs in the process that Ansible gives each host, all at once, so C(forks) must not be less than
    the number of hosts, and the play must have no C(serial). Both are checked before anything
    changes.
  - Sends the collection's host side to a folder of its own below
    C(/usr/local/lib/greenlight/versions) when the host does not have this version yet, also in
    check mode. Between the phases a process of it waits on a socket
    that only root can reach; when it is gone, a new one takes up the run.
extends_documentation_fragment:
  - greenlight.droplet.attributes
  - greenlight.droplet.transaction
options:
  action:
    description: Which way to go.
    type: str
    choices: [release, rollback]
    default: release
  sha:
    description: The git SHA that shall be live, 7 to 40 hexadecimal digits. Empty means the
      previous release, for a rollback alone.
    type: str
    default: ''
  release:
    description: For a rollback, the identifier of a release whose container is on the host. Goes
      before O(sha).
    type: str
    default: ''
  variables_prefix:
    description: Where the options are that the task does not give. With C(app_), O(memory) is the
      value of variable C(app_memory) when there is one. That spares a large fleet a template per
      option and host.
    type: str
    default: ''
  run:
    description: Identifier of the run, for the journals. Empty means a new one.
    type: str
    default: ''
  cutover_batch:
    description: How many hosts cut over at a time.
    type: int
    default: 1
  balancer_url:
    description: URL of the load balancer without the health path. With it the fleet is looked at
      through the load balancer before any old container is stopped. Hosts of the inventory that are
      not in the play may answer too.
    type: str
    default: ''
  balancer_host_header:
    description: Host header of these requests. Empty means the host of the URL.
    type: str
    default: ''
  balancer_attempts:
    description: How often to try before the fleet goes back.
    type: int
    default: 10
  balancer_delay:
    description: Seconds between two attempts.
    type: float
    default: 3.0
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.release
  - module: greenlight.droplet.rollback
"""

EXAMPLES = r"""
---
- name: Release a commit on the whole fleet, or on none of it
  greenlight.droplet.rollout:
    app: api
    sha: 3f9c2ab41d0e5b6a7c8d9e0f1a2b3c4d5e6f7a8b
    image: registry.example.com/team/api
    health:
      path: /v1/health
      expect: status == 'healthy'
    balancer_url: https://api.example.com

- name: Release what the variables say, such as app_sha, app_image and app_secrets
  greenlight.droplet.rollout:
    app: api
    variables_prefix: app_

- name: Bring the previous release back
  greenlight.droplet.rollout:
    action: rollback
    app: api
"""

RETURN = r"""
sha:
  description: The full SHA that the run aimed at.
  returned: success
  type: str
  sample: 3f9c2ab41d0e5b6a7c8d9e0f1a2b3c4d5e6f7a8b
digest:
  description: Digest of the image.
  returned: success
  type: str
  sample: sha256:0f2d7c1e4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
needed:
  description: Whether anything was to be done on this host when the last phase began.
  returned: success
  type: bool
  sample: true
plan:
  description: The steps of the last phase, or of the whole release in check mode.
  returned: success
  type: list
  elements: str
  sample: ["start: 3f9c2ab in slot green"]
steps:
  description: The steps of the last phase with their seconds.
  returned: success
  type: list
  elements: dict
  sample: [{step: retire, text: stop 8a7b6c5 in slot blue, seconds: 0.2}]
live:
  description: The live release on this host after the run.
  returned: success
  type: dict
  sample: {sha: 3f9c2ab41d0e5b6a7c8d9e0f1a2b3c4d5e6f7a8b, slot: green, state: running}
standby:
  description: The standby after the run; empty when there is none.
  returned: success
  type: dict
  sample: {sha: 8a7b6c5d4e3f2a1b0f9e8d7c6b5a4d3e2f1a0b9c, slot: blue, state: exited}
message:
  description: One line for people.
  returned: success
  type: str
  sample: 3f9c2ab is live, 8a7b6c5 is the standby
"""
