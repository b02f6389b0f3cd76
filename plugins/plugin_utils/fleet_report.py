# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a fleet release say, put together for decisions and for people. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.greenlight.droplet.plugins.plugin_utils.fleet import short


class FleetError(ValueError):
    """The hosts contradict each other; the text says how and what to do."""


@dataclass(frozen=True)
class View:
    """What one host has said in the end: why it failed, if it did, and what serves there."""

    failure: str = ""
    live: Mapping[str, t.Any] = field(default_factory=dict)
    unreachable: bool = False

    def serving(self) -> str:
        """Say in a few words what serves on the host."""
        if self.unreachable:
            return "unreachable, unknown"
        return f"{short(self.live['sha'])} ({self.live['state']})" if self.live else "no release"


def hosts_in_need(plans: Mapping[str, Mapping[str, t.Any]]) -> list[str]:
    """Return the hosts whose plan has steps. Raises FleetError unless all aim at one release."""
    goals = {host: (plan["sha"], plan["digest"]) for host, plan in plans.items()}
    if len(set(goals.values())) > 1:
        lines = [f"  {host}: {short(sha)} {digest[:19]}" for host, (sha, digest) in goals.items()]
        raise FleetError(
            "The hosts do not mean the same release. Name one with -e sha=...; nothing was"
            " changed.\n" + "\n".join(lines)
        )
    return [host for host, plan in plans.items() if plan["needed"]]


def batches(hosts: list[str], size: int) -> list[list[str]]:
    """Return the hosts in groups of at most `size`, in order."""
    return [hosts[start : start + size] for start in range(0, len(hosts), size)]


def summary(sha: str, views: Mapping[str, View]) -> str:
    """Say host by host what failed and what serves; the reason first, the next command last."""
    failed = [host for host, view in views.items() if view.failure]
    reasons = [f"  {host:<16} {views[host].failure}" for host in failed]
    lines = [f"{short(sha)} was not released: {', '.join(failed)} failed.", *reasons]
    lines.append("Serving now:")
    lines += [f"  {host:<16} {view.serving()}" for host, view in views.items()]
    if len({view.serving() for view in views.values()}) == 1:
        lines.append("All hosts serve one release, as before; nothing has to be undone.")
    else:
        lines.append(
            "The hosts differ; bring them together with"
            " 'ansible-playbook playbooks/update-api.yml -e sha=<sha>'."
        )
    lines.append("Look closer: ansible-playbook playbooks/status-api.yml")
    return "\n".join(lines)


def unsettled(sha: str, failures: Mapping[str, str]) -> str:
    """Say which hosts serve the new release and could not put the old one away."""
    lines = [f"{short(sha)} is live on every host, but {', '.join(failures)} could not settle:"]
    lines += [f"  {host:<16} {text.partition(chr(10))[0]}" for host, text in failures.items()]
    lines.append("Run next: the same command again; it completes what is left.")
    return "\n".join(lines)
