# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rivals' scripts and the account of a release, without a droplet."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from dev import settings
from tests.bench import commands, model
from tests.bench.droplet import merged_inventory
from tests.bench.model import OURS, Series
from tests.bench.parts import release
from tests.bench.rivals import base
from tests.bench.rivals.blue_green import BlueGreen
from tests.bench.rivals.docker_container import DockerContainer
from tests.bench.rivals.haproxy_reload import Haproxy
from tests.bench.rivals.nginx_reload import Nginx
from tests.bench.rivals.roster import rivals
from tests.bench.rivals.script import StopFirstScript
from tests.e2e.playbooks import Outcome
from tests.unit.bench.fakes import LINK, fake

SHA = "1" * 40
OLDER = "2" * 40


def scripts() -> list[str]:
    """Every shell script that goes to the droplet."""
    found = [StopFirstScript().script(SHA), StopFirstScript({"A": "b c"}).script(SHA)]
    for proxy in (Nginx(), Haproxy()):
        rival = BlueGreen(proxy)
        found += [rival.script(SHA), rival.script(), proxy.install(), proxy.remove()]
    return found


@pytest.mark.parametrize("script", scripts())
def test_a_script_is_good_shell_and_has_no_gap_left(script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "{image}" not in script
    assert "{port}" not in script


def test_the_script_stops_the_old_one_before_it_runs_the_new_one() -> None:
    script = StopFirstScript().script(SHA)
    stop, start = script.index("docker stop"), script.index(f"start {base.image_of(SHA)}")
    assert stop < start
    assert "seq 12" in script
    assert "sleep 5" in script


def test_the_script_quotes_what_the_container_gets() -> None:
    assert "--env 'A=b c'" in StopFirstScript({"A": "b c"}).script(SHA)


@pytest.mark.parametrize(("proxy", "reload"), [(Nginx(), "nginx -s"), (Haproxy(), "systemctl rel")])
def test_blue_green_reloads_before_the_old_one_stops(proxy: Nginx | Haproxy, reload: str) -> None:
    script = BlueGreen(proxy).script(SHA)
    assert script.index("docker run") < script.index(reload) < script.rindex("docker stop")
    back = BlueGreen(proxy).script()
    assert "docker run" not in back
    assert back.index("docker start") < back.index(reload) < back.rindex("docker stop")


def test_the_playbook_recreates_and_waits() -> None:
    (play,) = yaml.safe_load(DockerContainer().playbook(SHA))
    recreate, wait = play["tasks"]
    container = recreate["community.docker.docker_container"]
    assert (container["image"], container["recreate"]) == (base.image_of(SHA), True)
    assert container["published_ports"] == ["127.0.0.1:8082:3002"]
    assert wait["ansible.builtin.uri"]["url"] == "http://127.0.0.1:8082/v1/health"


def test_no_two_rivals_share_a_name_or_a_port() -> None:
    found = rivals()
    slots = [port + step for port in (Nginx.port, Haproxy.port) for step in (0, 100, 200)]
    ports = [rival.port for rival in found if not isinstance(rival, BlueGreen)] + slots
    assert len({rival.name for rival in found}) == len(found)
    assert len(set(ports)) == len(ports)
    assert commands.OUR_PORT not in ports


def test_the_script_goes_back_by_releasing_the_commit_before() -> None:
    droplet, passed = fake("")
    rival = StopFirstScript()
    with pytest.raises(base.RivalError, match="not prepared"):
        rival.release(SHA)
    rival._droplet = passed
    rival.release(OLDER)
    with pytest.raises(base.RivalError, match="no release to go back to"):
        rival.rollback()
    rival.release(SHA)
    rival.rollback()
    assert base.image_of(OLDER) in droplet.scripts[-1]


@pytest.mark.parametrize("answer", ["", "<html>", '"text"', '{"sha": "2222"}'])
def test_another_commit_or_none_does_not_count(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "SEEN_SECONDS", 0.0)
    _droplet, passed = fake(answer)
    with pytest.raises(base.RivalError, match="serves"):
        base.see(passed, 8081, SHA)


def test_a_proxy_may_take_a_moment() -> None:
    _droplet, passed = fake('{"sha": "old"}', f'{{"sha": "{SHA}"}}')
    base.see(passed, 8083, SHA)


def test_the_inventory_is_the_fleets_but_for_its_host_and_its_balancer() -> None:
    found = merged_inventory("bench", LINK)["all"]
    fleet = yaml.safe_load((settings.ROOT / "inventory" / "dev.yml").read_text(encoding="utf-8"))
    api = found["children"]["api"]
    theirs = fleet["all"]["children"]["api"]["vars"]
    assert {name: api["vars"][name] for name in theirs} == theirs
    assert (api["vars"]["app_name"], api["vars"]["app_port"]) == ("api", 3002)
    (host,) = api["hosts"].values()
    assert (host["ansible_port"], host["app_balancer_url"]) == (2399, "")
    assert "/pins" in host["ansible_ssh_common_args"]


def outcome(*lines: str) -> Outcome:
    """A command that printed these lines."""
    return Outcome(["ansible-playbook"], 0, 3.0, [(0.0, line) for line in lines])


def test_steps_are_those_of_the_slowest_host() -> None:
    found = outcome(
        f"api-1        {'gate':<14} {1.2:>7.2f} s   healthy",
        f"api-2        {'gate':<14} {1.5:>7.2f} s   healthy",
        f"api-2        {'cut over':<14} {0.5:>7.2f} s   blue",
    )
    assert commands.step_seconds(found) == {"gate": 1.5, "cut over": 0.5}


def test_an_output_without_steps_is_not_taken_for_zero_seconds() -> None:
    with pytest.raises(LookupError, match="no step"):
        commands.step_seconds(outcome("ok: [api-1]"))


def test_the_account_is_made_of_medians_and_what_is_left() -> None:
    steps = [{"gate": 1.0, "pull": 0.1}, {"gate": 1.2}, {"gate": 1.1, "pull": 0.3}]
    found = commands.account([2.0, 2.4, 2.2], steps)
    assert found == {"Ansible and SSH": 0.9, "gate": 1.1, "pull": 0.1}


def part(two_hosts: float) -> model.Part:
    """A part in which the stop-first script takes 5 s."""
    medians = {
        release.ONE: 2.9,
        release.STOPPED: 2.6,
        release.WARM: 1.0,
        release.NO_OP_TWO: 1.6,
        release.TWO: two_hosts,
    }
    series = [Series(name, OURS, "s", [value]) for name, value in medians.items()]
    series.append(Series(release.ONE, StopFirstScript.name, "s", [5.0]))
    return model.Part("release", "", "", 1, series=series)


@pytest.mark.parametrize(("two_hosts", "met"), [(4.25, True), (4.3, False)])
def test_releases_are_compared_with_the_script(two_hosts: float, met: bool) -> None:
    found = {target.limit: target.is_met for target in release.targets(part(two_hosts))}
    assert found == {0.6: True, 0.85: met, 0.3: False, 2.5: False, 1.5: True}
