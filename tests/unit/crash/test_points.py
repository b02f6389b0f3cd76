# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The crash matrix's instrumentation: it sees every effect, and a kill comes before the effect."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.matrix import around_move, spread
from tests.crash.report import Row, table
from tests.integration.support.machine import ROOT

SECONDS = 20
HARNESS = """
import json, os, signal, sys
sys.dont_write_bytecode = True
from tests.crash.remote.points import Points, install
seen = []
def act(key):
    seen.append(key)
    if key == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
points = Points(act)
install(points)
{body}
points.effect("end")
points.watching = False
print(json.dumps(seen))
"""
TWO_FILES = """
with open("one", "w") as stream:
    stream.write("1")
    stream.flush()
    os.fsync(stream.fileno())
os.replace("one", "two")
os.unlink("two")
"""


def run(folder: Path, body: str, key: str = "") -> tuple[int, list[str]]:
    """Run a script under the instrumentation; its exit code and the points it came by."""
    done = subprocess.run(
        [sys.executable, "-c", HARNESS.format(body=body), key],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else []


def test_each_effect_on_a_file_is_a_point(tmp_path: Path) -> None:
    _code, seen = run(tmp_path, TWO_FILES)
    names = ["open one", "write one", "fsync one", "rename two", "unlink two", "end"]
    assert seen == [f"{number:03d} {name}" for number, name in enumerate(names, 1)]


@pytest.mark.parametrize(
    ("key", "left"),
    [
        ("001 open one", {}),
        ("002 write one", {"one": ""}),
        ("003 fsync one", {"one": "1"}),
        ("004 rename two", {"one": "1"}),
        ("005 unlink two", {"two": "1"}),
        ("006 end", {}),
    ],
)
def test_a_kill_comes_before_its_effect_and_after_the_one_before(
    tmp_path: Path, key: str, left: dict[str, str]
) -> None:
    code, _none = run(tmp_path, TWO_FILES, key)
    assert code == -signal.SIGKILL
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == left


OTHER_EFFECTS = """
import fcntl, pathlib, subprocess, tempfile
descriptor = os.open("lock", os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.ftruncate(descriptor, 0)
os.write(descriptor, b"x")
os.mkdir("folder")
pathlib.Path("folder", "text").write_text("x")
os.close(tempfile.mkstemp(dir="folder", prefix=".live.map.")[0])
os.chmod("folder", 0o700)
subprocess.run(["true"])
pathlib.Path("folder", "text").read_text()
os.write(1, b"")
"""


def test_other_effects_are_points_and_what_reads_is_none(tmp_path: Path) -> None:
    _code, seen = run(tmp_path, OTHER_EFFECTS)
    assert [key.partition(" ")[2] for key in seen] == [
        *("open lock", "flock lock", "truncate lock", "write lock", "mkdir folder"),
        *("open text", "write text", "open .live.map.*", "chmod folder", "run true", "end"),
    ]


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Path]:
    """A folder with two sockets that answer everything with an empty or a streamed reply."""
    stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    servers = [_serve(tmp_path / "docker.sock", stream), _serve(tmp_path / "admin.sock", b"\n")]
    yield tmp_path
    for server in servers:
        server.close()


def _serve(path: Path, reply: bytes) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def answer() -> None:
        while True:
            try:
                link, _name = server.accept()
            except OSError:
                return
            with link:
                link.recv(65536)
                link.sendall(reply)

    threading.Thread(target=answer, daemon=True).start()
    return server


TALK = """
import http.client, socket
class Docker(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("docker.sock")
def docker(method, path):
    link = Docker("localhost")
    link.request(method, path)
    try:
        # As urllib3 1.26 does on every Python.
        answer = link.getresponse(buffering=True)
    except TypeError:
        answer = link.getresponse()
    answer.read()
    link.close()
def haproxy(command):
    with socket.socket(socket.AF_UNIX) as link:
        link.connect("admin.sock")
        link.sendall(command.encode())
        link.recv(100)
docker("GET", "/v1.41/containers/json")
docker("POST", "/v1.41/containers/0123456789ab/start?x=1")
for _number in range(4):
    haproxy("show stat\\n")
haproxy("set map file key value\\n")
haproxy("show stat\\n")
"""


def test_what_goes_down_a_socket_is_a_point_and_polls_are_two(sockets: Path) -> None:
    _code, seen = run(sockets, TALK)
    assert seen == [
        "001 docker POST /containers/*/start",
        "002 docker POST /containers/*/start sent",
        "003 docker POST /containers/*/start answered",
        "003+ haproxy show stat #1",
        "003+ haproxy show stat #2",
        "004 haproxy set map",
        "004+ haproxy show stat #1",
        "005 end",
    ]


KEYS = [
    *("000+ haproxy show map #1", "001 open .live.map.*", "002 rename live.map"),
    *("002+ haproxy show map #1", "003 haproxy add map", "004 write journal.jsonl"),
    *("005 fsync journal.jsonl", "006 fsync journal.jsonl", "007 end"),
]


def test_the_points_around_the_move_are_from_the_file_to_the_journal() -> None:
    assert around_move(KEYS) == [KEYS[at] for at in (2, 4, 5, 6)]


def test_spread_takes_the_first_and_the_last() -> None:
    assert spread(KEYS, 3) == [KEYS[0], KEYS[4], KEYS[8]]


def test_the_table_names_problems_and_totals() -> None:
    rows = [
        Row("release", "kill", "001 open lock", "same", requests=10, recovery_seconds=2.5),
        Row("release", "power", "002 x", "back", failed=1, boot_seconds=6.0, problems=["late"]),
    ]
    lines = table(rows)
    assert "PROBLEM: late" in lines[2]
    assert lines[3].startswith("kill: 1 crashes, 0 with problems, 10 requests, 0 failed")
    assert "slowest boot 6.0 s" in lines[4]
