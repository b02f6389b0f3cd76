#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module release: one health-gated blue-green release of an application, or the way back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Release a container image on a host, or go back, without dropping a request
version_added: 0.1.0
description:
  - Starts the image of a git SHA in the application's idle slot, waits until it is healthy, moves
    HAProxy's pointer to it, watches it, and only then stops the release that served before, which
    is kept as the standby.
  - Any failure before the cutover removes the new container, any failure after it moves the
    pointer back while the old container still runs. The old release serves in both cases, and the
    error says what failed, what serves now and what to run next.
  - On one host a single call with O(state=settled) does all of it. A fleet calls the phases one
    after another on all hosts with one O(run), so that any failure can still be taken back
    everywhere with O(state=reverted).
  - Each phase is safe to repeat. The same SHA, image and configuration again changes nothing.
  - With O(action=rollback) the goal is a release that served before; gate, cutover, watch and way
    back are the same. Without O(sha) it is the standby, which is started again with the very
    configuration it ran with. With O(sha) it is the standby if it is that release, else the
    retained image with the present configuration, else the image is pulled again, which alone
    needs the registry.
  - A second rollback without O(sha) changes nothing; it does not return to the release that was
    rolled back.
extends_documentation_fragment:
  - greenlight.droplet.attributes
  - greenlight.droplet.transaction
options:
  sha:
    description:
      - The git SHA to release, 7 to 40 hexadecimal digits. A prefix must mean exactly one image of
        the registry.
      - The image's label C(org.opencontainers.image.revision) must be the full SHA.
      - A release needs it. A rollback without it goes back to the release before.
    type: str
    default: ''
  action:
    description: Where to look for what shall be live, and how the journal calls it.
    type: str
    choices: [release, rollback]
    default: release
  release:
    description:
      - For a rollback, identifier of a release whose container is on the host, as
        M(greenlight.droplet.release_info) returns it. Goes before O(sha).
      - Phases after the first pass it, so that they mean the container that the first one has
        found.
    type: str
    default: ''
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.release_info
"""

EXAMPLES = r"""
---
- name: Release a commit on one host, all phases in one call
  greenlight.droplet.release:
    app: api
    sha: 3f9c2ab41d0e5b6a7c8d9e0f1a2b3c4d5e6f7a8b
    image: registry.example.com/team/api
    registry_username: deploy
    registry_password: "{{ registry_password }}"
    env:
      LOG_LEVEL: info
    secrets:
      DATABASE_URL: "{{ database_url }}"
    health:
      path: /v1/health
      expect: status == 'healthy'

- name: Start it in the idle slot of every host, no traffic moves yet
  greenlight.droplet.release:
    sha: 3f9c2ab41d0e5b6a7c8d9e0f1a2b3c4d5e6f7a8b
    image: registry.example.com/team/api
    state: staged
    run: github-4711

- name: Go back to the previous release
  greenlight.droplet.release:
    app: api
    action: rollback

- name: Go back to a named release
  greenlight.droplet.release:
    app: api
    action: rollback
    sha: 3f9c2ab
    image: registry.example.com/team/api
"""

RETURN = r"""
sha:
  description: The full SHA that the call aimed at.
  returned: success
  type: str
  sample: 3f9c2ab41d0e5b6a7c8d9e0f1a2b3c4d5e6f7a8b
digest:
  description: Digest of the image, to be passed to the later phases.
  returned: success
  type: str
  sample: sha256:0f2d7c1e4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
release:
  description: Identifier of the release whose container was there already; empty when a new
    container is needed.
  returned: success
  type: str
  sample: 20261121T101500Z-3f9c2ab
config:
  description: Hash of everything that makes the container but its image.
  returned: success
  type: str
  sample: 5d1c0ffee123
run:
  description: Name of the run.
  returned: success
  type: str
  sample: 20261126T101500Z-471100
outdated_command:
  description: Whether the command C(greenlight) on the host is of another version than
    O(command_version). Then a run that would begin with O(state=settled) has done nothing.
  returned: success
  type: bool
  sample: false
lease:
  description: The run that holds the host, the process that leads it, and the seconds until its
    lease ends.
  returned: failure because another run is under way
  type: dict
  sample: {run: 20261126T101400Z-815, controller: '', seconds_left: 41.5}
needed:
  description: Whether anything was to be done when the call began.
  returned: success
  type: bool
  sample: true
plan:
  description: The steps from the state found to the goal, the same in check mode and in a real run.
  returned: success
  type: list
  elements: str
  sample: ["start: 3f9c2ab in slot green"]
steps:
  description: The steps carried out.
  returned: always
  type: list
  elements: dict
  contains:
    step:
      description: Name of the step.
      type: str
    text:
      description: What came of it.
      type: str
    seconds:
      description: How long it took.
      type: float
seconds:
  description: Sum of the steps' seconds.
  returned: success
  type: float
  sample: 2.41
message:
  description: One line for people.
  returned: success
  type: str
  sample: "release of 3f9c2ab: pull, start, gate"
live:
  description: The live release after the call; empty when none is.
  returned: success
  type: dict
  sample: {sha: 3f9c2ab41d0e5b6a7c8d9e0f1a2b3c4d5e6f7a8b, slot: green, state: running}
standby:
  description: The standby after the call; empty when there is none.
  returned: success with O(state=planned) or O(state=settled)
  type: dict
  sample: {sha: 8a7b6c5d4e3f2a1b0f9e8d7c6b5a4d3e2f1a0b9c, slot: blue, state: exited}
notes:
  description: What somebody should know although it stops no release, also as warnings.
  returned: success
  type: list
  elements: str
  sample: []
failure:
  description: The parts of the error message of a transaction that failed.
  returned: failure of a step
  type: dict
  contains:
    step:
      description: Name of the failed step.
      type: str
    reason:
      description: Why it failed.
      type: str
    check:
      description: The check that said no.
      type: str
    last_answer:
      description:
        - The last answer to that check, in one line of at most 300 characters.
        - The run's secrets are taken out of it.
      type: str
    log_lines:
      description: The last lines that the new container wrote, without the run's secrets.
      type: list
      elements: str
    outcome:
      description: What was done about it.
      type: str
    serving:
      description: What serves now, as the proxy says.
      type: str
    next:
      description: The command to run next.
      type: str
    back_seconds:
      description: Seconds from the decision to go back until the pointer had moved; null when it
        did not have to move.
      type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._release.host_side import (
    run_module,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.options import OPTIONS


def main() -> None:
    """Run the transaction."""
    module = AnsibleModule(
        argument_spec={
            **OPTIONS,
            "sha": {"type": "str", "default": ""},
            "release": {"type": "str", "default": ""},
            "action": {"type": "str", "choices": ["release", "rollback"], "default": "release"},
        },
        supports_check_mode=True,
    )
    run_module(module)


if __name__ == "__main__":
    main()
