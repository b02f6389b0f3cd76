# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes part in a fleet release, and whether all of them can meet. Pure but for the clock."""

from __future__ import annotations

import os
import secrets
import time
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Fleet:
    """All hosts of the play, those that take part now, and how many Ansible serves at a time."""

    hosts: list[str]
    present: list[str]
    forks: int

    @classmethod
    def of(cls, variables: Mapping[str, t.Any], forks: int) -> Fleet:
        """Read the play's own variables; `ansible_play_batch` lacks hosts that have failed."""
        hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        return cls(hosts, [str(host) for host in variables["ansible_play_batch"]], forks)

    def problem(self) -> str:
        """Say why these hosts cannot act as one; empty when they can."""
        absent = [host for host in self.hosts if host not in self.present]
        if absent:
            return (
                f"{', '.join(absent)} cannot take part: it failed before, or the play has 'serial'."
                " A release is for all hosts of the play or for none, and goes in batches by itself"
                " (app_cutover_batch). Leave a broken host out on purpose with --limit. Nothing was"
                " changed."
            )
        if len(self.hosts) > self.forks:
            return (
                f"The fleet has {len(self.hosts)} hosts and Ansible serves {self.forks} at a time,"
                f" yet all take part at once. Add --forks {len(self.hosts)}, or set forks in"
                " ansible.cfg. Nothing was changed."
            )
        return ""


def unfit(task: t.Any, hosts: int) -> str:
    """Say which keyword of the task keeps the hosts from acting as one; empty when none does."""
    found = [name for name in ("run_once", "loop", "until", "retries") if getattr(task, name)]
    if 0 < (task.throttle or 0) < hosts:
        found.append("throttle")
    if not found:
        return ""
    return (
        f"The task has {' and '.join(found)}, with which its hosts cannot meet: each takes part at"
        " the same time, and once. Take that off the task, its block and its play. Nothing was"
        " changed."
    )


def new_run(seconds: float) -> str:
    """Return a name for a run that begins at that time (seconds since the epoch)."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    return f"{stamp}-{secrets.randbelow(1_000_000)}"


def person(environment: Mapping[str, str]) -> str:
    """Return who asks: the CI's actor or the user, and the machine."""
    name = environment.get("GITHUB_ACTOR") or environment.get("USER") or "root"
    return f"{name}@{os.uname().nodename}"


def ci_run(environment: Mapping[str, str]) -> str:
    """Return the address of the CI run that this is part of; empty outside of CI."""
    if number := environment.get("GITHUB_RUN_ID"):
        server = environment.get("GITHUB_SERVER_URL", "")
        return f"{server}/{environment.get('GITHUB_REPOSITORY', '')}/actions/runs/{number}"
    return environment.get("CI_JOB_URL", "")
