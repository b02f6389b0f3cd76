# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the CIS Docker Benchmark on the daemon, its users and our images. Pure.

The numbers are those that docker-bench-security 1.6 prints; the words and the checks are ours.
"""

from __future__ import annotations

import typing as t

from .model import DockerFacts, Facts, Rule

DaemonCheck = t.Callable[[DockerFacts], "str | None"]

RULES: t.Final[list[Rule]] = []


def _rule(number: str, title: str, remedy: str) -> t.Callable[[DaemonCheck], DaemonCheck]:
    """Make a rule of the check that follows; it has no object on a host without Docker."""

    def add(check: DaemonCheck) -> DaemonCheck:
        def on_docker(facts: Facts) -> str | None:
            return None if facts.docker is None else check(facts.docker)

        RULES.append(Rule(f"CIS-{number}", "docker", title, remedy, on_docker))
        return check

    return add


@_rule("1.1.1", "Containers have a file system of their own", "Mount one on /var/lib/docker")
def _partition(docker: DockerFacts) -> str:
    return "" if docker.own_partition else "/var/lib/docker shares its file system with the host"


def _members(facts: Facts) -> str | None:
    if facts.docker is None:
        return None
    others = sorted(set(facts.docker.members) - facts.allowed_members)
    return f"may become root through group docker: {', '.join(others)}" if others else ""


RULES.append(
    Rule(
        "CIS-1.1.2",
        "docker",
        "Only trusted users are in group docker",
        "Remove them with 'gpasswd -d USER docker', or list them in audit_docker_users",
        _members,
    )
)


def setting(docker: DockerFacts, name: str) -> t.Any:
    """Return a setting of daemon.json or, when it is not there, of the command line; else None."""
    if name in docker.daemon:
        return docker.daemon[name]
    words = [word.partition("=") for word in docker.command]
    values = [value or "true" for flag, _equals, value in words if flag == f"--{name}"]
    return values[-1] if values else None


def _is(value: t.Any, wanted: bool) -> bool:
    return str(value).lower() == str(wanted).lower()


def _must_be(number: str, title: str, name: str, wanted: bool) -> None:
    """Make the rule that a setting of daemon.json has a value."""
    in_words = str(wanted).lower()

    @_rule(number, title, f"Set {name} to {in_words} in daemon.json")
    def check(docker: DockerFacts) -> str:
        value = setting(docker, name)
        said = "not set" if value is None else str(value).lower()
        return "" if said == in_words else f"{name} is {said}"


_must_be("2.2", "Containers of the default bridge do not reach each other", "icc", False)


@_rule("2.3", "The daemon logs at level info", "Set log-level to info, or remove it")
def _log_level(docker: DockerFacts) -> str:
    level = setting(docker, "log-level")
    return "" if level in (None, "info") else f"log-level is {level}"


@_rule("2.4", "Docker sets the packet filter for its networks", "Remove iptables from daemon.json")
def _iptables(docker: DockerFacts) -> str:
    return "iptables is false" if _is(setting(docker, "iptables"), False) else ""


@_rule("2.5", "No registry is used without TLS", "Empty docker_insecure_registries")
def _insecure_registries(docker: DockerFacts) -> str:
    registries = (docker.info.get("RegistryConfig") or {}).get("IndexConfigs") or {}
    names = sorted(name for name, entry in registries.items() if not entry.get("Secure"))
    return f"registries without TLS: {', '.join(names)}" if names else ""


@_rule("2.6", "The storage driver is not aufs", "Use overlay2")
def _aufs(docker: DockerFacts) -> str:
    return "the storage driver is aufs" if docker.info.get("Driver") == "aufs" else ""


@_rule(
    "2.7",
    "The daemon's socket is not on TCP without certificates",
    "Remove the tcp:// host from daemon.json and from the unit",
)
def _tcp(docker: DockerFacts) -> str:
    hosts = [str(host) for host in docker.daemon.get("hosts") or ()]
    words = [*hosts, *docker.command]
    listening = [word for word in words if "tcp://" in word]
    if not listening or _is(setting(docker, "tlsverify"), True):
        return ""
    return f"the socket is on TCP without client certificates: {' '.join(listening)}"


@_rule(
    "2.8",
    "Containers have limits of open files and processes by default",
    "Set default-ulimits in daemon.json",
)
def _ulimits(docker: DockerFacts) -> str:
    if docker.daemon.get("default-ulimits") or setting(docker, "default-ulimit") is not None:
        return ""
    return "default-ulimits is not set"


def _security_option(number: str, title: str, remedy: str, name: str) -> None:
    """Make the rule that Docker has a security option."""

    @_rule(number, title, remedy)
    def check(docker: DockerFacts) -> str:
        options = [str(option) for option in docker.info.get("SecurityOptions") or ()]
        return "" if any(f"name={name}" in option for option in options) else f"{name} is off"


_security_option(
    "2.9",
    "Users of containers are mapped to others of the host",
    "Set userns-remap in daemon.json",
    "userns",
)


@_rule(
    "2.10", "Containers are in Docker's own control group", "Remove cgroup-parent from daemon.json"
)
def _cgroup(docker: DockerFacts) -> str:
    parent = setting(docker, "cgroup-parent")
    return f"cgroup-parent is {parent}" if parent else ""


@_rule("2.12", "Calls of the socket are authorised by a plugin", "Install an authorization plugin")
def _authorization(docker: DockerFacts) -> str:
    plugins = (docker.info.get("Plugins") or {}).get("Authorization")
    return "" if plugins else "no authorization plugin; whoever reaches the socket is root"


@_rule(
    "2.13", "Logs of containers leave the host", "Set log-driver to one that sends logs elsewhere"
)
def _remote_logging(docker: DockerFacts) -> str:
    driver = docker.info.get("LoggingDriver")
    local = driver in ("json-file", "local", "journald", "none")
    return f"the log driver {driver} keeps logs on the host" if local else ""


_must_be("2.14", "Containers cannot gain privileges by default", "no-new-privileges", True)


@_rule(
    "2.15", "Containers outlive a restart of the daemon", "Set live-restore to true in daemon.json"
)
def _live_restore(docker: DockerFacts) -> str:
    return "" if docker.info.get("LiveRestoreEnabled") else "live-restore is off"


_must_be("2.16", "No proxy process serves published ports", "userland-proxy", False)
_security_option(
    "2.17",
    "System calls of containers are filtered",
    "Remove seccomp-profile from daemon.json",
    "seccomp",
)


@_rule("2.18", "Experimental features are off", "Remove experimental from daemon.json")
def _experimental(docker: DockerFacts) -> str:
    return "experimental features are on" if docker.info.get("ExperimentalBuild") else ""


def ours(docker: DockerFacts) -> list[t.Mapping[str, t.Any]]:
    """Return the containers that Greenlight has made, running or not."""
    return [
        entry
        for entry in docker.containers
        if ((entry.get("Config") or {}).get("Labels") or {}).get("greenlight.app")
    ]


def name_of(container: t.Mapping[str, t.Any]) -> str:
    """Return the name of a container without Docker's slash."""
    return str(container.get("Name", "")).lstrip("/")


@_rule("4.1", "Our containers do not run as root", "Set USER in the image, or app_user")
def _runs_as_root(docker: DockerFacts) -> str | None:
    found = ours(docker)
    users = {name_of(entry): str(entry["Config"].get("User") or "") for entry in found}
    names = sorted(n for n, user in users.items() if user.split(":")[0] in ("", "0", "root"))
    return (f"run as root: {', '.join(names)}" if names else "") if found else None


@_rule("4.6", "Our images say how their health is checked", "Add HEALTHCHECK to the image")
def _health_check(docker: DockerFacts) -> str | None:
    used = {str(entry.get("Image")) for entry in ours(docker)}
    images = {key: image for key, image in docker.images.items() if key in used}
    lacking = [
        (image.get("RepoTags") or [key[:19]])[0]
        for key, image in images.items()
        if not (image.get("Config") or {}).get("Healthcheck")
    ]
    found = f"images without HEALTHCHECK: {', '.join(sorted(lacking))}"
    return (found if lacking else "") if images else None


@_rule("4.5", "Our images are pulled by their digest", "Release again")
def _digests(docker: DockerFacts) -> str | None:
    # The benchmark asks for Docker's own signatures; they are checked by its command line alone,
    # which we do not pull with. What answers the same fear is an image named by its digest.
    found = ours(docker)
    labels = {name_of(entry): entry["Config"]["Labels"] for entry in found}
    names = sorted(n for n, own in labels.items() if not own.get("greenlight.digest"))
    return (f"not pulled by digest: {', '.join(names)}" if names else "") if found else None
