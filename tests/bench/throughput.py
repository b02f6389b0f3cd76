# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throughput inside a droplet: one upstream, reached directly, through our HAProxy, through nginx.

Whatever is started here is a unit of systemd with a time limit of its own, and is stopped in the
end; what our set-up has written is read and never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dev.shell import CommandError
from tests.bench.inside import Inside

CONFIGURATION = "/etc/haproxy/haproxy.cfg"
LIVE_MAP = "/var/lib/greenlight/api/live.map"
SECONDS = 3
CONNECTIONS = 32
THREADS = 2
LIMIT_SECONDS = 900
WAIT_SECONDS = 10

UPSTREAM_PORT = 8191
NGINX_PORT = 8192
HAPROXY_PORT = 8193
STATIC_NGINX_PORT = 8194
JOURNAL_NGINX_PORT = 8195
JOURNAL = "syslog:server=unix:/dev/log"
UNITS = "greenlight-bench"
"""How the names of all units that are started here begin."""

STATIC = """worker_processes auto;
pid {folder}/{name}.pid;
error_log stderr;
events {{ worker_connections 768; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ default_type application/json; return 200 '{{"status": "healthy"}}'; }}
    }}
}}
"""
# Debian's own settings: as many workers as cores, an access log in the usual format. Its place is
# a file, as Debian has it, or the system's journal, as our HAProxy has it.
PLAIN_PROXY = """user www-data;
worker_processes auto;
pid {folder}/{name}.pid;
error_log stderr;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    access_log {log};
    upstream application {{
        server {upstream};
        keepalive 64;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""


class ThroughputError(RuntimeError):
    """A measurement that says nothing, and why."""


@dataclass(frozen=True)
class Rate:
    """What wrk counted: requests a second, and the requests that failed."""

    per_second: float
    failed: int


def rate_of(text: str) -> Rate:
    """Return what wrk's output says. Raises ThroughputError when it says no rate."""
    found = re.search(r"^Requests/sec:\s+([\d.]+)", text, re.MULTILINE)
    if found is None:
        raise ThroughputError(f"wrk gives no rate: {text.strip() or 'nothing'}")
    wrong = re.search(r"^\s*Non-2xx or 3xx responses: (\d+)", text, re.MULTILINE)
    errors = re.search(r"Socket errors: (.*)$", text, re.MULTILINE)
    counts = re.findall(r"\d+", errors[1]) if errors else []
    failed = int(wrong[1]) if wrong else 0
    return Rate(float(found[1]), failed + sum(int(count) for count in counts))


def live_address(configuration: str, live_map: str, application: str = "api") -> str:
    """Return ADDRESS:PORT of the slot that is live. Raises ThroughputError without one."""
    entries = dict(line.split() for line in live_map.splitlines() if len(line.split()) == 2)
    name = entries.get(application, "")
    section = re.search(rf"^backend {re.escape(name)}$(.*?)^$", configuration + "\n", re.M | re.S)
    server = re.search(r"^\s+server slot (\S+) ", section[1], re.M) if section else None
    if not name or server is None:
        raise ThroughputError(f"no slot of {application} is live: {live_map.strip() or 'no entry'}")
    return server[1]


def beside(configuration: str, port: int, upstream: str, admin: str) -> str:
    """Return our HAProxy's configuration with another port, upstream and runtime socket.

    Raises ThroughputError when the text is not as the role writes it: what is measured must be the
    role's configuration and nothing else.
    """
    replacements = (
        (r"^(    bind ):\d+$", rf"\g<1>127.0.0.1:{port}", 1),
        (r"^(    stats socket )\S+", rf"\g<1>{admin}", 1),
        (r"^(    server slot )\S+", rf"\g<1>{upstream}", 2),
    )
    for pattern, value, wanted in replacements:
        configuration, count = re.subn(pattern, value, configuration, flags=re.M)
        if count != wanted:
            raise ThroughputError(f"{CONFIGURATION}: {count} lines match {pattern}, not {wanted}")
    return configuration


def rate(inside: Inside, url: str) -> Rate:
    """Return what wrk counts in a few seconds from inside the droplet."""
    command = f"wrk -t{THREADS} -c{CONNECTIONS} -d{SECONDS}s {url}"
    return rate_of(inside.run(command, seconds=SECONDS + 30))


def install(inside: Inside) -> None:
    """Install wrk on the droplet, which is thrown away. Raises CommandError."""
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -q"
    inside.run(f"command -v wrk || ({apt} update && {apt} install -y wrk)", seconds=300)


def _wait_listening(inside: Inside, port: int) -> None:
    """Wait until a port of the droplet takes connections. Raises CommandError."""
    probe = f"until (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done"
    inside.run(probe, seconds=WAIT_SECONDS)


@contextmanager
def _unit(inside: Inside, name: str, start: str, port: int) -> Iterator[None]:
    """Run a unit until the end of the context; `start` is the command that starts it."""
    try:
        inside.run(start)
        _wait_listening(inside, port)
        yield
    except CommandError as exc:
        said = inside.run(f"journalctl -o cat -n 20 -u {name}")
        raise ThroughputError(f"{exc}\n{said}") from exc
    finally:
        inside.run(f"systemctl stop {name}; systemctl reset-failed {name} 2>/dev/null || true")


@contextmanager
def nginx(
    inside: Inside, name: str, template: str, port: int, upstream: str = "", log: str = ""
) -> Iterator[str]:
    """Run an nginx with a configuration of its own; give its URL. It logs to a file by default."""
    log = log or f"{inside.folder}/{name}.log"
    text = template.format(folder=inside.folder, name=name, port=port, upstream=upstream, log=log)
    path = inside.write(f"{name}.conf", text)
    unit = f"{UNITS}-{name}"
    limits = f"-p RuntimeMaxSec={LIMIT_SECONDS} -p Type=exec"
    program = f"nginx -c {path} -g 'daemon off;'"
    start = f"systemd-run --quiet --collect --unit={unit} {limits} {program}"
    with _unit(inside, unit, start, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def haproxy(inside: Inside, port: int, upstream: str) -> Iterator[str]:
    """Run a second HAProxy: the role's configuration and the role's unit, sandbox included."""
    unit = f"{UNITS}-haproxy"
    configuration = f"/etc/haproxy/{unit}.cfg"
    service = f"/run/systemd/system/{unit}.service"
    text = inside.run(f"cat {CONFIGURATION}") + "\n"
    own = inside.run("systemctl cat haproxy.service")
    paths = (
        f'"CONFIG={configuration}" "PIDFILE=/run/haproxy/{unit}.pid"'
        f' "EXTRAOPTS=-S /run/haproxy/{unit}-master.sock"'
    )
    own += f"\n[Service]\nEnvironment={paths}\nRuntimeMaxSec={LIMIT_SECONDS}\nRestart=no\n"
    other = beside(text, port, upstream, f"/run/haproxy/{unit}.sock")
    try:
        inside.run(f"cat > {configuration}", input_text=other)
        inside.run(f"mkdir -p /run/systemd/system; cat > {service}", input_text=own)
        with _unit(inside, unit, f"systemctl daemon-reload && systemctl start {unit}", port):
            yield f"http://127.0.0.1:{port}"
    finally:
        inside.run(f"rm -f {configuration} {service} /run/haproxy/{unit}*; systemctl daemon-reload")
