# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a neighbour on the droplet's network reaches: nothing, whatever happens to the droplet.

Containers that somebody starts by hand stand behind every way in: a published port, an address to
which the neighbour sets a route, and the host's own network. Each test leaves the droplet as it
found it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dev import settings
from tests.hardening.droplets import Droplet, Host
from tests.hardening.scanning import SERVER, each, scan, words
from tests.hardening.test_firewall import state

APPLICATION = settings.APPLICATION_PORT
PUBLISHED, PUBLISHED_6, INSIDE = 8080, 8081, 8000
# What listens on the droplet is scanned as well, whatever it is.
TCP_PORTS = {21, 22, 25, 53, 80, 111, 443, 2375, 2376, APPLICATION, 5432, 6379, 7946, 8404, 9100}
UDP_PORTS = {53, 67, 68, 69, 111, 123, 137, 161, 500, 514, 1900, 4500, 5353, 11211, INSIDE}
UDP_SERVICE = 161
IMAGE = "scan-target"
SUBNET_6 = "fd78::/64"

# Nothing can be pulled here: the image is Python and its libraries, from the droplet's own files.
BUILD = f"""
set -e
python=$(readlink -f /usr/bin/python3)
libraries=$(ldd "$python" | grep -o '/[^ ]*')
cat > /run/scan-server.py <<'END'
{SERVER}
END
tar -C / -chP "$python" "/usr/lib/${{python##*/}}" $libraries /run/scan-server.py |
    docker import - {IMAGE} >/dev/null
docker network create --ipv6 --subnet {SUBNET_6} scan-six >/dev/null
serve="/run/scan-server.py {INSIDE}"
run() {{ docker run -d --init --restart always "$@" {IMAGE} "$python" $serve; }}
run --name scan-published -p {PUBLISHED}:{INSIDE} -p {PUBLISHED}:{INSIDE}/udp
run --name scan-published-six -p '[::]:{PUBLISHED_6}:{INSIDE}'
run --name scan-unpublished --network greenlight-api
run --name scan-six --network scan-six
run --name scan-host --network host
"""
REMOVE = """
docker ps -aq --filter name=^scan- | xargs -r docker rm -f
docker network rm scan-six; docker rmi scan-target; rm -f /run/scan-server.py
sysctl -qw net.ipv6.conf.all.forwarding=0
"""
# The number marks the routes that the test has set.
ROUTES = "proto 99"
DISCONNECT = f"""
ip route flush {ROUTES}; ip -6 route flush {ROUTES}
sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
"""


def scan_all(site: Site) -> set[str]:
    """Return the TCP ports of the droplet, of all there are, that are open to the neighbour.

    The fleet's registry is asked with the last of them, so that a blind scan is noticed.
    """
    registry = f"tcp/{settings.REGISTRY_ADDRESS}/5000"
    found = scan(site.neighbour, [f"tcp/{site.droplet.address}/1-65535", *words([registry])])
    assert registry in found
    return found - {registry}


def rules(droplet: Droplet) -> str:
    """What the kernel filters with.

    Without the chains for limits in IPv6: UFW fills them when it writes its file itself, and until
    a rule with a limit is there nothing leads to them.
    """
    lines = state(droplet).splitlines()
    return "\n".join(line for line in lines if not line.startswith("-A ufw6-user-limit"))


def address_6(host: Host) -> str:
    """The IPv6 address that the host has here: its IPv4 address in it makes it its own."""
    return f"fd77::{host.address}"


@dataclass(frozen=True)
class Site:
    """A droplet with containers that somebody started by hand, and a neighbour with routes."""

    droplet: Droplet
    neighbour: Host
    balancer: Host

    def connect(self) -> None:
        """Give both hosts an IPv6 address, and the neighbour a route to every container."""
        for host in (self.droplet, self.neighbour):
            host.inside("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0")
            host.inside(f"ip -6 address replace {address_6(host)}/64 dev eth0 nodad")
        for container in self.containers():
            via = address_6(self.droplet) if ":" in container else self.droplet.address
            self.neighbour.inside(f"ip route replace {container} via {via} {ROUTES}")

    def disconnect(self) -> None:
        """Take the addresses and the routes away again."""
        for host in (self.droplet, self.neighbour):
            host.try_inside(DISCONNECT)

    def addresses(self) -> list[str]:
        """The droplet's own addresses: IPv4, IPv6, and the one that IPv6 makes up by itself."""
        listed = self.droplet.inside("ip -6 -o address show dev eth0 scope link")
        local = listed.split("inet6 ")[1].split("/")[0]
        return [self.droplet.address, address_6(self.droplet), f"{local}%eth0"]

    def containers(self) -> list[str]:
        """The addresses of all containers, IPv4 and IPv6."""
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} {{end}}"
        running = "$(docker ps -q --filter name=^scan-)"
        found = self.droplet.inside(f"docker inspect -f '{form}' {running}").split()
        assert len(found) == 5, f"four containers, one of them with IPv6 as well: {found}"
        return found

    def behind(self) -> set[str]:
        """What leads to a container: its own address and the port that is published."""
        ways = {(address, INSIDE) for address in self.containers()}
        ways.add((self.droplet.address, PUBLISHED))
        return {f"{kind}/{address}/{port}" for kind in ("tcp", "udp") for address, port in ways}

    def host_ports(self) -> set[str]:
        """The droplet's own ports: the usual ones and all that something listens on."""
        listening = self.droplet.inside("ss -Hltn | awk '{print $4}'").split()
        ports = TCP_PORTS | {int(name.rpartition(":")[2]) for name in listening}
        ports |= {PUBLISHED, PUBLISHED_6}
        addresses = self.addresses()
        tcp = {name for address in addresses for name in each("tcp", address, ports)}
        return tcp | {name for address in addresses for name in each("udp", address, UDP_PORTS)}

    def open_to_balancer(self) -> set[int]:
        """The droplet's TCP ports that open to the load balancer, which has no Python."""
        ports = {name.rpartition("/")[2] for name in self.host_ports() if name.startswith("tcp")}
        connect = f"timeout 1 bash -c 'exec 3<>/dev/tcp/{self.droplet.address}/'$port"
        script = f"for port in {' '.join(ports)}; do ({connect} 2>&- && echo $port)& done; wait"
        return {int(word) for word in self.balancer.inside(script).split()}

    def assert_containers_are_closed(self) -> None:
        """The neighbour reaches no container."""
        assert scan(self.neighbour, words(self.behind())) == set()

    def assert_closed(self) -> None:
        """The neighbour reaches nothing; the balancer the application; the droplet containers."""
        assert scan(self.neighbour, words(self.behind() | self.host_ports())) == set()
        assert self.open_to_balancer() == {APPLICATION}
        assert scan(self.droplet, words(self.behind())) == self.behind()

    def assert_our_table_is_what_closes(self) -> None:
        """Without the policy that UFW sets, it closes every container; without either, none."""
        policy = "iptables -P FORWARD {0}; ip6tables -P FORWARD {0}"
        self.droplet.inside(f"nft delete table inet greenlight; {policy.format('ACCEPT')}")
        try:
            assert scan(self.neighbour, words(self.behind())) == self.behind()
        finally:
            self.droplet.inside("systemctl restart greenlight-firewall")
        try:
            self.assert_containers_are_closed()
        finally:
            self.droplet.inside(policy.format("DROP"))

    def set_up(self) -> None:
        """Set the firewall up again."""
        done = self.droplet.setup("--tags", "firewall")
        assert done.returncode == 0, done.stdout


@pytest.fixture(name="site", scope="module")
def fixture_site(whole_droplet: Droplet, neighbour: Host) -> Iterator[Site]:
    """The droplet with containers, closed as the inventory wants it."""
    site = Site(whole_droplet, neighbour, Host("lb"))
    whole_droplet.try_inside(REMOVE)
    try:
        whole_droplet.inside(BUILD)
        site.connect()
        wait_until_served(site)
        yield site
    finally:
        whole_droplet.try_inside(REMOVE)
        site.disconnect()


def wait_until_served(site: Site) -> None:
    """Wait until the droplet reaches every container."""
    end = time.monotonic() + 20.0
    while (found := scan(site.droplet, words(site.behind()))) != site.behind():
        assert time.monotonic() < end, f"not served: {site.behind() - found}"
        time.sleep(0.5)


def test_no_port_of_all_is_open_to_a_neighbour(site: Site) -> None:
    assert scan_all(site) == set()
    site.assert_closed()


def test_neighbour_would_reach_every_container_without_our_table(site: Site) -> None:
    site.assert_our_table_is_what_closes()


def test_udp_service_is_reached_only_when_it_is_allowed(site: Site) -> None:
    service = {f"udp/{address}/{UDP_SERVICE}" for address in site.addresses()}
    serve = f"python3 /run/scan-server.py {UDP_SERVICE}"
    site.droplet.inside(f"systemd-run --quiet --unit=scan-udp {serve}; sleep 1")
    try:
        site.assert_closed()
        site.droplet.inside(f"ufw allow {UDP_SERVICE}/udp")
        assert scan(site.neighbour, words(site.host_ports())) == service
        site.droplet.inside(f"ufw delete allow {UDP_SERVICE}/udp")
        site.assert_closed()
    finally:
        site.droplet.try_inside(f"systemctl stop scan-udp; ufw delete allow {UDP_SERVICE}/udp")


@pytest.mark.parametrize("command", ["ufw reload", "systemctl restart docker"])
def test_nothing_opens_by(site: Site, command: str) -> None:
    before = rules(site.droplet)
    site.droplet.inside(command)
    assert rules(site.droplet) == before
    site.assert_closed()


def test_reset_of_ufw_opens_the_host_and_no_container(site: Site) -> None:
    before = rules(site.droplet)
    site.droplet.inside("ufw --force reset")
    try:
        found = scan(site.neighbour, words(site.host_ports()))
        # This also shows that the scan sees what is open, on each address.
        services = ("tcp", 22), ("tcp", INSIDE), ("udp", INSIDE)
        for address in site.addresses():
            assert {f"{kind}/{address}/{port}" for kind, port in services} <= found
        assert {name for name in found if f"/{PUBLISHED}" in name} == set()
        site.assert_containers_are_closed()
    finally:
        site.set_up()
    assert rules(site.droplet) == before
    site.assert_closed()


def test_flush_of_all_rules_opens_no_container(site: Site) -> None:
    before = rules(site.droplet)
    policies = "; ".join(
        f"{program} -P {chain} ACCEPT"
        for program in ("iptables", "ip6tables")
        for chain in ("INPUT", "FORWARD")
    )
    site.droplet.inside(f"{policies}; iptables -F; ip6tables -F")
    try:
        site.assert_containers_are_closed()
    finally:
        site.set_up()
        # Its own rules are Docker's to put back.
        site.droplet.inside("systemctl restart docker")
    assert rules(site.droplet) == before
    site.assert_closed()


def test_reboot_opens_nothing(site: Site) -> None:
    before = rules(site.droplet)
    site.droplet.reboot()
    site.droplet.inside("timeout 60 systemctl is-system-running --wait")
    site.connect()
    wait_until_served(site)
    assert rules(site.droplet) == before
    assert scan_all(site) == set()
    site.assert_closed()
    site.assert_our_table_is_what_closes()
