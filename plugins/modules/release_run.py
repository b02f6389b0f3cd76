#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of action release_run; its work is in plugins/action/release_run.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_run
short_description: Begin a release over all hosts of a play
version_added: 0.2.0
description:
  - Sees that the hosts of the play can act as one (strategy linear, no C(serial), no host that has
    failed before), names the run, and reckons how long its phases may take at most.
  - Works on the controller alone, asks no host and changes nothing. Give the task C(run_once).
  - Role P(greenlight.droplet.app#role) uses it; a play of your own needs it only to build the
    phases of a release by itself.
extends_documentation_fragment:
  - greenlight.droplet.attributes
attributes:
  diff_mode:
    support: N/A
options:
  health:
    description: The health check of the release, as in M(greenlight.droplet.release).
    type: dict
    default: {}
  watch:
    description: The watch of the release, as in M(greenlight.droplet.release).
    type: dict
    default: {}
  canary:
    description: The canary of the release, as in M(greenlight.droplet.release).
    type: dict
    default: {}
  pull_seconds:
    description: Seconds that a pull may take.
    type: float
    default: 300.0
  drain_seconds:
    description: Seconds for which requests in flight are waited for.
    type: float
    default: 30.0
  stop_timeout:
    description: Seconds between SIGTERM and SIGKILL.
    type: int
    default: 30
  lock_wait:
    description: Seconds to wait for another process on a host that holds the lock.
    type: float
    default: 0.0
  cutover_batch:
    description: How many hosts cut over at a time.
    type: int
    default: 1
  balancer_url:
    description: URL of the load balancer; empty when the release is not looked at through one.
    type: str
    default: ''
  balancer_attempts:
    description: How often the load balancer is asked at most.
    type: int
    default: 10
  balancer_delay:
    description: Seconds between two attempts.
    type: float
    default: 3.0
  run:
    description: What the name of the run begins with, for instance the number of a CI job. The
      moment is added, so that a name is never used twice.
    type: str
    default: ''
  holder:
    description: Who releases, for the journals. Empty means the user and machine that run Ansible.
    type: str
    default: ''
  ci_run:
    description: Address of the CI run. Empty means the one that the environment names, if any.
    type: str
    default: ''
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.release
"""

EXAMPLES = r"""
---
- name: Name the run, and see that its hosts can act as one
  greenlight.droplet.release_run:
    health:
      deadline: 30
    watch:
      seconds: 10
  run_once: true
  register: begun
"""

RETURN = r"""
run:
  description: Name of the run, the same for all its phases and hosts.
  returned: success
  type: str
  sample: 20261126T101500Z-471100
holder:
  description: Who releases.
  returned: success
  type: str
  sample: ann@laptop
ci_run:
  description: Address of the CI run; empty outside of CI.
  returned: success
  type: str
  sample: ''
controller:
  description: The process that leads the run, so that its machine can tell later whether it lives.
  returned: success
  type: str
  sample: 5f0c2c1e-4cf1-4f3f-9d43-0e1c6a0c8b11:4711:90210
limits:
  description: Seconds that each phase may take on all hosts, for how long a host waits after each
    before it takes the run back, and the bound of all that.
  returned: success
  type: dict
  sample: {stage: 380, cut_over: 84, after_stage: 464, after_cutover: 204, bound: 524}
forks:
  description: How many hosts Ansible serves at a time.
  returned: success
  type: int
  sample: 5
"""
