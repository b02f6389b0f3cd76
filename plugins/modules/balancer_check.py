#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of action balancer_check; its work is in plugins/action/balancer_check.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: balancer_check
short_description: Verify through the load balancer that every host serves the slot it should
version_added: 0.1.0
description:
  - Asks the health path through the load balancer, on new connections, and reads which host and
    slot answered from the headers that the droplet's HAProxy sets on that path alone.
  - Passes when every host of O(expected) has answered from its expected slot, and nobody from
    another one.
  - Runs on the controller, which has to reach the load balancer; hosts are not connected to, and
    nothing is changed.
extends_documentation_fragment:
  - greenlight.droplet.attributes
attributes:
  diff_mode:
    support: N/A
options:
  url:
    description: The load balancer's URL with the health path.
    type: str
    required: true
  host_header:
    description: Host header of the requests. Empty means the host of the URL.
    type: str
    default: ''
  expected:
    description: The backend that must answer, by inventory host name.
    type: dict
    required: true
  status:
    description: Status codes that a healthy application answers with.
    type: list
    elements: int
    default: [200]
  others:
    description: Hosts that may answer too, from whatever slot.
    type: list
    elements: str
    default: []
  attempts:
    description: How often to try before giving up.
    type: int
    default: 10
  delay:
    description: Seconds between two attempts.
    type: float
    default: 3.0
  timeout:
    description: Seconds that one answer may take.
    type: float
    default: 5.0
author:
  - Greenlight contributors (@greenlight)
seealso:
  - module: greenlight.droplet.release
"""

EXAMPLES = r"""
---
- name: See both hosts on their new slot through the load balancer
  greenlight.droplet.balancer_check:
    url: http://127.0.0.1:3001/v1/health
    expected:
      api-1: api-green
      api-2: api-blue
  run_once: true
"""

RETURN = r"""
seen:
  description: Which backends answered in the last attempt, by host.
  returned: always
  type: dict
  sample: {api-1: [api-green], api-2: [api-blue]}
attempts:
  description: How many attempts were made.
  returned: always
  type: int
  sample: 1
message:
  description: One line for people.
  returned: success
  type: str
  sample: 2 of 2 hosts seen on their expected slot, attempt 1 of 10
"""
