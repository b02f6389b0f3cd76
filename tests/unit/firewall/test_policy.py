# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the firewall is asked for: what is refused, what sets become, who is admitted."""

from __future__ import annotations

import ipaddress
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import nftables
from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import policy as module

RULE: dict[str, t.Any] = {
    "comment": "ssh",
    "action": "allow",
    "direction": "in",
    "port": "22",
    "protocol": "tcp",
    "sources": ["10.0.0.0/8"],
    "destination": "",
    "interface": "",
}
LARGE = [f"192.0.{number}.0/25" for number in range(100)]


def policy(*rules: dict[str, t.Any], **values: t.Any) -> module.Policy:
    """A policy as the module builds it, of rules that differ from RULE."""
    options = {
        "sets": {},
        "documents": [],
        "outgoing": "allow",
        "forward_interfaces": [],
        "keep": "keep",
        **values,
    }
    return module.build_policy({"rules": [{**RULE, **rule} for rule in rules], **options})


@pytest.mark.parametrize(
    ("rule", "values", "message"),
    [
        ({"sources": []}, {}, r"rule 1 \('ssh'\) has no sources. Name them, or say 'any'"),
        ({"sources": ["10.0.0.300"]}, {}, r"'10.0.0.300' in the sources of .* is neither"),
        ({"sources": ["office"]}, {}, "nor the name of a set"),
        ({"sources": ["office"]}, {"sets": {"office": []}}, "The set 'office', .* is empty"),
        ({"sources": ["office"]}, {"sets": {"office": "10.0.0.1"}}, "has to be a list"),
        ({}, {"sets": {"Of fice": ["10.0.0.1"]}}, "cannot be the name of a set"),
        ({}, {"sets": {"a": ["10.0.0.1"]}, "documents": ["a"]}, "both as networks and as a doc"),
        ({"port": "70000"}, {}, "has port '70000'"),
        ({"port": "22;drop"}, {}, "has port '22;drop'"),
        ({"port": ",".join(map(str, range(1, 17)))}, {}, "has 16 ports; a rule takes 15"),
        ({"port": ""}, {}, "has protocol tcp but no port"),
        ({"protocol": "any"}, {}, "has port 22; say protocol tcp or udp"),
        ({"comment": "a'b"}, {}, "The comment of .* takes 1 to 60 letters"),
        ({"interface": "eth0; x"}, {}, "The interface of .* is 'eth0; x'"),
        ({"destination": "here"}, {}, "'here' in firewall rule 1"),
        ({}, {"forward_interfaces": ["wg 0"]}, "forward_interfaces has 'wg 0'"),
        (
            {"sources": ["big"], "action": "limit"},
            {"sets": {"big": LARGE}},
            "uses the large set 'big', which only rules that allow",
        ),
    ],
)
def test_bad_input_is_named(rule: dict[str, t.Any], values: dict[str, t.Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        policy(rule, **values)


def test_a_small_set_becomes_rules_and_a_large_one_a_set_of_the_kernel() -> None:
    sets = {"office": ["10.0.0.0/25", "10.0.0.128/25", "fd00::1"], "big": LARGE, "idle": LARGE}
    found = policy({"sources": ["office", "big"]}, sets=sets)
    (rule,) = found.rules
    assert [str(network) for network in rule.networks] == ["10.0.0.0/24", "fd00::1/128"]
    assert rule.sets == ("big",)
    assert list(found.kernel_sets) == ["big"]


def test_anybody_is_anybody_whatever_else_is_named() -> None:
    (rule,) = policy({"sources": ["10.0.0.1", "any"]}).rules
    assert rule.for_all


@pytest.mark.parametrize(
    ("rules", "address", "admitted"),
    [
        ([{}], "10.1.2.3", True),
        ([{}], "11.1.2.3", False),
        ([{"port": "20:25,80"}], "10.1.2.3", True),
        ([{"port": "2222"}], "10.1.2.3", False),
        ([{"protocol": "udp"}], "10.1.2.3", False),
        ([{"direction": "out"}], "10.1.2.3", False),
        ([{"action": "limit"}], "10.1.2.3", True),
        ([{"action": "deny", "sources": ["10.1.0.0/16"]}, {}], "10.1.2.3", False),
        ([{}, {"action": "deny", "sources": ["10.1.0.0/16"]}], "10.1.2.3", True),
        (
            [{"action": "reject", "protocol": "any", "port": "", "sources": ["any"]}, {}],
            "10.1.2.3",
            False,
        ),
        ([{"interface": "eth1"}], "10.1.2.3", False),
        ([{"interface": "eth1", "action": "deny"}, {}], "10.1.2.3", False),
        ([{"destination": "10.0.0.9"}], "10.1.2.3", False),
        ([{"sources": ["any"]}], "2001:db8::7", True),
        ([{"sources": ["fe80::/10"]}], "fe80::1%eth0", True),
        ([], "10.1.2.3", False),
    ],
)
def test_who_is_admitted(rules: list[dict[str, t.Any]], address: str, admitted: bool) -> None:
    assert module.admits(policy(*rules), address, 22) is admitted


def test_locking_ourselves_out_is_refused_and_explained() -> None:
    with pytest.raises(SpecError, match=r"We come from 192.0.2.1, .* Add the address"):
        module.refuse_lock_out(policy({}), "192.0.2.1", 22)
    module.refuse_lock_out(policy({}), "10.0.0.1", 22)


def test_a_document_alone_does_not_let_us_in() -> None:
    found = policy({"sources": ["github"]}, documents=["github"])
    assert not module.admits(found, "10.1.2.3", 22)


def test_the_table_guards_containers_and_marks_sets() -> None:
    found = policy(
        {"sources": ["big"], "port": "22,8000:8010", "interface": "eth0"},
        sets={"big": [*LARGE, "2001:db8::/32"]},
        forward_interfaces=["wg0"],
    )
    text = nftables.render(found)
    assert text.index("delete table inet greenlight") < text.index("table inet greenlight {")
    assert '    iifname "wg0" accept\n    counter drop' in text
    assert (
        '    iifname "eth0" ip saddr @big_v4 tcp dport { 22,8000-8010 } meta mark set meta mark or'
        " 0x10000000"
    ) in text
    assert "elements = { 2001:db8::/32 }" in text
    assert str(ipaddress.ip_network(LARGE[3])) in text


def test_a_loaded_table_is_known_by_its_checksum() -> None:
    one, other = (
        nftables.render(policy({})),
        nftables.render(policy({}, forward_interfaces=["wg0"])),
    )
    name = next(word for word in one.split() if word.startswith("loaded_"))
    listed = (
        f"set {name} {{ }} chain nothing_reaches_containers {{ counter packets 0 bytes 0 drop }}"
    )
    assert nftables.is_loaded(listed, one)
    assert not nftables.is_loaded(listed, other)
    assert not nftables.is_loaded(listed.replace("drop", "accept"), one)
    assert not nftables.is_loaded("", one)


def test_a_table_without_sets_marks_nothing() -> None:
    assert "mark_allowed_sets" not in nftables.render(policy({}))
