# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All filters of the collection; the YAML file of a filter's name documents it."""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import networks
from ansible_collections.greenlight.droplet.plugins.plugin_utils import (
    fleet,
    fleet_report,
    health,
    shapes,
)

HostVars = t.Mapping[str, t.Mapping[str, t.Any]]
Filter = t.Callable[..., t.Any]


def hosts_in_need(hostvars: HostVars, hosts: list[str]) -> list[str]:
    """Take the plans of the hosts out of their variables. Raises FleetError or ValueError."""
    unplanned = [host for host in hosts if "__app_plan" not in hostvars[host]]
    if unplanned:
        raise ValueError(f"{', '.join(unplanned)}: no plan is known; every host must be planned.")
    return fleet_report.hosts_in_need({host: hostvars[host]["__app_plan"] for host in hosts})


def release_summary(hostvars: HostVars, hosts: list[str], host: str, settling: bool = False) -> str:
    """Tell of a release that failed before it was final, or after."""
    tell = fleet_report.settle_summary if settling else fleet_report.release_summary
    return tell(hostvars, hosts, host)


FILTERS: t.Final[dict[str, Filter]] = {
    "audit_table": fleet.audit_table,
    "expected_backends": fleet.expected_backends,
    "haproxy_check": health.haproxy_check,
    "health_check": health.health_check,
    "haproxy_header": shapes.haproxy_header,
    "hosts_in_need": hosts_in_need,
    "journal_lines": fleet.journal_lines,
    "networks_holding": networks.networks_holding,
    "refused_by_ended_runs": fleet_report.refused_by_ended_runs,
    "release_summary": release_summary,
    "runs_table": fleet.runs_table,
    "slot_address": networks.slot_address,
    "status_table": fleet.status_table,
    "wrong_shapes": shapes.wrong_shapes,
}


def adapt(name: str, function: Filter) -> Filter:
    """Make a filter of a function: what it raises becomes an error of Ansible, with its name."""

    @functools.wraps(function)
    def adapted(*args: t.Any, **named: t.Any) -> t.Any:
        try:
            return function(*args, **named)
        except fleet_report.FleetError as exc:
            # It is written for people and needs no name before it.
            raise AnsibleFilterError(str(exc)) from exc
        except KeyError as exc:
            raise AnsibleFilterError(f"greenlight.droplet.{name}: a host lacks {exc}") from exc
        except ValueError as exc:
            raise AnsibleFilterError(f"greenlight.droplet.{name}: {exc}") from exc

    return adapted


class FilterModule:
    """Makes the filters known to Ansible."""

    def filters(self) -> dict[str, Filter]:
        """Return the filters by their names."""
        return {name: adapt(name, function) for name, function in FILTERS.items()}
