# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running Docker engine: found, or installed and started."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from pathlib import Path

from dev import packages, settings
from dev.shell import CommandError, as_root, installed, run, succeeds
from dev.steps import Step

PID_FILE = settings.STATE / "dockerd.json"
START_SECONDS = 60.0
STOP_SECONDS = 30.0


class EngineError(RuntimeError):
    """No Docker engine can be reached and none could be started."""


def docker_command() -> list[str]:
    """The docker client, through sudo when this user may not use the engine's socket."""
    if os.geteuid() == 0 or os.environ.get("DOCKER_HOST"):
        return ["docker"]
    socket = Path("/var/run/docker.sock")
    if socket.exists() and not os.access(socket, os.W_OK):
        return ["sudo", "-n", "docker"]
    return ["docker"]


def answers() -> bool:
    """True when the engine answers within 10 seconds."""
    command = [*docker_command(), "info", "--format", "{{.ServerVersion}}"]
    return installed("docker") and succeeds(command, timeout=10)


def default_mtu() -> int:
    """MTU in bytes of the interface that has the default route; 1500 when there is none."""
    try:
        routes = json.loads(run(["ip", "-json", "route", "show", "default"]))
    except CommandError:
        return 1500
    if not routes:
        return 1500
    return int(Path(f"/sys/class/net/{routes[0]['dev']}/mtu").read_text(encoding="ascii"))


def _start_time(pid: int) -> str | None:
    """Start time of a live process in clock ticks since boot; tells a reused pid from the real one.

    None when there is no such process, also when it ended and nobody has collected it yet.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def _start_detached() -> None:
    """Start dockerd without systemd, in a session of its own, and record which process it is."""
    log = settings.LOGS / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    line = (
        f"setsid dockerd --mtu {default_mtu()} >>{shlex.quote(str(log))} 2>&1 </dev/null & echo $!"
    )
    pid = int(run(as_root(["sh", "-c", line])).strip())
    PID_FILE.write_text(json.dumps({"pid": pid, "start_time": _start_time(pid)}), encoding="utf-8")


def _wait() -> None:
    end = time.monotonic() + START_SECONDS
    while not answers():
        if time.monotonic() > end:
            log = settings.LOGS / "dockerd.log"
            raise EngineError(
                f"the Docker engine did not answer in {START_SECONDS:.0f} s; see {log}"
            )
        time.sleep(0.5)


def ensure(step: Step) -> None:
    """Make sure that a Docker engine answers; install docker.io and start it when needed."""
    if answers():
        step.note = "already running"
        return
    if os.environ.get("DOCKER_HOST"):
        raise EngineError(f"DOCKER_HOST={os.environ['DOCKER_HOST']} does not answer")
    absent = packages.missing(["dockerd", "docker"])
    if absent:
        packages.apt_install([*absent, "iptables"], step)
    if Path("/run/systemd/system").is_dir():
        # A policy-rc.d may have kept the package from starting its service.
        run(as_root(["systemctl", "enable", "--now", "docker.service"]))
        how = "systemd"
    elif not answers():
        _start_detached()
        how = "this project, pid in .fleet/dockerd.json"
    _wait()
    step.note = f"{'installed, ' if absent else ''}started by {how}"


def stop() -> str:
    """Stop the very dockerd that `ensure` started without systemd; say what was done."""
    if not PID_FILE.exists():
        return "not started by this project, left alone"
    record = json.loads(PID_FILE.read_text(encoding="utf-8"))
    pid = int(record["pid"])
    if _start_time(pid) == record["start_time"]:
        # The shell's own kill: a minimal system has no program of that name.
        run(as_root(["sh", "-c", f"kill -{int(signal.SIGTERM)} {pid}"]))
        end = time.monotonic() + STOP_SECONDS
        while _start_time(pid) == record["start_time"]:
            if time.monotonic() > end:
                raise EngineError(
                    f"dockerd (pid {pid}) still runs {STOP_SECONDS:.0f} s after SIGTERM"
                )
            time.sleep(0.2)
    PID_FILE.unlink()
    return f"stopped (pid {pid})"
