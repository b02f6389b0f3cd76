# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What part setup computes: seconds by role, networks, a long journal, images of a crowd."""

from __future__ import annotations

import hashlib
import io
import ipaddress
import json
import tarfile

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._state.history import fold
from ansible_collections.greenlight.droplet.plugins.module_utils._state.journal import parse
from tests.bench import crowded, firewall_rivals, long_journal
from tests.bench.parts import setup

HOUR = "2026-01-01T0{}:00:00Z"


def line(event: str, run: str, **data: object) -> str:
    """One line of a journal."""
    return json.dumps({"event": event, "run": run, "time": HOUR.format(9), **data}, sort_keys=True)


def journal(*runs: str) -> str:
    """A journal of whole runs, each of a release of its own."""
    lines = [line("journal", "", format=1)]
    before = ""
    for run in runs:
        release = f"release of {run}"
        lines += [
            line("begin", run, origin={"release": before}, sha="a" * 40),
            line("start", run, release=release),
            line("staged", run, release=release),
            line("live", run, release=release, sha="a" * 40),
            line("settled", run, release=release),
        ]
        before = release
    return "".join(f"{one}\n" for one in lines)


@pytest.mark.parametrize("count", [0, 10, 11, 1000])
def test_a_lengthened_journal_is_one_that_the_modules_could_have_written(count: int) -> None:
    short = journal("1", "2")
    long = long_journal.lengthen(short, count)
    entries, damaged = parse(long)
    history = fold(entries, damaged)
    assert (history.damaged, history.irregular) == (0, [])
    assert len(entries) - 1 >= max(count, 10)
    assert len(entries) - 1 < max(count, 10) + 10
    assert long.endswith(short.partition("\n")[2])
    assert long.splitlines()[0] == short.splitlines()[0]
    assert history.unfinished() is None
    assert [turn.release for turn in history.turns[-2:]] == ["release of 1", "release of 2"]
    # No release and no run comes back, and time only goes on.
    assert len({turn.release for turn in history.turns}) == len(history.turns)
    assert len(history.runs) * 5 == len(entries) - 1
    times = [entry.time for entry in entries[1:]]
    assert times == sorted(times)


def test_a_journal_without_entries_cannot_be_lengthened() -> None:
    with pytest.raises(ValueError, match="without an entry"):
        long_journal.lengthen(journal(), 10)


def test_seconds_of_a_role_add_up_and_end_with_the_command() -> None:
    lines = [
        (1.0, "PLAY [Bring a droplet up]"),
        (1.5, "TASK [Gathering Facts] ****"),
        (2.0, "TASK [greenlight.droplet.base : Install [many] packages] ****"),
        (2.1, "TASK of another kind"),
        (5.0, "TASK [greenlight.droplet.ssh : Write] ****"),
        (5.5, "TASK [greenlight.droplet.base : Look again] ****"),
        (6.0, "RUNNING HANDLER [greenlight.droplet.ssh : Restart sshd] ****"),
        (7.0, "PLAY RECAP ****"),
    ]
    assert setup.role_seconds(lines, 7.25) == {
        "start of Ansible": 1.5,
        "tasks of the playbook": 0.5,
        "base": 3.5,
        "ssh": 1.5,
        "end of Ansible": 0.25,
    }


def test_networks_stay_as_many_when_they_are_collapsed() -> None:
    listed = firewall_rivals.networks(setup.LARGEST)
    found = [ipaddress.IPv4Network(network) for network in listed]
    assert len(list(ipaddress.collapse_addresses(found))) == setup.LARGEST
    assert all(network.subnet_of(firewall_rivals.POOL) for network in found)
    other = firewall_rivals.one_changed(listed)
    assert len(set(other) ^ set(listed)) == 2
    assert len(set(other)) == setup.LARGEST


def test_more_networks_than_there_are_set_aside_are_refused() -> None:
    with pytest.raises(ValueError, match="has no 9000 networks"):
        firewall_rivals.networks(9000)


def test_a_lower_bound_takes_the_cheapest_rule() -> None:
    assert setup.lower_bound(6000, [0.75, 0.5, 1.0]) == 3000.0


def test_images_of_a_crowd_are_all_different_and_share_a_layer() -> None:
    with tarfile.open(fileobj=io.BytesIO(crowded.archive(5, "amd64"))) as tar:
        content = {
            member.name: file.read()
            for member in tar.getmembers()
            if (file := tar.extractfile(member)) is not None
        }
    manifest = json.loads(content["manifest.json"])
    assert len({image["Config"] for image in manifest}) == 5
    diff = f"sha256:{hashlib.sha256(content[crowded.LAYER]).hexdigest()}"
    for number, image in enumerate(manifest, start=1):
        config = content[image["Config"]]
        assert image["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
        assert json.loads(config)["config"]["Labels"] == {crowded.NAME: str(number)}
        assert json.loads(config)["rootfs"]["diff_ids"] == [diff]
        assert image["Layers"] == [crowded.LAYER]
