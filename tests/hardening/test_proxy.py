# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reaches an application, what does not, and what one client may ask for."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator

import pytest

from dev import settings
from tests.hardening.droplets import Droplet, Host
from tests.hardening.slots import (
    ADDRESS,
    BACKEND,
    PORT,
    configure,
    in_slot,
    point,
    wait_for_worker_after,
    worker,
)

STRANGE = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "https",
    "Forwarded": "for=6.6.6.6",
    "X-Real-IP": "6.6.6.6",
}
NEVER = {"Proxy": "http://evil.test", "X_Forwarded_For": "6.6.6.6", "X_Plain": "1"}
# Answers every request with the head that it was sent, and names itself.
RECORDER = f"""
import http.server
class Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "recorder"
    def do_GET(self):
        body = str(self.headers).encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("X-Powered-By", "recorder")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("{ADDRESS}", {PORT}), Recorder).serve_forever()
"""


@pytest.fixture(scope="module")
def served(whole_droplet: Droplet) -> Iterator[Droplet]:
    """A droplet whose proxy leads to the recorder, in the place of a release in slot green."""
    droplet = whole_droplet
    with in_slot(droplet, RECORDER):
        point(droplet, BACKEND)
        yield droplet


def ask(
    host: Host, address: str, path: str = "/", method: str = "GET", body: str = "", **headers: str
) -> str:
    """Send one request over a connection of its own; return the whole answer."""
    lines = [f"{method} {path} HTTP/1.1", "Host: api", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    text = "\\r\\n".join([*lines, "", body])
    script = f"exec 3<>/dev/tcp/{address}/{PORT}; printf '{text}' >&3; timeout 5 cat <&3"
    return host.inside(script).replace("\r", "").lower()


@pytest.fixture
def balancer() -> Host:
    """The load balancer, which the droplet believes."""
    return Host("lb")


def test_stranger_cannot_say_who_asks(served: Droplet) -> None:
    seen = ask(served, "127.0.0.1", **STRANGE, **NEVER)
    assert "x-forwarded-for: 127.0.0.1\n" in seen
    for text in ("6.6.6.6", "evil.test", "x-forwarded-proto", "x_plain"):
        assert text not in seen


def test_balancer_says_who_asks(served: Droplet, balancer: Host) -> None:
    seen = ask(balancer, served.address, **STRANGE, **NEVER)
    assert "x-forwarded-for: 6.6.6.6\n" in seen
    assert "x-forwarded-proto: https\n" in seen
    for text in ("x_forwarded_for", "x_plain", "http://evil.test"):
        assert text not in seen


def logged(droplet: Droplet, mark: str) -> str:
    """Wait for the line of a request in HAProxy's log; return the whole log around it."""
    end = time.monotonic() + 5.0
    while mark not in (log := droplet.inside("journalctl -u haproxy -n 20 -o cat --no-pager")):
        assert time.monotonic() < end, log
        time.sleep(0.2)
    return log


def test_log_names_the_client_of_the_balancer(served: Droplet, balancer: Host) -> None:
    mark = f"/missing-{time.monotonic_ns()}"
    ask(balancer, served.address, mark, **{"X-Forwarded-For": "1.1.1.1, 6.6.6.6"})
    log = logged(served, mark)
    line = next(line for line in log.splitlines() if mark in line)
    assert line.startswith(f"{settings.BALANCER_ADDRESS}:")
    assert " {6.6.6.6} " in line


def test_log_has_what_failed_alone_unless_all_is_wanted(served: Droplet) -> None:
    well, badly = f"/well-{time.monotonic_ns()}", f"/missing-{time.monotonic_ns()}"
    ask(served, "127.0.0.1", well)
    ask(served, "127.0.0.1", badly)
    assert well not in logged(served, badly)
    try:
        configure(served, proxy_log_requests="all")
        # Where traffic goes was said to the process before the reload alone.
        point(served, BACKEND)
        assert " 200 " in ask(served, "127.0.0.1", well).partition("\n")[0]
        logged(served, well)
    finally:
        configure(served)
        point(served, BACKEND)


def test_answer_does_not_say_what_runs(served: Droplet) -> None:
    head = ask(served, "127.0.0.1").partition("\n\n")[0]
    assert head.startswith("http/1.1 200")
    assert "recorder" not in head


def test_trace_is_refused(served: Droplet) -> None:
    assert ask(served, "127.0.0.1", method="TRACE").startswith("http/1.1 405")


def test_ambiguous_length_reaches_nobody_as_such(served: Droplet) -> None:
    smuggled = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    body = ask(served, "127.0.0.1", body="0\\r\\n\\r\\n", **smuggled).partition("\n\n")[2]
    assert "transfer-encoding: chunked\n" in body
    assert "content-length" not in body


@pytest.fixture(scope="module")
def limited(served: Droplet) -> Droplet:
    """The same with limits that a test can reach."""
    configure(
        served,
        proxy_limit_requests=5,
        proxy_limit_connections=3,
        proxy_request_seconds=1,
        proxy_security_headers={"Content-Security-Policy": "default-src 'self' $X 1%"},
    )
    point(served, BACKEND)
    return served


def statuses(host: Host, address: str, count: int, **headers: str) -> list[str]:
    """Return the status of each of `count` requests, one after the other."""
    return [ask(host, address, **headers).split()[1] for _number in range(count)]


def test_client_in_a_hurry_is_held_back_and_others_are_not(
    limited: Droplet, balancer: Host
) -> None:
    hurried, calm = {"X-Forwarded-For": "6.6.6.6"}, {"X-Forwarded-For": "7.7.7.7"}
    assert statuses(balancer, limited.address, 8, **hurried)[4:] == ["200", "429", "429", "429"]
    assert statuses(balancer, limited.address, 2, **calm) == ["200", "200"]


def test_checks_of_the_balancer_are_nobodys_requests(limited: Droplet, balancer: Host) -> None:
    assert set(statuses(balancer, limited.address, 8)) == {"200"}


def hold(count: int) -> str:
    """A program that opens connections and prints how many are still open after half a second."""
    return textwrap.dedent(f"""
        import socket, sys, time
        links, count = [], 0
        for _ in range({count}):
            try:
                links.append(socket.create_connection(("127.0.0.1", {PORT}), 2))
            except ConnectionError:
                pass
        time.sleep(0.5)
        for link in links:
            link.setblocking(False)
            try:
                link.recv(1)
            except BlockingIOError:
                count += 1
            except ConnectionError:
                pass
        print(count)
    """)


def test_one_address_cannot_take_all_connections(limited: Droplet) -> None:
    held = limited.inside(f"python3 - <<'END'\n{hold(6)}\nEND")
    assert held.split() == ["3"]


def test_slow_head_is_not_waited_for(limited: Droplet) -> None:
    script = f"exec 3<>/dev/tcp/127.0.0.1/{PORT}; printf 'GET / HTTP/1.1\\r\\nHo' >&3; cat <&3"
    begin = time.monotonic()
    assert "408 Request" in limited.inside(f'timeout 5 bash -c "{script}"')
    assert time.monotonic() - begin < 4.0


def test_security_headers_are_on_every_answer(limited: Droplet) -> None:
    wanted = "content-security-policy: default-src 'self' $x 1%\n"
    assert wanted in ask(limited, "127.0.0.1")
    assert wanted in ask(limited, "127.0.0.1", method="TRACE")


def test_proxy_starts_again_in_its_sandbox(served: Droplet) -> None:
    for command in ("reload", "restart"):
        before = worker(served)
        served.inside(f"systemctl {command} haproxy")
        wait_for_worker_after(served, before)
        assert served.inside("stat -c '%U %a' /run/haproxy/admin.sock").strip() == "root 600"
        point(served, BACKEND)
        assert ask(served, "127.0.0.1").startswith("http/1.1 200")
