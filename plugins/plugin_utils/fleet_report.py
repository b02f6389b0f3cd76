# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a fleet release say, put together for decisions and for people. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.greenlight.droplet.plugins.plugin_utils.fleet import short
from ansible_collections.greenlight.droplet.plugins.plugin_utils.run import has_ended


class FleetError(ValueError):
    """The hosts contradict each other; the text says how and what to do."""


@dataclass(frozen=True)
class View:
    """What one host has said in the end: why it failed, if it did, and what serves there.

    `stuck` says why it could not take the run back.
    """

    failure: str = ""
    live: Mapping[str, t.Any] = field(default_factory=dict)
    unreachable: bool = False
    final: bool = False
    stuck: str = ""

    def serving(self) -> str:
        """Say in a few words what serves on the host."""
        if self.unreachable:
            return "unknown"
        return f"{short(self.live['sha'])} ({self.live['state']})" if self.live else "no release"


def hosts_in_need(plans: Mapping[str, Mapping[str, t.Any]]) -> list[str]:
    """Return the hosts whose plan has steps.

    Raises FleetError when two of them are one host, or when not all aim at one release.
    """
    if unplanned := [host for host, plan in plans.items() if "sha" not in plan]:
        raise FleetError(
            f"{', '.join(unplanned)} could not be planned, so no host begins; see above why."
        )
    _refuse_one_host_by_two_names(plans)
    goals = {host: (plan["sha"], plan["digest"]) for host, plan in plans.items()}
    if len(set(goals.values())) > 1:
        lines = [f"  {host}: {short(sha)} {digest[:19]}" for host, (sha, digest) in goals.items()]
        raise FleetError(
            "The hosts do not mean the same release. Name one with -e sha=...; nothing was"
            " changed.\n" + "\n".join(lines)
        )
    return [host for host, plan in plans.items() if plan["needed"]]


def _refuse_one_host_by_two_names(plans: Mapping[str, Mapping[str, t.Any]]) -> None:
    names: dict[str, list[str]] = {}
    for host, plan in plans.items():
        names.setdefault(str(plan.get("identity") or host), []).append(host)
    same = [" and ".join(hosts) for hosts in names.values() if len(hosts) > 1]
    if same:
        raise FleetError(
            f"{'; '.join(same)} are one host by more than one name, and a release works on each"
            " host once. Take the other names out of the inventory, or leave them out with --limit."
            " Nothing was changed."
        )


_PHASES: t.Final = (
    "plan",
    "installed",
    "staged",
    "turned",
    "proved",
    "committed",
    "settled",
    "reverted",
)
"""The phases whose results role app registers, in their order, as `__app_<phase>`."""


def release_summary(
    hostvars: Mapping[str, Mapping[str, t.Any]], hosts: list[str], host: str
) -> str:
    """Say why a release failed and what every host serves, from what role app has registered.

    Only one host says it, the first that has heard what it serves, or the first that Ansible still
    asks; `host` is the one that asks.
    """
    views = {name: view(hostvars[name]) for name in hosts}
    heard = [name for name, view_ in views.items() if not view_.unreachable]
    asked = [name for name in hosts if not _left_the_play(hostvars[name])]
    if host != [*heard, *asked, host][0]:
        return "see above"
    plans = [_result(hostvars[name], "plan") for name in hosts]
    sha = next((str(plan["sha"]) for plan in plans if plan.get("sha")), "")
    run = _run(hostvars[host])
    balancer = hostvars[host].get("__app_balancer") or {}
    bound = int((run.get("limits") or {}).get("bound", 0))
    touched = any(_touched(hostvars[name]) for name in hosts)
    text = str(balancer.get("msg", "")) if balancer.get("failed") else ""
    first = not any(plan.get("live") for plan in plans)
    return summary(sha, views, text, bound, touched=touched, first=first)


def view(variables: Mapping[str, t.Any]) -> View:
    """Return what one host has said in this run: its first failure, and what it served last."""
    failure = ""
    for phase in _PHASES[:-1]:
        result = _result(variables, phase)
        if result.get("failed") or result.get("unreachable"):
            failure = failure or _reason(result)
    back = _result(variables, "reverted")
    final, lost = bool(back.get("final")), "live" not in back
    stuck = _reason(back) if lost and back.get("failed") else ""
    return View(failure, back.get("live") or {}, unreachable=lost, final=final, stuck=stuck)


def _run(variables: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    return t.cast("Mapping[str, t.Any]", variables.get("__app_run") or {})


def _result(variables: Mapping[str, t.Any], phase: str) -> Mapping[str, t.Any]:
    """Return what a phase of this run has registered; that of an earlier run of a play is none."""
    result: Mapping[str, t.Any] = variables.get(f"__app_{phase}") or {}
    run = _run(variables).get("run")
    if phase == "installed" and not _result(variables, "plan").get("outdated_command"):
        # It names no run, and this one had nothing to install.
        return {}
    return {} if run and result.get("run", run) != run else result


def _left_the_play(variables: Mapping[str, t.Any]) -> bool:
    """Tell whether Ansible has lost the host in this run; it asks such a host nothing more.

    One that is lost while the release is made final stays in the play.
    """
    phases = [phase for phase in _PHASES if phase not in ("committed", "settled")]
    return any(_result(variables, phase).get("unreachable") for phase in phases)


_SIGNALLED: t.Final = 128
"""Exit codes above it mean a signal, to shells: 137 is SIGKILL."""


def _reason(result: Mapping[str, t.Any]) -> str:
    if result.get("unreachable"):
        return f"cannot be reached: {result.get('msg', '')}"
    if "run" not in result and result.get("rc", 0) > _SIGNALLED:
        return f"the process of this phase was killed on the host (exit code {result['rc']})"
    failure = result.get("failure") or {}
    return str(failure.get("reason") or result.get("msg") or "failed").strip()


def _touched(variables: Mapping[str, t.Any]) -> bool:
    """Tell whether the run may have changed anything on this host."""
    results = (_result(variables, phase) for phase in _PHASES if phase not in ("plan", "reverted"))
    return any(result and not result.get("skipped") for result in results)


def summary(
    sha: str,
    views: Mapping[str, View],
    balancer: str = "",
    bound: int = 0,
    *,
    touched: bool = True,
    first: bool = False,
) -> str:
    """Say host by host what failed and what serves; the reason first, the next command last.

    `balancer` is what was wrong through the load balancer, `bound` the seconds after which a host
    that cannot be reached has taken the run back alone; `first` says that none had a release.
    """
    failed = [host for host, view_ in views.items() if view_.failure]
    who = f"{', '.join(failed)} failed" if failed else "see above"
    who = "it was not right through the load balancer" if balancer and not failed else who
    lines = [f"{short(sha) if sha else 'Nothing'} was {'not ' if sha else ''}released: {who}."]
    lines += [f"  {host:<16} {_indented(views[host].failure)}" for host in failed]
    lines += [f"  {'load balancer':<16} {balancer}"] if balancer else []
    if not touched:
        return "\n".join([*lines, "No host was touched."])
    lines.append("Serving now:")
    lines += [f"  {host:<16} {view_.serving()}" for host, view_ in views.items()]
    if final := [host for host, view_ in views.items() if view_.final]:
        lines[0] = f"It was released, but not seen to its end: {', '.join(failed or final)} failed."
    lines += [
        *_ends(views, final, bound, first=first),
        "Look closer: ansible-playbook playbooks/status-api.yml",
    ]
    return "\n".join(lines)


def _ends(views: Mapping[str, View], final: list[str], bound: int, *, first: bool) -> list[str]:
    """Say how it goes on from what the hosts serve."""
    if final:
        return [f"On {', '.join(final)} it is final; the host completes what is left alone."]
    stuck = {host: view_.stuck for host, view_ in views.items() if view_.stuck}
    lines = [f"{host} could not take it back: {_indented(text)}" for host, text in stuck.items()]
    if away := [host for host, view_ in views.items() if view_.unreachable]:
        lost = [host for host in away if host not in stuck]
        lines += [f"{', '.join(lost)} could not be asked."] if lost else []
        back = (
            f"What this run has done on {', '.join(away)}, the host takes back alone within"
            f" {bound} s"
        )
        # Where nothing served before, a release that has cut over is better than none.
        kept = ", unless the release serves there already: it is the first one, and stays"
        return [*lines, f"{back}{kept if first else ''}."]
    if len({view_.serving() for view_ in views.values()}) == 1:
        nothing = not any(view_.live for view_ in views.values())
        what = "No host serves a release" if nothing else "All hosts serve one release"
        return [f"{what}, as before; nothing has to be undone."]
    return [
        "The hosts differ; bring them together with"
        " 'ansible-playbook playbooks/update-api.yml -e sha=<sha>'."
    ]


def _indented(text: str) -> str:
    """Return a text whose later lines stand below its first one."""
    return "\n".join([*text.splitlines()[:1], *(f"    {line}" for line in text.splitlines()[1:])])


def settle_summary(hostvars: Mapping[str, Mapping[str, t.Any]], hosts: list[str], host: str) -> str:
    """Say which hosts could not settle; `host` is who asks.

    Only one host says it, the first that failed of those that Ansible still asks.
    """
    views = {name: view(hostvars[name]) for name in hosts}
    failures = {name: view_.failure for name, view_ in views.items() if view_.failure}
    asked = [name for name in hosts if not _left_the_play(hostvars[name])]
    if host != [*(name for name in asked if name in failures), *asked, host][0]:
        return "see above"
    sha = str((hostvars[host].get("__app_plan") or {}).get("sha", ""))
    told = [name for name in failures if _was_told(hostvars[name])]
    return unsettled(sha, failures, [n for n in hosts if n not in failures or n in told])


def _was_told(variables: Mapping[str, t.Any]) -> bool:
    """Tell whether a host whose phase failed has heard afterwards that the release is final."""
    result = _result(variables, "told")
    return bool(result) and not any(map(result.get, ("failed", "unreachable", "skipped")))


def unsettled(sha: str, failures: Mapping[str, str], others: list[str]) -> str:
    """Say which hosts have not put the old release away, or could not be asked."""
    lines = [f"{short(sha)} was not made final and settled on {', '.join(failures)}:"]
    lines += [f"  {host:<16} {text.partition(chr(10))[0]}" for host, text in failures.items()]
    lines += [f"It is final on {', '.join(others)}."] if others else []
    lines += [
        "A host that has heard that it is final completes it alone; one that has not goes back when"
        " nobody goes on with the run.",
        "Look: ansible-playbook playbooks/status-api.yml",
        f"Run next: ansible-playbook playbooks/update-api.yml -e sha={sha or '<sha>'} brings all"
        " hosts together.",
    ]
    return "\n".join(lines)


def refused_by_ended_runs(hostvars: Mapping[str, Mapping[str, t.Any]], hosts: list[str]) -> bool:
    """Tell whether all that keeps a run from beginning is runs whose process here has ended.

    False when a host could not be asked, failed for another reason, or was refused by a run that
    may still live.
    """
    plans = [hostvars[host].get("__app_plan") or {"failed": True} for host in hosts]
    refused = [plan for plan in plans if plan.get("failed") or plan.get("unreachable")]
    others = [plan for plan in plans if plan not in refused]
    leases = [plan.get("lease") or {} for plan in refused]
    # A host whose command is of another version has not been asked yet who holds it.
    return (
        bool(refused)
        and all("sha" in plan for plan in others)
        and all(has_ended(str(lease.get("controller", ""))) for lease in leases)
    )
