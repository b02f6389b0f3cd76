# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file of the audit that touches the host: it reads, and runs Lynis.

A program that is not there, or that fails, gives an empty text; the rules then say that they do
not know, which is no pass.
"""

from __future__ import annotations

import glob
import grp
import json
import os
import re
import subprocess
import typing as t

from .._core import files
from .._core.clock import Clock
from .._core.errors import FileError
from .._model.spec import Application, parse_application
from .._state.installation import DESCRIPTOR_FOLDER
from .._state.journal import Journal
from .docker_files import PATHS
from .host import OURS, RUNTIME_SOCKET, WANTED_UNITS
from .lynis import TEST, LynisReport, parse_report
from .model import AuditError, DockerFacts, Facts, FileFact, Listener

COMMAND_SECONDS: t.Final = 60
LYNIS_SECONDS: t.Final = 600
LYNIS_REPORT: t.Final = "/var/log/lynis-report.dat"
_LYNIS_LISTS: t.Final = (
    "/usr/share/lynis/db/tests.db",
    "/usr/share/lynis/include/*",
    "/etc/lynis/plugins/*",
)


_ENVIRONMENT: t.Final = {
    "LC_ALL": "C",
    # The engine of this host, whatever context root's settings name, and whatever is broken there.
    "DOCKER_HOST": "unix:///var/run/docker.sock",
    "DOCKER_CONFIG": "/nonexistent",
}


def output(*command: str, seconds: int = COMMAND_SECONDS) -> str:
    """Return what a program writes, or an empty text when it is not there or fails.

    Raises AuditError when it takes longer than `seconds`.
    """
    env = {**os.environ, **_ENVIRONMENT}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False, env=env
        )
    except FileNotFoundError:
        return ""
    except subprocess.TimeoutExpired as exc:
        raise AuditError(
            f"'{' '.join(command)}' had not ended after {seconds} s. Run it on the host to see why."
        ) from exc
    return done.stdout if done.returncode == 0 else ""


def gather(ports: t.Collection[int], members: t.Collection[str]) -> Facts:
    """Read everything that the rules look at. `ports` and `members` are allowed besides ours."""
    applications = _applications()
    sshd = _sshd()
    ssh_ports = {int(port) for port in sshd.get("port", ()) if port.isdigit()}
    units = (*WANTED_UNITS, "apt-daily-upgrade.timer")
    return Facts(
        docker=_docker(),
        files=_files(),
        audit_rules=_audit_rules(),
        audit_loaded=_audit_loaded(),
        listeners=_listeners(),
        allowed_ports=frozenset({*ports, *ssh_ports, *(app.port for app in applications)}),
        allowed_members=frozenset(members),
        sshd=sshd,
        ufw=output("ufw", "status", "verbose"),
        tables=tuple(output("nft", "list", "tables").splitlines()),
        jails=_jails(),
        units={unit: _unit(unit) for unit in units},
        unattended_upgrades='"1"' in output("apt-config", "dump", _UNATTENDED),
        security_upgrades=_security_upgrades(),
        reboot_required=os.path.exists("/run/reboot-required"),
        clock_synchronised="yes" in output("timedatectl", "show", "--property=NTPSynchronized"),
        journals={app.app: _journal(app) for app in applications},
    )


_UNATTENDED: t.Final = "APT::Periodic::Unattended-Upgrade"


def _applications() -> list[Application]:
    found: list[Application] = []
    for name in files.list_stems(DESCRIPTOR_FOLDER, ".json"):
        path = f"{DESCRIPTOR_FOLDER}/{name}.json"
        found.append(parse_application(files.read_text(path) or "", path))
    return found


def _journal(application: Application) -> str:
    """Say what is wrong with an application's journal; empty when nothing is."""
    try:
        damaged = Journal(application.folder, Clock()).read().damaged
    except FileError as exc:
        return str(exc)
    return f"{damaged} damaged lines" if damaged else ""


def _files() -> dict[str, FileFact]:
    names = {path for pattern in OURS for path in glob.glob(pattern)}
    found: dict[str, FileFact] = {}
    for path in sorted({*names, *PATHS, RUNTIME_SOCKET}):
        try:
            stat = os.stat(path)
        except FileNotFoundError:
            continue
        except OSError as exc:
            raise AuditError(f"Cannot look at {path}: {exc}. The audit must run as root.") from exc
        owner, group = files.user_name(stat.st_uid), files.group_name(stat.st_gid)
        found[path] = FileFact(owner, group, stat.st_mode & 0o7777)
    return found


def _audit_rules() -> tuple[str, ...]:
    lines: list[str] = []
    for path in sorted(glob.glob("/etc/audit/rules.d/*.rules")):
        lines += files.read_damaged_text(path).splitlines()
    return tuple(line for line in lines if line.strip() and not line.startswith("#"))


def _audit_loaded() -> int:
    """Return how many audit rules the kernel has; -1 when it does not say."""
    text = output("auditctl", "-l")
    if not text:
        return -1
    return sum(line.startswith("-") for line in text.splitlines())


def _listeners() -> tuple[Listener, ...]:
    found: list[Listener] = []
    for line in output("ss", "-H", "-t", "-u", "-l", "-n", "-p").splitlines():
        words = line.split()
        if len(words) < 5 or ":" not in words[4]:
            continue
        address, port = words[4].rsplit(":", 1)
        process = re.search(r'\(\("([^"]+)"', line)
        if port.isdigit():
            name = process.group(1) if process else ""
            found.append(Listener(words[0], address, int(port), name))
    return tuple(found)


def _sshd() -> dict[str, tuple[str, ...]]:
    """Return the values that sshd uses, by option in lower case; several lines are joined."""
    found: dict[str, tuple[str, ...]] = {}
    for line in output("/usr/sbin/sshd", "-T").splitlines():
        option, _space, value = line.partition(" ")
        found[option] = (*found.get(option, ()), *value.split())
    return found


def _jails() -> tuple[str, ...]:
    for line in output("fail2ban-client", "status").splitlines():
        if "Jail list:" in line:
            return tuple(name.strip() for name in line.split(":", 1)[1].split(",") if name.strip())
    return ()


def _unit(name: str) -> str:
    text = output("systemctl", "show", "--property=ActiveState,UnitFileState", name)
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return f"{values.get('ActiveState', 'unknown')} {values.get('UnitFileState') or 'unknown'}"


def _security_upgrades() -> tuple[str, ...]:
    text = output("apt-get", "--simulate", "-o", "Debug::NoLocking=true", "dist-upgrade")
    lines = [line for line in text.splitlines() if line.startswith("Inst ")]
    return tuple(line.split()[1] for line in lines if "security" in line.lower())


def _docker() -> DockerFacts | None:
    """Return what Docker says, or None when it does not answer."""
    info = _json("docker", "info", "--format", "{{json .}}")
    if not isinstance(info, dict) or not info.get("ServerVersion"):
        return None
    containers = _inspect("container", output("docker", "ps", "--all", "--quiet", "--no-trunc"))
    networks = _inspect("network", output("docker", "network", "ls", "--quiet", "--no-trunc"))
    images = _inspect("image", " ".join({str(entry.get("Image")) for entry in containers}))
    running = [str(c["Id"]) for c in containers if (c.get("State") or {}).get("Running")]
    return DockerFacts(
        info=info,
        daemon=_daemon(),
        command=_command("docker.service"),
        containers=tuple(containers),
        networks=tuple(networks),
        images={str(image["Id"]): image for image in images},
        processes={identifier: _processes(identifier) for identifier in running},
        members=_members(),
        own_partition=os.path.ismount("/var/lib/docker"),
    )


def _json(*command: str) -> t.Any:
    text = output(*command)
    return json.loads(text) if text else None


def _inspect(kind: str, names: str) -> list[dict[str, t.Any]]:
    return (_json("docker", kind, "inspect", *names.split()) or []) if names.split() else []


def _processes(identifier: str) -> tuple[str, ...]:
    lines = output("docker", "top", identifier, "-eo", "pid,comm").splitlines()[1:]
    return tuple(line.split()[-1] for line in lines if line.split())


def _daemon() -> dict[str, t.Any]:
    text = files.read_text("/etc/docker/daemon.json") or "{}"
    try:
        return t.cast("dict[str, t.Any]", json.loads(text))
    except json.JSONDecodeError as exc:
        raise AuditError(f"/etc/docker/daemon.json is no JSON: {exc}. Run setup-api.yml.") from exc


def _command(unit: str) -> tuple[str, ...]:
    """Return the words that the unit's main process was started with."""
    number = output("systemctl", "show", "--property=MainPID", "--value", unit).strip()
    text = files.read_text(f"/proc/{number}/cmdline") if number.isdigit() else ""
    return tuple((text or "").split("\0"))


def _members() -> tuple[str, ...]:
    try:
        return tuple(grp.getgrnam("docker").gr_mem)
    except KeyError:
        return ()


def lynis_tests() -> frozenset[str]:
    """Return the tests that the installed Lynis knows; empty when it is not installed."""
    names = [path for pattern in _LYNIS_LISTS for path in glob.glob(pattern)]
    return frozenset(test for path in names for test in TEST.findall(files.read_damaged_text(path)))


def run_lynis() -> LynisReport:
    """Run Lynis, which takes some 20 s, and read its report. Raises AuditError without one."""
    files.remove(LYNIS_REPORT)
    output("lynis", "audit", "system", "--quick", "--no-colors", "--quiet", seconds=LYNIS_SECONDS)
    text = files.read_damaged_text(LYNIS_REPORT)
    if not text:
        raise AuditError(
            f"Lynis has left no report in {LYNIS_REPORT}. Run 'lynis audit system' on the host, or"
            " set audit_lynis to false."
        )
    return parse_report(text)
