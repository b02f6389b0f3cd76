# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module application: what set-up makes, once, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.support.ansible import Call
from tests.integration.support.bench import Bench, sha

SHOP: dict[str, Any] = {"app": "shop", "port": 3102, "subnet": "172.31.20.0/24", "mtu": 1400}
REMOVE = """
docker network rm greenlight-shop 2>/dev/null
rm -rf /etc/greenlight/shop.json /var/lib/greenlight/shop
"""


@pytest.fixture
def shop(whole_bench: Bench) -> Iterator[Bench]:
    """The droplet without the application shop, before and after."""
    whole_bench.sh(REMOVE, check=False)
    yield whole_bench
    whole_bench.sh(REMOVE, check=False)


def test_it_makes_network_pointer_and_descriptor_once(shop: Bench) -> None:
    four = shop.four(Call("application", SHOP))
    maps = [f"/var/lib/greenlight/shop/{name}.map" for name in ("live", "canary")]
    key = "/var/lib/greenlight/shop/hash.key"
    made = ["network", *maps, key, "/etc/greenlight/shop.json"]
    assert four.apply["changes"] == made
    assert [part["before"] for part in four.apply["diff"]] == [""] * 5
    assert shop.sh(f"cat {key}").strip() not in json.dumps(four.apply.raw)
    assert shop.sh(f"stat -c '%a %U %s' {key}").split() == ["600", "root", "65"]
    assert "greenlight-shop 172.31.20.0/24" in four.apply["diff"][0]["after"]
    assert four.apply_again["changes"] == []

    descriptor = json.loads(shop.sh("cat /etc/greenlight/shop.json"))
    assert descriptor == four.apply["application"]
    assert descriptor["slots"]["blue"]["address"] == "172.31.20.2"
    assert descriptor["slots"]["green"]["address"] == "172.31.20.3"
    assert descriptor["container_port"] == 3102
    network = shop.machine.json("docker network inspect greenlight-shop")[0]
    assert network["IPAM"]["Config"] == [
        {"Subnet": "172.31.20.0/24", "IPRange": "172.31.20.128/25", "Gateway": "172.31.20.1"}
    ]
    assert network["Options"]["com.docker.network.bridge.name"] == "gl-shop"
    assert network["Options"]["com.docker.network.driver.mtu"] == "1400"
    modes = shop.sh("stat -c '%a %U' /etc/greenlight/shop.json /var/lib/greenlight/shop")
    assert modes.split() == ["644", "root", "700", "root"]


def test_a_changed_port_changes_the_descriptor_alone_and_never_the_pointer(shop: Bench) -> None:
    shop.one(Call("application", SHOP)).ok()
    entry = "shop shop-green"
    shop.sh(f"echo '{entry}' > /var/lib/greenlight/shop/live.map")
    four = shop.four(Call("application", {**SHOP, "container_port": 8080}))
    assert four.apply["changes"] == ["/etc/greenlight/shop.json"]
    assert '"container_port": 3102' in four.apply["diff"][0]["before"]
    assert '"container_port": 8080' in four.apply["diff"][0]["after"]
    assert shop.sh("cat /var/lib/greenlight/shop/live.map").strip() == entry


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "port of another process": ({"port": 22}, "Port 22", "taken on this host by sshd"),
    "port too high": ({"port": 70000}, "port is 70000", "from 1 to 65535"),
    "port zero": ({"port": 0}, "port is 0", "from 1 to 65535"),
    "container port": ({"container_port": 65536}, "container_port is 65536", "1 to 65535"),
    "name": ({"app": "Shop_1"}, "'Shop_1' cannot be used", "start with a letter"),
    "long name": ({"app": "a" * 22}, "cannot be used", "at most 21"),
    "path for a name": ({"app": "../etc"}, "cannot be used", "start with a letter"),
    "no network": ({"subnet": "172.31.20.7/24"}, "'172.31.20.7/24' is not a network", "host bits"),
    "public": ({"subnet": "8.8.8.0/24"}, "cannot hold the two slots", "private IPv4"),
    "small": ({"subnet": "172.31.20.0/30"}, "cannot hold the two slots", "/29 or larger"),
    "taken": ({"subnet": "172.31.10.0/25"}, "overlaps 172.31.10.0/24", "greenlight-api"),
}


def test_what_cannot_be_used_is_refused_and_nothing_is_made(shop: Bench) -> None:
    before = shop.state()
    calls = [Call("application", {**SHOP, **changes}) for changes, *_said in REFUSED.values()]
    dry = [Call(call.module, call.args, check=True) for call in calls]
    results = shop.play(*calls, *dry)
    said = [parts[1:] for parts in REFUSED.values()]
    for result, fragments in zip(results, [*said, *said], strict=True):
        for fragment in fragments:
            assert fragment in result.msg
    assert shop.state() == before
    assert "shop" not in shop.sh("ls /etc/greenlight /var/lib/greenlight")


def test_another_subnet_for_a_network_that_is_there_is_refused(shop: Bench) -> None:
    shop.one(Call("application", SHOP)).ok()
    call = Call("application", {**SHOP, "subnet": "172.31.21.0/24"})
    shop.refused(call, "greenlight-shop exists with subnet 172.31.20.0/24, not 172.31.21.0/24")


def test_no_other_container_gets_the_address_of_a_slot_or_may_keep_it(shop: Bench) -> None:
    shop.one(Call("application", SHOP)).ok()
    shop.clean()
    shop.one(shop.release("A")).ok()
    image = f"greenlight/api:{sha('A')}"
    run = "docker run --detach --rm --network greenlight-shop --name"
    shown = "docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'"
    try:
        shop.sh(f"{run} visitor {image}; {run} stranger --ip 172.31.20.3 {image}")
        assert shop.sh(f"{shown} visitor").strip() == "172.31.20.128"
        msg = shop.refused(
            Call("application", SHOP),
            "container 'stranger' has the address 172.31.20.3 of slot green",
            "Nothing was changed",
        ).msg
        # What is advised works as it stands.
        for command in re.findall(r"'(docker network [^']+)'", msg):
            shop.sh(command)
        assert shop.sh(f"{shown} stranger").strip() == "172.31.20.129"
        assert not shop.one(Call("application", SHOP)).ok().changed
    finally:
        shop.sh("docker rm --force visitor stranger", check=False)


def test_a_network_without_kept_addresses_stays_and_is_noted(shop: Bench) -> None:
    shop.sh(
        "docker network create --subnet 172.31.20.0/24 --gateway 172.31.20.1"
        " --opt com.docker.network.bridge.name=gl-shop greenlight-shop"
    )
    result = shop.one(Call("application", SHOP)).ok()
    assert "network" not in result["changes"]
    (said,) = result["warnings"]
    assert "Attach others with an address of 172.31.20.128/25" in said
