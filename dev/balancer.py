# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer: HAProxy as its own host, with the habits of a managed one."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

from dev import bases, images, settings, state
from dev.docker_cli import docker, inspect, label_arguments

NAME = "lb"
CONFIG = settings.STATE / "haproxy.cfg"
INSIDE = "/etc/haproxy/haproxy.cfg"
WAIT_SECONDS = 15.0
HEAD = """\
# Written by dev/balancer.py: round robin, no stickiness, the health checks of a managed balancer.
global
    log stdout format raw local0 notice
    maxconn 4000
    hard-stop-after 90s

defaults
    mode http
    log global
    option httplog
    option dontlog-normal
    timeout connect 2s
    timeout client 65s
    timeout server 65s
    timeout http-request 10s
    # Below the droplets' own, so that it is never they who close an idle connection first.
    timeout http-keep-alive 30s
    timeout tunnel 1h
    timeout check 2s
    # A request is sent again only when no connection was made: it cannot have had an effect.
    retries 3
    retry-on conn-failure
    option redispatch 1

frontend public
    bind :80
    default_backend droplets

backend droplets
    balance roundrobin
    http-reuse safe
    option forwardfor
    option httpchk
    http-check send meth GET uri /v1/health
    http-check expect status 200
    default-server check inter 1s fall 3 rise 1 pool-purge-delay 10s
"""


class BalancerError(RuntimeError):
    """The load balancer does not answer."""


def render(numbers: list[int]) -> str:
    """The HAProxy configuration for the fleet's droplets with these numbers."""
    lines = [
        f"    server {settings.droplet_name(number)} "
        f"{settings.droplet_address(number)}:{settings.APPLICATION_PORT}\n"
        for number in sorted(numbers)
    ]
    return HEAD + "".join(lines)


def _create(distribution: bases.Distribution) -> None:
    docker(
        *("container", "create", "--name", settings.container(NAME), "--hostname", NAME),
        *label_arguments("balancer", NAME),
        *("--network", settings.NETWORK, "--ip", settings.BALANCER_ADDRESS),
        *("--publish", f"127.0.0.1:{settings.BALANCER_PORT}:80"),
        *("--ulimit", "nofile=16384:16384"),
        images.tag("balancer", distribution),
    )


def answers() -> bool:
    """True when HAProxy answers on 127.0.0.1, be it with 503 because no droplet is set up."""
    url = f"http://127.0.0.1:{settings.BALANCER_PORT}/v1/health"
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False


def ensure(numbers: list[int], distribution: bases.Distribution) -> str:
    """Make sure the balancer runs and knows the droplets; return what was done."""
    wanted = render(numbers)
    known = CONFIG.read_text(encoding="utf-8") if CONFIG.exists() else ""
    state.write_private(CONFIG, wanted)
    CONFIG.chmod(0o644)
    container = settings.container(NAME)
    found = inspect("container", container)
    if found is None:
        _create(distribution)
    running = found is not None and found["State"]["Running"]
    if found is None or known != wanted:
        docker("cp", str(CONFIG), f"{container}:{INSIDE}")
    if not running:
        docker("container", "start", container)
    elif known != wanted:
        docker("container", "kill", "--signal", "USR2", container)
    end = time.monotonic() + WAIT_SECONDS
    while not answers():
        if time.monotonic() > end:
            raise BalancerError(docker("container", "logs", "--tail", "20", container))
        time.sleep(0.2)
    return "reloaded" if running and known != wanted else "runs"
