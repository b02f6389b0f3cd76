# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scale benchmark's pure parts: lines through sizes, a thousand hosts, the inventory."""

from __future__ import annotations

import ipaddress
from collections import Counter
from pathlib import Path

import pytest

from dev import light_inventory as inventory
from tests.bench.scale_model import FitError, Line, Model, error_at_largest, fit
from tests.bench.scale_runs import busy_ticks, changed_hosts, counts, schedule

SIZES = (1, 2, 4, 8, 16)


@pytest.mark.parametrize("line", [Line(2.0, 0.25), Line(0.0, 1.0), Line(3.0, 0.0)])
def test_a_line_is_found_again(line: Line) -> None:
    found = fit({hosts: line.at(hosts) for hosts in SIZES})
    assert (found.start, found.per_host) == pytest.approx((line.start, line.per_host))


@pytest.mark.parametrize("sizes", [{}, {4: 1.0}])
def test_a_line_needs_two_sizes(sizes: dict[int, float]) -> None:
    with pytest.raises(FitError, match="at least two"):
        fit(sizes)


def test_the_largest_size_is_predicted_from_the_others_alone() -> None:
    straight = {hosts: 2 + 0.5 * hosts for hosts in SIZES}
    assert error_at_largest({**straight, 32: 2 + 0.5 * 32}) == pytest.approx(0)
    # Measured twice as long as the smaller sizes let expect: half of it was predicted.
    assert error_at_largest({**straight, 32: 36.0}) == pytest.approx(-0.5)


def _model() -> Model:
    controller = {hosts: 1 + 0.2 * hosts for hosts in SIZES}
    return Model.of({1: 4.25, 2: 5.0}, controller, cores=2)


def test_what_a_host_takes_alone_is_what_the_controller_does_not_explain() -> None:
    assert _model().alone == pytest.approx(4.25 - 1.2)
    assert _model().wave(10) == pytest.approx(1 + 10 * 0.2 / 2 + 3.05)


def test_a_controller_that_is_busier_than_the_clock_leaves_nothing_for_the_host() -> None:
    assert Model.of({1: 1.0}, {1: 1.2, 2: 1.4}, cores=2).alone == 0


@pytest.mark.parametrize(("hosts", "forks", "waves"), [(1000, 200, 5), (50, 50, 1), (100, 50, 2)])
def test_a_fleet_takes_as_many_waves_as_forks_make_necessary(
    hosts: int, forks: int, waves: int
) -> None:
    assert _model().fleet(hosts, forks) == pytest.approx(waves * _model().wave(forks))


def test_the_last_wave_is_as_large_as_what_is_left() -> None:
    model = _model()
    assert model.fleet(120, 50) == pytest.approx(2 * model.wave(50) + model.wave(20))


def test_the_model_says_where_the_controller_takes_over() -> None:
    model = _model()
    assert model.crossing() == 31
    assert model.hosts_within(model.wave(70) + 0.01) == 70
    assert model.hosts_within(1.0) == 0


def test_a_model_needs_the_time_of_one_host() -> None:
    with pytest.raises(FitError, match="one host"):
        Model.of({2: 5.0}, {2: 1.0, 4: 2.0}, cores=2)


def test_a_controller_without_work_has_no_limit_to_name() -> None:
    idle = Model(Line(1.0, 0.0), alone=1.0, cores=2)
    with pytest.raises(FitError, match="does not grow"):
        idle.crossing()
    with pytest.raises(FitError, match="does not grow"):
        idle.hosts_within(60)


def test_every_size_gets_its_rounds_and_the_order_moves_on() -> None:
    turns = schedule({1: 3, 4: 3, 32: 1})
    assert turns == [[1, 4, 32], [4, 1], [1, 4]]
    assert Counter(size for sizes in turns for size in sizes) == {1: 3, 4: 3, 32: 1}
    assert schedule({}) == []


def test_the_recap_says_which_hosts_were_changed() -> None:
    output = """
TASK [light-09 : ok=1 changed=9 is not a recap's line]
PLAY RECAP *********
light-01   : ok=2    changed=1    unreachable=0    failed=0    skipped=0
light-02   : ok=2    changed=0    unreachable=0    failed=0    skipped=0
"""
    assert changed_hosts(output) == {"light-01": True, "light-02": False}


def test_what_grep_counts_is_read_by_file() -> None:
    assert counts("/srv/light/log/light-01.log:5\n/srv/light/log/light-02.log:0\n") == [5, 0]


def test_a_processor_that_waits_is_not_busy() -> None:
    text = "cpu  100 20 30 9000 800 4 5 6 50 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
    assert busy_ticks(text) == 100 + 20 + 30 + 4 + 5 + 6


def test_no_two_light_hosts_share_what_must_be_their_own() -> None:
    hosts = inventory.inventory(inventory.LIMIT, [1, 32], Path("/secret"))["light"]["hosts"]
    applications = [values["light_applications"][0] for values in hosts.values()]
    assert len({values["ansible_port"] for values in hosts.values()}) == inventory.LIMIT
    assert len({application["port"] for application in applications}) == inventory.LIMIT
    subnets = [ipaddress.ip_network(application["subnet"]) for application in applications]
    assert not any(a.overlaps(b) for n, a in enumerate(subnets) for b in subnets[:n])


def test_the_inventory_has_a_group_for_each_size() -> None:
    children = inventory.inventory(4, [1, 4], Path("/secret"))["all"]["children"]
    assert list(children["first_1"]["hosts"]) == ["light-01"]
    assert list(children["first_4"]["hosts"]) == [f"light-0{number}" for number in range(1, 5)]


@pytest.mark.parametrize("count", [0, -1, 33])
def test_there_is_room_for_32_light_hosts(count: int) -> None:
    with pytest.raises(inventory.CountError, match=str(count)):
        inventory.inventory(count, [], Path("/secret"))
