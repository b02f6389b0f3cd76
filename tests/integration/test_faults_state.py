# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files damaged, emptied, from the future or on a full disk; the clock moved; hands at work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.support.ansible import Call
from tests.integration.support.bench import Bench, sha
from tests.integration.support.faults import (
    FOLDER,
    assert_whole,
    converges,
    during,
    events,
    info,
    map_of,
    started,
)

JOURNAL, MAP = f"{FOLDER}/journal.jsonl", f"{FOLDER}/live.map"
SLOW_GATE = {"expect": "status == 'healthy'", "interval": 0.3, "successes": 12, "deadline": 20}
PYTHON = "/usr/local/bin/python-with-another-clock"


@pytest.fixture
def live_b(bench: Bench) -> Bench:
    """The droplet with B live and A as the standby."""
    bench.play(bench.release("A"), bench.release("B"))
    return bench


def test_a_damaged_journal_is_put_aside_and_nothing_is_forgotten(live_b: Bench) -> None:
    live_b.sh(f"printf '\\377\\376garbage\\n[1, 2]\\n' >> {JOURNAL}")
    assert info(live_b)["damaged_lines"] == 2
    result = live_b.one(live_b.release("B")).ok()
    assert result.steps == ["repair"]
    assert "2 damaged lines in the journal are put aside" in result["steps"][0]["text"]
    found = assert_whole(live_b, "B")
    assert (found["damaged_lines"], found["standby"]["sha"]) == (0, sha("A"))
    kept = f"{FOLDER}/journal-damaged-*.jsonl"
    assert live_b.sh(f"grep -a -c garbage {kept}; rm {kept}").strip() == "1"


@pytest.mark.parametrize("content", ["", "half a li"])
def test_an_empty_or_torn_journal_is_begun_again(live_b: Bench, content: str) -> None:
    live_b.sh(f"printf '{content}' > {JOURNAL}")
    live_b.one(live_b.release("C")).ok()
    found = assert_whole(live_b, "C")
    assert found["standby"]["sha"] == sha("B")
    live_b.sh(f"rm -f {FOLDER}/journal-damaged-*")


def test_a_journal_of_a_newer_version_is_refused(live_b: Bench) -> None:
    live_b.sh(f"""echo '{{"event": "journal", "format": 2}}' >> {JOURNAL}""")
    said = ("has format 2", "knows 1", "Install the newer version of the collection")
    live_b.refused(live_b.release("C"), *said)
    assert live_b.serving() == sha("B")
    live_b.sh(f"sed -i '$d' {JOURNAL}")
    converges(live_b)


def test_a_map_of_a_newer_version_is_refused(live_b: Bench) -> None:
    live_b.sh(f"sed -i 's/format 1/format 7/' {MAP}")
    live_b.refused(live_b.release("C"), "has format 7", "knows 1", "Install the newer version")
    live_b.sh(f"sed -i 's/format 7/format 1/' {MAP}")
    converges(live_b)


@pytest.mark.parametrize("content", ["", "api", "\\000\\001\\377 garbage"])
def test_a_damaged_map_is_written_anew(live_b: Bench, content: str) -> None:
    live_b.sh(f"printf '{content}' > {MAP}")
    assert info(live_b)["pointer"]["file"] is None
    assert live_b.one(live_b.release("B")).ok().steps == ["repair"]
    assert map_of(live_b) == "api api-green"
    assert_whole(live_b, "B")


def test_a_pointer_lost_with_its_file_and_haproxy_comes_back(live_b: Bench) -> None:
    live_b.sh(f": > {MAP}; systemctl restart haproxy; sleep 1")
    assert "no release is live" in live_b.serving()
    found = info(live_b)
    assert found["live"]["sha"] == sha("B")
    four = live_b.four(live_b.release("B"))
    assert four.apply.steps == ["repair"]
    assert "but what runs is in slot green" in four.check["plan"][0]
    assert_whole(live_b, "B")


def test_a_pointer_moved_by_hand_to_where_nothing_runs_comes_back(live_b: Bench) -> None:
    command = f"set map {MAP} api api-blue"
    script = "import socket, sys; s = socket.socket(socket.AF_UNIX);"
    script += "s.connect('/run/haproxy/admin.sock'); s.sendall(sys.argv[1].encode() + b'\\n')"
    live_b.sh(f'python3 -c "{script}" "{command}"; sleep 0.5')
    assert live_b.one(live_b.release("B")).ok().steps == ["repair"]
    assert_whole(live_b, "B")


def test_a_changed_configuration_is_told_and_stops_nothing(live_b: Bench) -> None:
    live_b.sh("cp -a /etc/haproxy/haproxy.cfg /tmp/kept.cfg")
    try:
        live_b.sh("echo '# by hand' >> /etc/haproxy/haproxy.cfg")
        (note,) = info(live_b)["notes"]
        assert "was changed by hand" in note
        assert "setup-api.yml puts it back" in note
        result = live_b.one(live_b.release("C")).ok()
        assert result["warnings"] == [note]
    finally:
        live_b.sh("mv /tmp/kept.cfg /etc/haproxy/haproxy.cfg")
    assert info(live_b)["notes"] == []
    assert_whole(live_b, "C")


@contextmanager
def small_disk(bench: Bench, path: str, size: str) -> Iterator[None]:
    """Put a small file system over a folder, with the files that were there."""
    bench.sh(
        f"cp -a {path} /tmp/kept; mount -t tmpfs -o size={size},mode=0700 none {path};"
        f" cp -a /tmp/kept/. {path}"
    )
    try:
        yield
    finally:
        bench.sh(f"rm -f {path}/filler; cp -a {path}/. /tmp/kept; umount {path}")
        bench.sh(f"cp -a /tmp/kept/. {path}; rm -rf /tmp/kept")


FILL = f"dd if=/dev/zero of={FOLDER}/filler bs=4k status=none 2>/dev/null; true"


def test_a_full_disk_refuses_a_run_before_it_begins(live_b: Bench) -> None:
    with small_disk(live_b, FOLDER, "2m"):
        live_b.sh(FILL)
        said = ("is full (0 bytes left", "docker system df", "nothing was changed")
        live_b.refused(live_b.release("C"), *said)
        live_b.sh(f"rm {FOLDER}/filler")
        live_b.one(live_b.release("C")).ok()
    converges(live_b, "D")


def test_a_disk_that_fills_up_during_a_run_leaves_the_old_release(live_b: Bench) -> None:
    with small_disk(live_b, FOLDER, "2m"):
        result = during(live_b, live_b.release("C", health=SLOW_GATE), started("C"), FILL)
        assert "No space left on device" in result.msg
        assert f"serving now {sha('B')}" in result.msg
        assert live_b.serving() == sha("B")
        live_b.sh(f"rm {FOLDER}/filler")
        converges(live_b)
    converges(live_b, "D")


def test_a_disk_that_fills_up_during_the_pull_changes_nothing(live_b: Bench) -> None:
    image = f"$(docker images -q greenlight/api:{sha('heavy')})"
    live_b.sh(f"docker rmi -f {image} 2>/dev/null", check=False)
    place = "/var/lib/docker/tmp"
    live_b.sh(f"mount -t tmpfs -o size=1m none {place}")
    try:
        result = live_b.one(live_b.release("heavy"))
        assert "failed at step 'pull'" in result.msg
        assert "no space left on device" in result.msg.lower()
        assert live_b.serving() == sha("B")
    finally:
        live_b.sh(f"umount {place}")
    converges(live_b)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_moved_confuses_nothing(live_b: Bench, days: int) -> None:
    # The droplets share this machine's clock, so only the module sees another one.
    code = f"import time; _t = time.time; time.time = lambda: _t() + {days * 86_400}"
    live_b.sh(
        f"mkdir -p /tmp/clock; echo '{code}' > /tmp/clock/sitecustomize.py;"
        f" printf '#!/bin/sh\\nPYTHONPATH=/tmp/clock exec /usr/bin/python3 \"$@\"\\n' > {PYTHON};"
        f" chmod 755 {PYTHON}"
    )
    staged = live_b.release("C", python=PYTHON, state="staged", run="moved", holder="ann")
    live_b.one(staged).ok()
    live_b.refused(live_b.release("D"), "A release is under way: ann")
    live_b.one(live_b.release("C", state="settled", run="moved")).ok()
    assert_whole(live_b, "C")
    live_b.one(live_b.release("D", python=PYTHON)).ok()
    assert live_b.one(live_b.rollback()).ok()["live"]["sha"] == sha("C")
    assert_whole(live_b, "C")


def test_a_freeze_is_told_to_whoever_releases(live_b: Bench) -> None:
    freeze = Call("freeze", {"reason": "sale", "holder": "ann"})
    lift = Call("freeze", {"state": "absent"})
    try:
        live_b.four(freeze)
        said = ("Releases are frozen: sale (ann, since 20", "state=absent", "app_ignore_freeze")
        live_b.refused(live_b.release("C"), *said)
        live_b.refused(live_b.release("C", state="planned"), *said)
        assert info(live_b)["freeze"].startswith("sale (ann, since 20")
        assert live_b.one(live_b.rollback()).ok()["live"]["sha"] == sha("A")
        live_b.one(live_b.release("C", ignore_freeze="hotfix")).ok()
        (noted,) = events(live_b, "freeze-ignored")
        assert noted["reason"] == "hotfix"
    finally:
        live_b.four(lift)
    assert "reason is empty" in live_b.one(Call("freeze", {})).msg
    converges(live_b, "D")


def test_the_journal_tells_who_did_what_and_how_long_it_took(live_b: Bench) -> None:
    url = "https://ci.example.com/jobs/7"
    live_b.one(live_b.release("C", holder="ann@laptop", ci_run=url)).ok()
    live_b.one(live_b.release("unhealthy-json"))
    bad, good = list(reversed(info(live_b)["runs"]))[:2]
    wanted = {"holder": "ann@laptop", "ci_run": url, "outcome": "settled", "action": "release"}
    assert {name: good[name] for name in wanted} == wanted
    assert (good["from_sha"], good["sha"]) == (sha("B"), sha("C"))
    assert {"start", "gate", "confirm", "cut over", "drain", "retire"} <= set(good["seconds"])
    assert good["digest"].startswith("sha256:")
    assert bad["outcome"] == "reverted"
    assert "not healthy" in bad["reason"]
    assert all(json.loads(line) for line in live_b.sh(f"cat {JOURNAL}").splitlines())
