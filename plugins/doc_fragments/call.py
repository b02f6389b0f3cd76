# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation fragment: the options of one call of release or rollback on one host.

Written by `make options` from scripts/options.yml: change it there.
"""

from __future__ import annotations


class ModuleDocFragment:
    """The options of one call of release or rollback on one host."""

    DOCUMENTATION = r"""
options:
  digest:
    description: Digest of the image, returned by V(planned). With it and the full SHA
      the registry is not asked again.
    type: str
    default: ''
  state:
    description:
      - How far to go. Each phase includes the ones before it, so that V(settled) on one
        host does everything.
      - V(planned) checks everything that can be checked without changing the host and
        returns the plan.
      - V(staged) pulls, starts in the idle slot and passes the health gate; no traffic
        moves.
      - V(live) moves the pointer and watches the release.
      - V(proved) looks at a live release once more. After it the host goes back only
        when the run is cut off.
      - V(committed) makes the release final, so that only a rollback leads back.
      - V(settled) does that too, drains and stops the old release, keeps it as the standby,
        and prunes what is older than O(retain).
      - V(reverted) takes back what O(run) has done on this host before it was settled.
    type: str
    choices:
      - planned
      - staged
      - live
      - proved
      - committed
      - settled
      - reverted
    default: settled
  run:
    description: Identifier of the fleet release that this call is part of. The same for
      all its phases and hosts.
    type: str
    default: ''
  reserve:
    description: With V(planned), reserve the host for O(run) when there is something
      to do. Of two fleet releases that begin at once, one is then refused before anything
      is touched.
    type: bool
    default: false
"""
