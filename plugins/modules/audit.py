#!/usr/bin/python
# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module audit: hold a host against Lynis, the CIS Docker Benchmark and rules of our own."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Hold a host against Lynis, the CIS Docker Benchmark and rules of our own
version_added: 0.2.0
description:
  - Reads the host and changes none of its settings.
  - Keeps its report in C(/var/lib/greenlight/audit). That is a record and no setting, so the result
    says C(changed=false).
  - Does not fail for what it finds. RV(reasons) says why the host is not good enough.
extends_documentation_fragment:
  - greenlight.droplet.attributes
attributes:
  check_mode:
    details: In check mode Lynis is not run, for it writes files, and no report is kept.
  diff_mode:
    support: N/A
options:
  host:
    description: The host's name in the inventory, for the report and for O(waivers).
    type: str
    required: true
  lynis:
    description: Run Lynis, which must be installed.
    type: bool
    default: true
  lynis_minimum:
    description: The least hardening index of Lynis, 0 to 100.
    type: int
    default: 90
  fail_on_suggestions:
    description: Count suggestions of Lynis that nobody has answered as a reason.
    type: bool
    default: false
  ports:
    description: TCP ports that may listen besides SSH's and the applications'.
    type: list
    elements: int
    default: []
  docker_users:
    description: Users that may be in group docker.
    type: list
    elements: str
    default: []
  waivers:
    description:
      - Findings that are accepted, with a reason and a date each.
      - One without either, past its date or of an unknown rule is an error.
    type: list
    elements: dict
    default: []
    suboptions:
      rule:
        description: Identifier of the rule, as the audit prints it.
        type: str
      reason:
        description: Why it is accepted.
        type: str
      expires:
        description: The last day on which it is, as YYYY-MM-DD.
        type: str
      hosts:
        description: Pattern of the hosts that it is for, such as C(api-*); all when not set.
        type: str
      detail:
        description: Accept only findings that contain this text; all of the rule when not set.
        type: str
  keep:
    description: How many reports stay on the host.
    type: int
    default: 20
author:
  - Greenlight contributors (@greenlight)
"""

EXAMPLES = r"""
---
- name: Audit the host
  greenlight.droplet.audit:
    host: "{{ inventory_hostname }}"
    waivers:
      - rule: CIS-1.1.1
        reason: The droplet has one disk; the limits of logs and images keep it from filling.
        expires: "2027-06-30"
  register: audit
"""

RETURN = r"""
host:
  description: The host's name in the inventory.
  returned: success
  type: str
  sample: api-1
time:
  description: When the audit began, UTC.
  returned: success
  type: str
  sample: "2026-11-21T10:15:04Z"
lynis_version:
  description: Version of Lynis; empty when it was not run.
  returned: success
  type: str
  sample: 3.0.8
lynis_index:
  description: Hardening index of Lynis, 0 to 100; -1 when it was not run.
  returned: success
  type: int
  sample: 91
totals:
  description: How many findings have which status, by source.
  returned: success
  type: dict
  sample: {docker: {passed: 60, waived: 4}}
findings:
  description: One entry for each rule, and for each finding of Lynis.
  returned: success
  type: list
  elements: dict
  contains:
    rule:
      description: Identifier of the rule.
      type: str
    source:
      description: greenlight, docker or lynis.
      type: str
    status:
      description: passed, failed, waived, open or not applicable.
      type: str
    title:
      description: What the rule wants.
      type: str
    found:
      description: What was found; empty when the rule holds.
      type: str
    remedy:
      description: What to do.
      type: str
    reason:
      description: Why it is accepted; empty when it is not.
      type: str
    expires:
      description: The last day on which it is accepted.
      type: str
unused_waivers:
  description: Rules whose waiver has accepted nothing on this host.
  returned: success
  type: list
  elements: str
  sample: []
reasons:
  description: Why the host is not good enough; empty when it is.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.droplet.plugins.module_utils._audit.run import run_audit
from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import printable_value

WAIVER_KEYS = ("rule", "reason", "expires", "hosts", "detail")


def main() -> None:
    """Audit and return."""
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "required": True},
            "lynis": {"type": "bool", "default": True},
            "lynis_minimum": {"type": "int", "default": 90},
            "fail_on_suggestions": {"type": "bool", "default": False},
            "ports": {"type": "list", "elements": "int", "default": []},
            "docker_users": {"type": "list", "elements": "str", "default": []},
            "waivers": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {key: {"type": "str"} for key in WAIVER_KEYS},
            },
            "keep": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    with reported(module):
        report = run_audit(module.params, module.check_mode)
    module.exit_json(changed=False, **printable_value(report))


if __name__ == "__main__":
    main()
