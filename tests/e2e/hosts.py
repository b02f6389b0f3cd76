# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a droplet of the fleet, read over SSH, and commands there."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from dev.docker_cli import docker
from dev.droplets import Connection
from dev.settings import STATE, container
from dev.shell import run

HOSTS = ("api-1", "api-2")
MAP = "/var/lib/greenlight/api/live.map"
# Asks Docker, the map file and the proxy itself; prints one JSON object. A container that the host
# removes between the list and the look at what is on it makes the list anew.
LOOK = """
import json, subprocess, urllib.request
def docker(*words):
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout
def listed():
    ids = docker("ps", "-aq", "--no-trunc", "--filter", "label=greenlight.app=api").split()
    return json.loads(docker("inspect", *ids)) if ids else []
for attempt in range(5):
    try:
        found = listed()
        break
    except subprocess.CalledProcessError as exc:
        if attempt == 4 or "No such object" not in exc.stderr:
            raise
containers = {
    c["Name"].lstrip("/"): [
        c["Id"], c["Config"]["Labels"]["greenlight.sha"], c["State"]["Status"],
        c["State"]["StartedAt"], c["HostConfig"]["RestartPolicy"]["Name"]]
    for c in found}
def ask(path):
    return urllib.request.urlopen("http://127.0.0.1:3002" + path, timeout=5)
lines = open("/var/lib/greenlight/api/live.map").read().splitlines()
print(json.dumps({
    "pointer": [line.split() for line in lines if line and not line.startswith("#")],
    "backend": ask("/v1/health").headers["X-Greenlight-Slot"],
    "sha": json.load(ask("/v1/version"))["sha"],
    "containers": containers}))
"""

# Sums HAProxy's own counters over the slots: attempts repeated, sent elsewhere, refused, broken.
COUNT = """
import csv, io, json, socket
link = socket.socket(socket.AF_UNIX)
link.settimeout(5)
link.connect("/run/haproxy/admin.sock")
link.sendall(b"show stat\\n")
text = b"".join(iter(lambda: link.recv(65536), b"")).decode().lstrip("# ")
rows = [row for row in csv.DictReader(io.StringIO(text)) if row["svname"] == "slot"]
names = ("wretr", "wredis", "econ", "eresp")
print(json.dumps({name: sum(int(row[name] or 0) for row in rows) for name in names}))
"""


@dataclass(frozen=True)
class View:
    """A droplet at one moment: pointer file, the proxy's own answer, and all containers."""

    pointer: list[list[str]]
    backend: str
    sha: str
    containers: dict[str, list[str]]

    def running(self) -> list[str]:
        """Names of the containers that run."""
        return [name for name, facts in self.containers.items() if facts[2] == "running"]


def connection(host: str) -> Connection:
    """How to reach a droplet of the fleet."""
    return Connection(**json.loads((STATE / f"{host}.json").read_text(encoding="utf-8")))


def on(host: str, command: str, *, script: str | None = None) -> str:
    """Run a shell command on a droplet, `script` as its input; return what it wrote."""
    return run([*connection(host).ssh(), command], input_text=script, timeout=120)


def look(host: str) -> View:
    """Read the state of a droplet; fails unless a release serves there."""
    seen: dict[str, Any] = json.loads(on(host, "python3 -", script=LOOK))
    return View(**seen)


def proxy_trouble() -> dict[str, int]:
    """What the proxies of both droplets had to repeat or could not do since they started."""
    counts = [json.loads(on(host, "python3 -", script=COUNT)) for host in HOSTS]
    return {name: sum(count[name] for count in counts) for name in counts[0]}


def fleet() -> dict[str, View]:
    """The state of both droplets."""
    return {host: look(host) for host in HOSTS}


def serving() -> dict[str, str]:
    """The SHA that serves on each droplet, after seeing that pointer, proxy and Docker agree."""
    views = fleet()
    for host, view in views.items():
        assert view.pointer == [["api", view.backend]], (host, view)
        (name,) = view.running()
        assert view.containers[name][1] == view.sha, (host, view)
    return {host: view.sha for host, view in views.items()}


# What a host says of itself, without SSH: a test may have cut that off, or load it.
REST = """greenlight status --json
systemctl show --property ActiveState --value greenlight-watchdog@api
docker ps -aq --filter label=greenlight.app=api | wc -l
"""


def inside(host: str, script: str) -> str:
    """Run a shell script on a droplet without going through SSH; return what it wrote."""
    return docker("exec", container(host), "sh", "-c", script)


def unrest() -> list[str]:
    """What keeps the fleet from being at rest on one release; empty when nothing does."""
    found, serving_ = [], {}
    for host in HOSTS:
        status, watchdog, count = inside(host, REST).strip().rsplit("\n", 2)
        facts = json.loads(status)["api"]
        serving_[host] = facts["live"].get("sha", "nothing")
        said = {name: facts[name] for name in ("lease", "unfinished", "leftovers", "problem")}
        said["watchdog"] = "" if watchdog == "inactive" else watchdog
        said["containers"] = "" if int(count) <= 2 else count
        found += [f"{host}: {name} {text}" for name, text in said.items() if text]
    return found if len(set(serving_.values())) == 1 else [*found, f"serving {serving_}"]


def wait_for_rest(seconds: float) -> float:
    """Wait at most so long until both hosts rest on one release; return how long it took."""
    began = time.monotonic()
    while found := unrest():
        waited = time.monotonic() - began
        assert waited < seconds, f"after {waited:.0f} of {seconds:.0f} s: {found}"
        time.sleep(2.0)
    return time.monotonic() - began
