# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the CIS Docker Benchmark on the containers that Greenlight has made. Pure.

The numbers are those that docker-bench-security 1.6 prints; the words and the checks are ours.
"""

from __future__ import annotations

import ipaddress
import typing as t

from .daemon import name_of, ours
from .model import Facts, Rule

Inspected = t.Mapping[str, t.Any]
"""What `docker inspect` says of one container."""

ContainerCheck = t.Callable[[Inspected], str]
"""Returns what is wrong with one container, or an empty text."""

ALL: t.Final = "*"
"""Stands for every address of the host, which Docker writes as an empty one."""

SENSITIVE: t.Final = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr")


RULES: t.Final[list[Rule]] = []


def _rule(number: str, title: str, remedy: str) -> t.Callable[[ContainerCheck], ContainerCheck]:
    """Make a rule of the check that follows; it has no object where none of ours is."""

    def add(check: ContainerCheck) -> ContainerCheck:
        def over_all(facts: Facts) -> str | None:
            found = [] if facts.docker is None else ours(facts.docker)
            if not found:
                return None
            wrong = [f"{name_of(c)}: {said}" for c in found for said in [check(c)] if said]
            return "; ".join(sorted(wrong))

        RULES.append(Rule(f"CIS-{number}", "docker", title, remedy, over_all))
        return check

    return add


def _host(container: Inspected) -> Inspected:
    return t.cast("Inspected", container.get("HostConfig") or {})


def _options(container: Inspected) -> list[str]:
    return [str(option) for option in _host(container).get("SecurityOpt") or ()]


def _mounts(container: Inspected) -> list[Inspected]:
    return list(container.get("Mounts") or ())


@_rule("5.1", "AppArmor confines it", "Switch AppArmor on and release again")
def _apparmor(container: Inspected) -> str:
    profile = container.get("AppArmorProfile") or "none"
    return f"profile {profile}" if profile in ("none", "unconfined") else ""


@_rule("5.3", "It has no capability but those it names", "Leave cap_drop at ALL")
def _capabilities(container: Inspected) -> str:
    dropped = [str(name).upper() for name in _host(container).get("CapDrop") or ()]
    return "" if "ALL" in dropped else "not all capabilities are dropped"


@_rule("5.5", "It mounts no folder of the system", "Take the folder out of app_volumes")
def _sensitive(container: Inspected) -> str:
    sources = [str(mount.get("Source", "")).rstrip("/") or "/" for mount in _mounts(container)]
    found = sorted(set(sources) & set(SENSITIVE))
    return f"mounts {', '.join(found)}" if found else ""


def published(container: Inspected) -> list[str]:
    """Return the host ports of a container as ADDRESS:PORT, also of one that does not run."""
    configured = _host(container).get("PortBindings") or {}
    running = (container.get("NetworkSettings") or {}).get("Ports") or {}
    bindings = [
        b for ports in (configured, running) for found in ports.values() for b in found or ()
    ]
    return sorted({f"{b.get('HostIp') or ALL}:{b.get('HostPort') or 'any'}" for b in bindings})


@_rule("5.7", "It publishes no port below 1024", "Publish no port")
def _privileged_ports(container: Inspected) -> str:
    ports = [place for place in published(container) if _below_1024(place.rsplit(":", 1)[1])]
    return f"publishes {', '.join(ports)}" if ports else ""


def _below_1024(port: str) -> bool:
    return port.isdigit() and int(port) < 1024


@_rule("5.13", "What it publishes is bound to one address", "Publish no port")
def _all_addresses(container: Inspected) -> str:
    ports = [p for p in published(container) if _is_everywhere(p)]
    return f"publishes {', '.join(ports)}" if ports else ""


def _is_everywhere(place: str) -> bool:
    address = place.rsplit(":", 1)[0].strip("[]")
    return address == ALL or ipaddress.ip_address(address).is_unspecified


@_rule("5.8", "It publishes no port: HAProxy leads to it", "Publish no port")
def _published(container: Inspected) -> str:
    ports = published(container)
    return f"publishes {', '.join(ports)}" if ports else ""


def _shares(number: str, title: str, name: str, what: str) -> None:
    """Make the rule that a container does not share a part of the host."""

    @_rule(number, title, "Release again")
    def check(container: Inspected) -> str:
        return f"shares the host's {what}" if _host(container).get(name) == "host" else ""


_shares("5.9", "It has a network of its own", "NetworkMode", "network")
_shares("5.15", "It has processes of its own", "PidMode", "processes")
_shares("5.16", "It has shared memory of its own", "IpcMode", "shared memory")
_shares("5.20", "It has a host name of its own", "UTSMode", "host name")
_shares("5.30", "It has users of its own", "UsernsMode", "users")


def _is_set(number: str, title: str, option: str, name: str, what: str) -> None:
    """Make the rule that an option of the role has set a limit."""

    @_rule(number, title, f"Set {option}")
    def check(container: Inspected) -> str:
        return "" if (_host(container).get(name) or 0) > 0 else f"no {what}"


_is_set("5.10", "Its memory is limited", "app_memory", "Memory", "limit of memory")
_is_set("5.28", "Its processes are limited", "app_pids_limit", "PidsLimit", "limit of processes")


@_rule("5.11", "Its share of the processor is limited", "Set app_cpus")
def _processor(container: Inspected) -> str:
    host = _host(container)
    limited = any((host.get(name) or 0) > 0 for name in ("NanoCpus", "CpuQuota", "CpuShares"))
    return "" if limited else "no limit of the processor's time"


@_rule("5.12", "Its root file system is read-only", "Set app_read_only to true")
def _read_only(container: Inspected) -> str:
    return "" if _host(container).get("ReadonlyRootfs") else "its root file system can be written"


@_rule("5.14", "It is restarted five times at most", "Waive it, or see why it restarts")
def _restart(container: Inspected) -> str:
    policy = _host(container).get("RestartPolicy") or {}
    name, tries = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    endless = name in ("always", "unless-stopped") or (name == "on-failure" and not 0 < tries <= 5)
    return f"restart policy {name}" if endless else ""


@_rule("5.17", "It has no device of the host", "Release again")
def _devices(container: Inspected) -> str:
    devices = [str(d.get("PathOnHost")) for d in _host(container).get("Devices") or ()]
    return f"has {', '.join(devices)}" if devices else ""


@_rule("5.19", "No mount of it spreads to the host", "Do not use :shared in app_volumes")
def _propagation(container: Inspected) -> str:
    found = [str(m.get("Source")) for m in _mounts(container) if m.get("Propagation") == "shared"]
    return f"shared propagation of {', '.join(found)}" if found else ""


@_rule("5.21", "Its system calls are filtered", "Leave Docker's seccomp profile on")
def _seccomp(container: Inspected) -> str:
    off = any(o.startswith("seccomp") and o.endswith("unconfined") for o in _options(container))
    return "system calls are not filtered" if off else ""


@_rule("5.24", "It is in Docker's control group", "Release again")
def _control_group(container: Inspected) -> str:
    parent = _host(container).get("CgroupParent")
    return f"control group {parent}" if parent else ""


@_rule("5.25", "It cannot gain privileges", "Release again")
def _new_privileges(container: Inspected) -> str:
    on = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}
    return "" if on & set(_options(container)) else "a program with setuid may gain privileges"


@_rule("5.26", "Docker checks its health", "Add HEALTHCHECK to the image")
def _health(container: Inspected) -> str:
    test = ((container.get("Config") or {}).get("Healthcheck") or {}).get("Test") or ["NONE"]
    return "no health check" if test[0] == "NONE" else ""


@_rule("5.29", "It is not on Docker's default bridge", "Release again")
def _default_bridge(container: Inspected) -> str:
    mode = _host(container).get("NetworkMode")
    return "is on Docker's default bridge" if mode in ("default", "bridge") else ""


@_rule("5.4", "It is not privileged", "Release again; greenlight never sets that")
def _privileged(container: Inspected) -> str:
    return "is privileged" if _host(container).get("Privileged") else ""


@_rule("5.31", "Docker's socket is not in it", "Take it out of app_volumes")
def _docker_socket(container: Inspected) -> str:
    inside = any(str(mount.get("Source")).endswith("docker.sock") for mount in _mounts(container))
    return "has Docker's socket" if inside else ""


def _ssh_daemon(facts: Facts) -> str | None:
    if facts.docker is None or not ours(facts.docker):
        return None
    names = {str(c.get("Id")): name_of(c) for c in ours(facts.docker)}
    running = {key: facts.docker.processes.get(key, ()) for key in names}
    found = sorted(names[key] for key, commands in running.items() if "sshd" in commands)
    return f"sshd runs in {', '.join(found)}" if found else ""


def _ulimits(facts: Facts) -> str | None:
    if facts.docker is None or not ours(facts.docker):
        return None
    # Docker writes the daemon's defaults into each container, where they look like its own.
    defaults = facts.docker.daemon.get("default-ulimits") or {}
    wrong = [
        f"{name_of(container)}: own limit of {limit.get('Name')}"
        for container in ours(facts.docker)
        for limit in _host(container).get("Ulimits") or ()
        if not _is_default(limit, defaults.get(limit.get("Name")) or {})
    ]
    return "; ".join(sorted(wrong))


def _is_default(limit: Inspected, default: Inspected) -> bool:
    return all(limit.get(key) == default.get(key) for key in ("Soft", "Hard"))


RULES.append(
    Rule(
        "CIS-5.18",
        "docker",
        "It keeps the daemon's limits of open files and processes",
        "Set limits in daemon.json, and release again",
        _ulimits,
    )
)
RULES.append(
    Rule("CIS-5.6", "docker", "No sshd runs in it", "Take sshd out of the image", _ssh_daemon)
)
