# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts `load` and `footprint` make of what they read: reports, /proc, wrk, HAProxy."""

from __future__ import annotations

import base64
import io
import tarfile
from array import array

import pytest

from tests.bench import inside, probe, throughput, under_load
from tests.bench.inside import Sent
from tests.bench.model import OURS, Part, Series
from tests.bench.parts import footprint, load
from tests.bench.throughput import Rate, ThroughputError
from tests.bench.under_load import Outcome
from tests.load.driver import LoadError

VERSION_1 = """9:name=systemd:/docker/27d8/system.slice/haproxy.service
2:cpuacct:/docker/27d8
1:cpu,net_cls:/docker/27d8/system.slice/haproxy.service
0::/docker/27d8/system.slice/haproxy.service
"""
CONFIGURATION = """global
    stats socket /run/haproxy/admin.sock mode 600 level admin

frontend api
    bind :3002
    log-format "bind :3002"

backend api-blue
    option httpchk
    server slot 172.31.10.2:3002 check inter 1s

backend api-green
    option httpchk
    server slot 172.31.10.3:3002 check inter 1s

backend api-none
    http-request return status 503
"""
WRK = """Running 3s test @ http://127.0.0.1:3002
  2 threads and 32 connections
  44893 requests in 3.00s, 9.33MB read
{more}Requests/sec:  14957.27
Transfer/sec:      3.11MB
"""


def test_archive_holds_all_that_the_generator_imports() -> None:
    packed = base64.b64decode(inside.packed(inside.PROGRAMS))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        names = set(archive.getnames())
    assert {"tests/load/__main__.py", "tests/sample_api/frames.py"} <= names
    assert not [name for name in names if not name.endswith(".py")]


def test_report_and_samples_become_times_of_day() -> None:
    report = {"began_at": 1000.0, "requests": 2, "failed": 1, "reasons": {"timeout": 1}}
    report["phases"] = [{"name": "start", "failed": 1}, {"name": "release", "failed": 0}]
    found = inside.sent(report, array("d", [0.5, 3.0, 1.5, 10000.0]).tobytes())
    assert found == Sent(2, 1, {"timeout": 1}, [(1000.5, 3.0), (1001.5, 10000.0)], 1)


def test_steady_and_cutover_are_told_apart() -> None:
    # Opening connections (9 ms), steady (1 ms), the release (5 ms), its tail (7 ms), after it.
    took = {0.1: 9.0, 1.0: 1.0, 4.9: 1.0, 5.0: 5.0, 6.9: 5.0, 8.9: 7.0, 9.1: 99.0}
    quick = Sent(7, 1, {"timeout": 1}, [(100 + at, value) for at, value in took.items()], 1)
    slow = Sent(2, 2, {"timeout": 1, "connection reset": 1}, [], 0)
    found = under_load.outcome_of(quick, slow, 105.0, 107.0)
    assert (found.requests, found.failed, found.failed_before) == (9, 3, 1)
    assert found.reasons == {"timeout": 2, "connection reset": 1}
    assert found.steady == {"p50": 1.0, "p99": 1.0, "p99.9": 1.0}
    assert found.cutover == {"p50": 5.0, "p99": 7.0, "p99.9": 7.0}


def test_load_that_ends_before_the_release_is_no_measurement() -> None:
    quick = Sent(2, 0, {}, [(100.0, 1.0), (102.0, 1.0)])
    with pytest.raises(LoadError, match=r"ended 5\.0 s before"):
        under_load.outcome_of(quick, Sent(0, 0, {}, []), 101.0, 107.0)


def test_rounds_release_another_commit_than_the_one_before() -> None:
    assert load.commit(-1) == load.commit(1) != load.commit(0)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        (VERSION_1, "haproxy.service"),
        ("0::/system.slice/docker-27d8.scope/system.slice/ssh.service\n", "ssh.service"),
        ("0::/system.slice/docker-27d8.scope/init.scope\n", "init.scope"),
        ("9:name=systemd:/docker/1bf0\n0::/docker/1bf0\n", ""),
        ("0::/\n", ""),
    ],
    ids=["version 1", "version 2", "first process", "container", "root"],
)
def test_unit_of_a_process(text: str, unit: str) -> None:
    assert probe.unit_of(text) == unit


def test_controllers_that_share_a_line() -> None:
    paths = probe.controllers(VERSION_1)
    assert paths["cpuacct"] == "/docker/27d8"
    assert paths["cpu"] == paths["net_cls"] == "/docker/27d8/system.slice/haproxy.service"


def test_memory_of_a_rollup() -> None:
    text = "5571-7ffe ---p 0 [rollup]\nRss:    1424 kB\nPss:     173 kB\nPss_Dirty:   100 kB\n"
    assert (probe.kibibytes(text, "Pss"), probe.kibibytes(text, "Rss")) == (173, 1424)
    assert probe.kibibytes("", "Pss") == 0


def look(at: float, **units: tuple[int, float]) -> footprint.Look:
    """Return a look at units by name without `.service`: PSS in KiB, CPU seconds."""
    processes = [
        {"unit": f"{name}.service", "pss": pss, "rss": 2 * pss, "cpu": cpu}
        for name, (pss, cpu) in units.items()
    ]
    return footprint.look_of({"processes": processes, "cpu": 0.0}, at)


def test_what_set_up_adds_is_found_without_its_name() -> None:
    bare = look(0, dbus=(100, 0), ssh=(100, 0))
    ready = look(0, dbus=(100, 0), ssh=(1, 0), docker=(1, 0), fail2ban=(1, 0), new=(512, 0))
    assert footprint.added(bare, ready) == {"new.service"}
    assert ready.memory({"new.service", "not-there.service"}) == 0.5
    assert ready.resident({"new.service"}) == 1.0


def test_share_of_a_core_counts_from_one_look_to_the_next() -> None:
    before = look(10.0, a=(1, 5.0), b=(1, 9.0), other=(1, 0.0))
    # `b` was started anew: it has used less than before, which is no reason to take any off.
    after = look(20.0, a=(1, 6.0), b=(1, 0.5), other=(1, 10.0))
    assert before.share(after, {"a.service", "b.service"}) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("more", "failed"),
    [
        ("", 0),
        ("  Non-2xx or 3xx responses: 12\n", 12),
        ("  Socket errors: connect 1, read 2, write 0, timeout 4\n", 7),
        ("  Socket errors: read 2, timeout 0\n  Non-2xx or 3xx responses: 3\n", 5),
    ],
    ids=["none", "statuses", "sockets", "both"],
)
def test_what_wrk_counts(more: str, failed: int) -> None:
    assert throughput.rate_of(WRK.format(more=more)) == Rate(14957.27, failed)


def test_wrk_that_could_not_connect_gives_no_rate() -> None:
    with pytest.raises(ThroughputError, match="unable to connect"):
        throughput.rate_of("unable to connect to 127.0.0.1:3002 Connection refused\n")


@pytest.mark.parametrize(("slot", "number"), [("blue", 2), ("green", 3)])
def test_address_of_the_live_slot(slot: str, number: int) -> None:
    found = throughput.live_address(CONFIGURATION, f"# ours\napi api-{slot}\n")
    assert found == f"172.31.10.{number}:3002"


@pytest.mark.parametrize("live_map", ["", "api api-none\n", "web web-blue\n"])
def test_no_live_slot_is_an_error(live_map: str) -> None:
    with pytest.raises(ThroughputError, match="no slot of api is live"):
        throughput.live_address(CONFIGURATION, live_map)


def test_second_haproxy_differs_in_port_socket_and_upstream_alone() -> None:
    other = throughput.beside(CONFIGURATION, 8193, "127.0.0.1:8191", "/run/haproxy/other.sock")
    pairs = zip(CONFIGURATION.splitlines(), other.splitlines(), strict=True)
    assert [new.strip() for old, new in pairs if old != new] == [
        "stats socket /run/haproxy/other.sock mode 600 level admin",
        "bind 127.0.0.1:8193",
        "server slot 127.0.0.1:8191 check inter 1s",
        "server slot 127.0.0.1:8191 check inter 1s",
    ]


@pytest.mark.parametrize("missing", ["    bind :3002\n", "    server slot 172.31.10.3:3002 check"])
def test_another_configuration_than_the_role_writes_is_refused(missing: str) -> None:
    text = CONFIGURATION.replace(missing, "")
    with pytest.raises(ThroughputError, match="lines match"):
        throughput.beside(text, 8193, "127.0.0.1:8191", "/run/haproxy/other.sock")


def test_throughput_is_held_against_nginx_pair_by_pair() -> None:
    """A machine that is half as fast in one round must not count for one of the two alone."""
    part = Part("load", "", "", 3)
    for measure in (load.STATIC, load.SAMPLE):
        part.series += [
            Series(measure, load.DIRECT, "requests/s", [400.0, 400.0, 400.0]),
            Series(measure, OURS, "requests/s", [95.0, 190.0, 92.0]),
            Series(measure, load.NGINX, "requests/s", [100.0, 200.0, 100.0]),
        ]
    logged = Series(load.STATIC, load.NGINX_JOURNAL, "requests/s", [50.0, 100.0, 50.0])
    part.series.append(logged)
    load.judge(part)
    (target,) = part.targets
    assert (target.value, target.limit, target.is_met) == (0.95, 0.9, True)
    assert "1.90 times" in part.notes[0]
    assert "4.0 times" in part.notes[1]


def test_latency_around_a_cutover_is_compared_round_by_round() -> None:
    rounds = [
        Outcome(10, 0, 0, {}, {"p99": steady}, {"p99": around}, 3.0)
        for steady, around in ((10.0, 13.0), (20.0, 22.0), (10.0, 12.0))
    ]
    target = load.slowed(rounds)
    assert (target.value, target.limit, target.is_met) == (1.2, 1.25, True)
