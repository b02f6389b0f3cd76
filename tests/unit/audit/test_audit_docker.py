# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule on Docker passes on a good host, and fails when the one thing it is for is bad."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._audit import (
    containers,
    daemon,
    docker_files,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._audit.model import (
    DockerFacts,
    Facts,
    FileFact,
    judge,
)

RULES = {rule.identifier: rule for rule in (*daemon.RULES, *docker_files.RULES, *containers.RULES)}
DIGEST = f"sha256:{'d' * 64}"

CONTAINER: dict[str, t.Any] = {
    "Id": "c1",
    "Name": "/api-blue",
    "Image": "i1",
    "AppArmorProfile": "docker-default",
    "State": {"Running": True},
    "Config": {
        "User": "10001",
        "Labels": {"greenlight.app": "api", "greenlight.digest": DIGEST},
        "Healthcheck": {"Test": ["CMD", "true"]},
    },
    "HostConfig": {
        "CapDrop": ["ALL"],
        "Memory": 536870912,
        "NanoCpus": 1_000_000_000,
        "PidsLimit": 512,
        "ReadonlyRootfs": True,
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
        "SecurityOpt": ["no-new-privileges:true"],
        "NetworkMode": "greenlight-api",
        "PidMode": "",
        "IpcMode": "private",
        "PortBindings": {},
    },
    "Mounts": [],
    "NetworkSettings": {"Ports": {"3002/tcp": None}},
}

DOCKER = DockerFacts(
    info={
        "ServerVersion": "20.10.24",
        "Driver": "overlay2",
        "LoggingDriver": "syslog",
        "LiveRestoreEnabled": True,
        "ExperimentalBuild": False,
        "Plugins": {"Authorization": ["opa"]},
        "SecurityOptions": ["name=seccomp,profile=default", "name=userns"],
        "RegistryConfig": {"IndexConfigs": {"registry.example.com": {"Secure": True}}},
    },
    daemon={
        "icc": False,
        "no-new-privileges": True,
        "userland-proxy": False,
        "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096}},
    },
    command=("/usr/sbin/dockerd", "-H", "fd://"),
    containers=(CONTAINER,),
    images={"i1": {"Id": "i1", "Config": {"Healthcheck": {"Test": ["CMD", "true"]}}}},
    processes={"c1": ("tini", "python3")},
    own_partition=True,
)

FILES = {
    **{path: FileFact("root", "root", 0o600) for _rule, path in docker_files.AUDITED},
    **{row[2]: FileFact("root", row[3], row[4]) for row in docker_files.OWNED},
}
FACTS = Facts(
    docker=DOCKER,
    files=FILES,
    audit_rules=tuple(f"-w {path} -p wa -k docker" for path in FILES),
)


def with_docker(**changes: t.Any) -> Facts:
    return replace(FACTS, docker=replace(DOCKER, **changes))


def with_info(**changes: t.Any) -> Facts:
    return with_docker(info={**DOCKER.info, **changes})


def with_daemon(**changes: t.Any) -> Facts:
    return with_docker(daemon={**DOCKER.daemon, **changes})


def with_container(part: str = "", **changes: t.Any) -> Facts:
    container = copy.deepcopy(CONTAINER)
    (container[part] if part else container).update(changes)
    return with_docker(containers=(container,))


def with_mount(**mount: str) -> Facts:
    return with_container(Mounts=[mount])


def with_limit(soft: int) -> Facts:
    limits = [{"Name": "nofile", "Soft": soft, "Hard": 4096}]
    return with_container("HostConfig", Ulimits=limits)


def publishing(address: str, port: str) -> Facts:
    bindings = {"3002/tcp": [{"HostIp": address, "HostPort": port}]}
    return with_container("HostConfig", PortBindings=bindings)


BAD: list[tuple[str, Facts, str]] = [
    ("CIS-1.1.1", with_docker(own_partition=False), "shares its file system"),
    ("CIS-1.1.2", with_docker(members=("eve",)), "through group docker: eve"),
    ("CIS-2.2", with_daemon(icc=True), "icc is true"),
    ("CIS-2.3", with_daemon(**{"log-level": "debug"}), "log-level is debug"),
    ("CIS-2.4", with_daemon(iptables=False), "iptables is false"),
    (
        "CIS-2.5",
        with_info(RegistryConfig={"IndexConfigs": {"plain.example.com": {"Secure": False}}}),
        "without TLS: plain.example.com",
    ),
    ("CIS-2.6", with_info(Driver="aufs"), "aufs"),
    ("CIS-2.7", with_daemon(hosts=["tcp://0.0.0.0:2375"]), "tcp://0.0.0.0:2375"),
    ("CIS-2.8", with_daemon(**{"default-ulimits": {}}), "not set"),
    ("CIS-2.9", with_info(SecurityOptions=["name=seccomp,profile=default"]), "userns is off"),
    ("CIS-2.10", with_daemon(**{"cgroup-parent": "/x"}), "cgroup-parent is /x"),
    ("CIS-2.12", with_info(Plugins={"Authorization": None}), "no authorization plugin"),
    ("CIS-2.13", with_info(LoggingDriver="json-file"), "json-file keeps logs"),
    ("CIS-2.14", with_daemon(**{"no-new-privileges": False}), "no-new-privileges is false"),
    ("CIS-2.15", with_info(LiveRestoreEnabled=False), "live-restore is off"),
    ("CIS-2.16", with_daemon(**{"userland-proxy": True}), "userland-proxy is true"),
    ("CIS-2.17", with_info(SecurityOptions=["name=userns"]), "seccomp is off"),
    ("CIS-2.18", with_info(ExperimentalBuild=True), "experimental"),
    ("CIS-4.1", with_container("Config", User="0:0"), "run as root: api-blue"),
    (
        "CIS-4.5",
        with_container("Config", Labels={"greenlight.app": "api"}),
        "not pulled by digest: api-blue",
    ),
    ("CIS-4.6", with_docker(images={"i1": {"Id": "i1"}}), "images without HEALTHCHECK: i1"),
    ("CIS-5.1", with_container(AppArmorProfile="unconfined"), "profile unconfined"),
    ("CIS-5.3", with_container("HostConfig", CapDrop=["NET_RAW"]), "not all capabilities"),
    ("CIS-5.4", with_container("HostConfig", Privileged=True), "is privileged"),
    ("CIS-5.5", with_mount(Source="/etc/"), "mounts /etc"),
    ("CIS-5.6", with_docker(processes={"c1": ("sshd",)}), "sshd runs in api-blue"),
    ("CIS-5.7", publishing("127.0.0.1", "80"), "publishes 127.0.0.1:80"),
    ("CIS-5.8", publishing("127.0.0.1", "8080"), "publishes 127.0.0.1:8080"),
    ("CIS-5.9", with_container("HostConfig", NetworkMode="host"), "host's network"),
    ("CIS-5.10", with_container("HostConfig", Memory=0), "no limit of memory"),
    ("CIS-5.11", with_container("HostConfig", NanoCpus=0), "processor's time"),
    ("CIS-5.12", with_container("HostConfig", ReadonlyRootfs=False), "can be written"),
    ("CIS-5.13", publishing("", "8080"), "publishes *:8080"),
    ("CIS-5.13", publishing("::", "8080"), "publishes :::8080"),
    ("CIS-5.14", with_container("HostConfig", RestartPolicy={"Name": "always"}), "always"),
    ("CIS-5.15", with_container("HostConfig", PidMode="host"), "host's processes"),
    ("CIS-5.16", with_container("HostConfig", IpcMode="host"), "host's shared memory"),
    ("CIS-5.17", with_container("HostConfig", Devices=[{"PathOnHost": "/dev/kvm"}]), "/dev/kvm"),
    ("CIS-5.18", with_container("HostConfig", Ulimits=[{"Name": "core", "Soft": 1}]), "of core"),
    ("CIS-5.18", with_limit(2048), "api-blue: own limit of nofile"),
    ("CIS-5.19", with_mount(Source="/srv", Propagation="shared"), "propagation of /srv"),
    ("CIS-5.20", with_container("HostConfig", UTSMode="host"), "host's host name"),
    ("CIS-5.21", with_container("HostConfig", SecurityOpt=["seccomp=unconfined"]), "not filtered"),
    ("CIS-5.24", with_container("HostConfig", CgroupParent="/x"), "control group /x"),
    ("CIS-5.25", with_container("HostConfig", SecurityOpt=[]), "may gain privileges"),
    ("CIS-5.26", with_container("Config", Healthcheck={"Test": ["NONE"]}), "no health check"),
    ("CIS-5.28", with_container("HostConfig", PidsLimit=None), "no limit of processes"),
    ("CIS-5.29", with_container("HostConfig", NetworkMode="default"), "default bridge"),
    ("CIS-5.30", with_container("HostConfig", UsernsMode="host"), "host's users"),
    ("CIS-5.31", with_mount(Source="/var/run/docker.sock"), "Docker's socket"),
    *(
        (f"CIS-{rule}", replace(FACTS, audit_rules=("-w /other -p wa",)), f"watches {path}")
        for rule, path in docker_files.AUDITED
    ),
    *(
        (
            f"CIS-{row[0]}",
            replace(FACTS, files={row[2]: FileFact("eve", row[3], 0o600)}),
            "belongs to eve",
        )
        for row in docker_files.OWNED
    ),
    *(
        (
            f"CIS-{row[1]}",
            replace(FACTS, files={row[2]: FileFact("root", row[3], row[4] | 0o002)}),
            f"has mode {row[4] | 0o002:04o}",
        )
        for row in docker_files.OWNED
    ),
]


@pytest.mark.parametrize("identifier", RULES)
def test_passes_on_a_good_host(identifier: str) -> None:
    finding = judge(RULES[identifier], FACTS)
    assert (finding.status, finding.found) == ("passed", "")


@pytest.mark.parametrize(("identifier", "facts", "found"), BAD)
def test_fails_on_the_one_bad_thing(identifier: str, facts: Facts, found: str) -> None:
    finding = judge(RULES[identifier], facts)
    assert finding.status == "failed"
    assert found in finding.found
    assert finding.remedy


def test_every_rule_is_seen_failing() -> None:
    assert {identifier for identifier, _facts, _found in BAD} == set(RULES)


@pytest.mark.parametrize("identifier", RULES)
def test_nothing_is_judged_without_docker(identifier: str) -> None:
    assert judge(RULES[identifier], Facts()).status == "not applicable"


def test_containers_of_others_are_not_judged_as_ours() -> None:
    facts = with_container("Config", Labels={})
    assert judge(RULES["CIS-5.12"], facts).status == "not applicable"


@pytest.mark.parametrize("rule", ["-w /etc -p wa", "-a always,exit -F dir=/etc/docker/ -F perm=w"])
def test_a_rule_on_a_folder_above_watches_the_file(rule: str) -> None:
    facts = replace(FACTS, audit_rules=(rule,))
    assert judge(RULES["CIS-1.1.11"], facts).status == "passed"


def test_the_daemons_own_limits_are_no_limits_of_the_container() -> None:
    assert judge(RULES["CIS-5.18"], with_limit(1024)).status == "passed"


def test_a_smaller_mode_can_be_too_wide() -> None:
    files = {"/etc/docker/daemon.json": FileFact("root", "root", 0o606)}
    assert judge(RULES["CIS-3.18"], replace(FACTS, files=files)).status == "failed"


def test_a_setting_may_stand_on_the_command_line() -> None:
    daemon = {key: value for key, value in DOCKER.daemon.items() if key != "icc"}
    facts = with_docker(daemon=daemon, command=("dockerd", "--icc=false"))
    assert judge(RULES["CIS-2.2"], facts).status == "passed"
