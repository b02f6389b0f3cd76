# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of others beside ours on a real kernel, and what the host itself needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hardening.droplets import Droplet, changed
from tests.hardening.test_firewall import set_up


@pytest.fixture(name="wall")
def fixture_wall(droplet: Droplet) -> Iterator[Droplet]:
    """The droplet, with the inventory's rules again afterwards."""
    yield droplet
    set_up(droplet)


KEPT = (
    "ufw allow log proto tcp from 10.1.0.0/16 to any port 8441 comment 'keep: log'",
    "ufw limit log-all 8442/tcp comment 'keep: limit'",
    "ufw route allow log in on eth0 out on eth1 to 10.9.0.2 port 80 proto tcp"
    " comment 'keep: route'",
    "ufw allow OpenSSH comment 'keep: profile'",
)


def test_what_is_kept_stays_right_in_each_form_and_does_not_grow(wall: Droplet) -> None:
    wall.inside("; ".join(KEPT))
    # As UFW before 0.34 wrote it, which it still reads.
    old = r"### tuple ### allow tcp 8447 0.0.0.0/0 any 10.1.1.1 comment=6b656570"
    line = "-A ufw-user-input -p tcp --dport 8447 -s 10.1.1.1 -j ACCEPT"
    wall.inside(f"sed -i 's,^### END RULES ###,{old}\\n{line}\\n\\n&,' /etc/ufw/user.rules")
    try:
        set_up(wall)
        before = wall.inside("iptables -S; ip6tables -S")
        for _run in range(2):
            assert changed(set_up(wall)) == 0
        wall.inside("iptables -F ufw-user-input")
        set_up(wall)
        assert wall.inside("iptables -S; ip6tables -S") == before
        wall.inside("ufw reload")
        assert changed(set_up(wall)) == 0
    finally:
        wall.inside("sed -i 's/ comment=[0-9a-f]*$//' /etc/ufw/user.rules /etc/ufw/user6.rules")


UFW_DOCKER = """
# BEGIN UFW AND DOCKER
*filter
:ufw-user-forward - [0:0]
:ufw-docker-logging-deny - [0:0]
:DOCKER-USER - [0:0]
-A DOCKER-USER -j ufw-user-forward
-A DOCKER-USER -j RETURN -s 172.16.0.0/12
-A DOCKER-USER -p tcp -m tcp --tcp-flags SYN SYN -d 172.16.0.0/12 -j ufw-docker-logging-deny
-A DOCKER-USER -j RETURN
-A ufw-docker-logging-deny -j DROP
COMMIT
# END UFW AND DOCKER
"""


def test_a_block_of_ufw_docker_stays_and_ufw_comes_back_beside_it(wall: Droplet) -> None:
    rules = "/etc/ufw/after.rules"
    wall.inside(
        f"cp -a {rules} /root/after.rules; cat >>{rules} <<'END'{UFW_DOCKER}END\nufw reload"
    )
    try:
        # All rules but the block's are lost: UFW has to be made anew.
        wall.inside("iptables -P INPUT ACCEPT; iptables -F INPUT")
        set_up(wall)
        assert "-A DOCKER-USER -j ufw-user-forward" in wall.inside("iptables -S").splitlines()
        assert "-A INPUT -j ufw-before-input" in wall.inside("iptables -S").splitlines()
        assert changed(set_up(wall)) == 0
    finally:
        wall.inside(f"cp -a /root/after.rules {rules}; iptables -F DOCKER-USER; ufw reload")


SLOT = (
    "ip netns add slot && ip link add slot-host type veth peer name eth0 netns slot"
    " && ip link set slot-host master gl-api up && ip -n slot link set eth0 up"
    " && ip -n slot address add 172.31.10.2/24 dev eth0"
)
"""Something that answers at a slot's address on the application's bridge, without an image."""


def test_the_host_reaches_its_slots_although_nothing_may_go_out(wall: Droplet) -> None:
    wall.inside(SLOT)
    try:
        set_up(wall, firewall_outgoing="deny")
        ask = "timeout 2 bash -c 'exec 3<>/dev/tcp/172.31.10.2/3002' 2>/dev/null; echo $?"
        # Refused at once by who answers there (1), not dropped on the way (124).
        assert wall.inside(ask).split() == ["1"]
    finally:
        wall.inside("ip netns delete slot; ip link delete slot-host 2>/dev/null || true")
