# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application that is particular about its health check is healthy for everybody who asks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.hardening.droplets import Droplet
from tests.hardening.slots import ADDRESS, BACKEND, PORT, configure, in_slot, point

HEALTH = {
    "path": "/v1/it's?deep=1&part=a%20b",
    "status": [204],
    "timeout": 4,
    "headers": {"X-Forwarded-Proto": "https", "X-Share": '100% of "all" $HOME'},
}
# HTTP/1.1 alone, and over TLS alone as far as it is told; slower than HAProxy's own patience.
PARTICULAR = f"""
import http.server, time
class Particular(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        headers = {HEALTH["headers"]!r}
        if self.request_version != "HTTP/1.1":
            status = 505
        elif self.headers["X-Forwarded-Proto"] != "https":
            status = 301
        elif any(self.headers[name] != text for name, text in headers.items()):
            status = 400
        else:
            status = 204 if self.path == {HEALTH["path"]!r} else 404
            time.sleep(2.3)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("{ADDRESS}", {PORT}), Particular).serve_forever()
"""
# The code of the host's own command, with the health check that HAProxy's configuration tells.
ASK_AS_A_RELEASE = f"""
import json, sys
sys.path.insert(0, "/usr/local/lib/greenlight/current")
from greenlight._core.clock import Clock
from greenlight._haproxy.check import read_check
from greenlight._health.balancer import verify
from greenlight._health.probe import probe
from greenlight._model.health_check import HealthCheck
with open("/etc/haproxy/haproxy.cfg") as stream:
    health = HealthCheck.of_facts(read_check(stream.read(), "{BACKEND}"))
seen = verify(
    Clock(), url="http://127.0.0.1:{PORT}" + health.path, host_header="",
    expected={{sys.argv[1]: "{BACKEND}"}}, attempts=1, delay=0.0, timeout=health.timeout,
    status=health.status, headers=health.headers,
)
print(json.dumps({{
    "gate": probe("{ADDRESS}", {PORT}, health).reason,
    "watch": probe("127.0.0.1", {PORT}, health).reason,
    "balancer": seen.missing,
}}))
"""


@pytest.fixture(scope="module")
def particular(whole_droplet: Droplet) -> Iterator[Droplet]:
    """A droplet that was set up for such an application, which serves."""
    with in_slot(whole_droplet, PARTICULAR):
        configure(whole_droplet, app_health=HEALTH)
        yield whole_droplet


def test_gate_haproxy_watch_and_balancer_agree(particular: Droplet) -> None:
    point(particular, BACKEND)
    script = f"python3 - {particular.name} <<'END'\n{ASK_AS_A_RELEASE}\nEND"
    found = json.loads(particular.inside(script))
    assert found == {"gate": "status 204", "watch": "status 204", "balancer": ""}


def test_a_stranger_on_the_host_says_nothing_beside_the_health_path(particular: Droplet) -> None:
    ask = f"exec 3<>/dev/tcp/127.0.0.1/{PORT}; printf 'GET %s HTTP/1.1\\r\\nHost: a\\r\\n"
    head = "X-Forwarded-Proto: https\\r\\nConnection: close\\r\\n\\r\\n' /v1/other >&3; head -1 <&3"
    assert " 301 " in particular.inside(f"{ask}{head}")
