# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UFW's own file format: what UFW 0.36.2 wrote for the same rules, line for line."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import FileError
from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import commands, ufw
from tests.unit.firewall.test_policy import LARGE, policy

BEFORE = "*filter\n:ufw-user-input - [0:0]\n"
AFTER = "\n### LOGGING ###\n### END LOGGING ###\nCOMMIT\n"

# Each rule, and what the command line of UFW wrote to user.rules for it.
WRITTEN: list[tuple[dict[str, t.Any], str]] = [
    (
        {"sources": ["10.77.0.1"]},
        "### tuple ### allow tcp 22 0.0.0.0/0 any 10.77.0.1 in comment=737368\n"
        "-A ufw-user-input -p tcp --dport 22 -s 10.77.0.1 -j ACCEPT\n",
    ),
    (
        {"action": "limit", "sources": ["any"], "interface": "eth0", "comment": "lim it"},
        "### tuple ### limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in_eth0 comment=6c696d206974\n"
        "-A ufw-user-input -i eth0 -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set\n"
        "-A ufw-user-input -i eth0 -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update"
        " --seconds 30 --hitcount 6 -j ufw-user-limit\n"
        "-A ufw-user-input -i eth0 -p tcp --dport 22 -j ufw-user-limit-accept\n",
    ),
    (
        {"sources": ["10.0.0.5"], "port": "3000:3010"},
        "### tuple ### allow tcp 3000:3010 0.0.0.0/0 any 10.0.0.5 in comment=737368\n"
        "-A ufw-user-input -p tcp -m multiport --dports 3000:3010 -s 10.0.0.5 -j ACCEPT\n",
    ),
    (
        {"direction": "out", "protocol": "udp", "port": "53", "sources": ["any"]},
        "### tuple ### allow udp 53 0.0.0.0/0 any 0.0.0.0/0 out comment=737368\n"
        "-A ufw-user-output -p udp --dport 53 -j ACCEPT\n",
    ),
    (
        {"direction": "out", "port": "443", "sources": ["any"], "destination": "1.2.3.4"}
        | {"interface": "eth0"},
        "### tuple ### allow tcp 443 1.2.3.4 any 0.0.0.0/0 out_eth0 comment=737368\n"
        "-A ufw-user-output -o eth0 -p tcp -d 1.2.3.4 --dport 443 -j ACCEPT\n",
    ),
    (
        {"action": "reject", "port": "25", "sources": ["10.1.1.1"]},
        "### tuple ### reject tcp 25 0.0.0.0/0 any 10.1.1.1 in comment=737368\n"
        "-A ufw-user-input -p tcp --dport 25 -s 10.1.1.1 -j REJECT --reject-with tcp-reset\n",
    ),
    (
        {"action": "deny", "protocol": "any", "port": "", "sources": ["10.9.0.0/16"]},
        "### tuple ### deny any any 0.0.0.0/0 any 10.9.0.0/16 in comment=737368\n"
        "-A ufw-user-input -s 10.9.0.0/16 -j DROP\n",
    ),
]


@pytest.mark.parametrize(("rule", "written"), WRITTEN)
def test_a_rule_is_written_as_ufw_writes_it(rule: dict[str, t.Any], written: str) -> None:
    (entry,) = ufw.entries(policy(rule), 4)
    assert entry.text == written


def test_a_rule_for_ipv6_is_in_the_other_file() -> None:
    found = policy({"sources": ["fd00::/8", "10.0.0.1"]})
    (entry,) = ufw.entries(found, 6)
    assert entry.text == (
        "### tuple ### allow tcp 22 ::/0 any fd00::/8 in comment=737368\n"
        "-A ufw6-user-input -p tcp --dport 22 -s fd00::/8 -j ACCEPT\n"
    )
    assert [e.line for e in ufw.entries(found, 4)] == [
        "allow in tcp port 22 from 10.0.0.1 to 0.0.0.0/0  # ssh"
    ]
    anybody = policy({"sources": ["any"]})
    assert len(ufw.entries(anybody, 4)) == len(ufw.entries(anybody, 6)) == 1


def test_a_rule_for_a_destination_stands_in_its_family_alone() -> None:
    found = policy({"sources": ["any"], "destination": "fd00::1"})
    assert ufw.entries(found, 4) == []
    assert len(ufw.entries(found, 6)) == 1


def test_only_a_set_of_the_kernel_makes_no_rule_for_everybody() -> None:
    found = policy({"sources": ["big"]}, sets={"big": LARGE})
    assert ufw.entries(found, 4) == []
    assert ufw.entries(found, 6) == []


def test_a_file_is_read_back_as_it_was_written() -> None:
    wanted = ufw.entries(policy(*(rule for rule, _text in WRITTEN)), 4)
    fresh = f"{BEFORE}### RULES ###\n\n### END RULES ###\n{AFTER}"
    text = ufw.replace_entries(fresh, wanted, "user.rules")
    assert text.startswith(f"{BEFORE}### RULES ###\n\n### tuple ### allow tcp 22")
    assert text.endswith(f"-j DROP\n\n### END RULES ###\n{AFTER}")
    assert ufw.parse_entries(text) == wanted
    fewer = ufw.replace_entries(text, wanted[:1], "user.rules")
    assert ufw.parse_entries(fewer) == wanted[:1]
    assert fewer.endswith(AFTER)
    none = ufw.replace_entries(text, [], "user.rules")
    assert none == f"{BEFORE}### RULES ###\n\n### END RULES ###\n{AFTER}"


def test_a_file_of_the_package_gets_the_chains_that_it_lacks() -> None:
    package = "*filter\n:ufw6-user-input - [0:0]\n### RULES ###\nCOMMIT\n"
    wanted = ufw.entries(policy({"sources": ["any"], "action": "limit"}), 6)
    text = ufw.replace_entries(package, wanted, "user6.rules")
    assert ":ufw6-user-limit-accept - [0:0]\n### RULES ###\n\n### tuple ### limit tcp 22" in text
    assert text.endswith(
        "-A ufw6-user-limit -j REJECT\n-A ufw6-user-limit-accept -j ACCEPT\n"
        "### END RATE LIMITING ###\nCOMMIT\n"
    )
    assert ufw.parse_entries(text) == wanted
    assert ufw.replace_entries(text, wanted, "user6.rules") == text


def test_rules_that_the_kernel_lost_are_missed() -> None:
    wanted = ufw.entries(policy({}), 4)
    live = [
        "-P INPUT DROP",
        "-A ufw-user-input -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT",
        "-A ufw-user-limit -j LOG",
        "-A ufw-user-limit -j REJECT",
        "-A ufw-user-limit-accept -j ACCEPT",
        "-A ufw-user-logging-input -j RETURN",
    ]
    assert ufw.missing(live, wanted, 4) == ""
    assert ufw.missing(live[2:], wanted, 4) == "the kernel has 3 of 4 rules"


def test_a_file_that_is_not_ufws_is_refused() -> None:
    with pytest.raises(FileError, match=r"user.rules has no line '### RULES ###'"):
        ufw.replace_entries("*filter\nCOMMIT\n", [], "user.rules")


def test_all_rules_are_replaced_in_one_transaction() -> None:
    text = ufw.restore_input(ufw.entries(policy({}), 4), 4)
    assert text == (
        "*filter\n:ufw-user-input - [0:0]\n:ufw-user-output - [0:0]\n:ufw-user-forward - [0:0]\n"
        ":ufw-user-logging-input - [0:0]\n:ufw-user-logging-output - [0:0]\n"
        ":ufw-user-logging-forward - [0:0]\n"
        ":ufw-user-limit - [0:0]\n:ufw-user-limit-accept - [0:0]\n"
        "-A ufw-user-input -p tcp --dport 22 -s 10.0.0.0/8 -j ACCEPT\n"
        '-A ufw-user-limit -m limit --limit 3/minute -j LOG --log-prefix "[UFW LIMIT BLOCK] "\n'
        "-A ufw-user-limit -j REJECT\n-A ufw-user-limit-accept -j ACCEPT\nCOMMIT\n"
    )


def test_the_mark_is_let_in_once_and_only_while_it_is_needed() -> None:
    plain = "*filter\n-A ufw-before-input -i lo -j ACCEPT\n# the end\nCOMMIT\n"
    once = ufw.replace_mark_rule(plain, 4, True)
    assert "-A ufw-before-input -m mark --mark 0x10000000/0x10000000 -j ACCEPT\n" in once
    assert once.endswith("# END greenlight.droplet\nCOMMIT\n")
    assert ufw.replace_mark_rule(once, 4, True) == once
    assert ufw.replace_mark_rule(once, 4, False) == plain


def test_defaults_are_replaced_or_added_and_the_rest_stays() -> None:
    text = '# note\nIPV6=no\nDEFAULT_INPUT_POLICY="ACCEPT"\nIPT_MODULES=""\n'
    after = ufw.replace_defaults(text, ufw.default_values(policy({}, outgoing="deny")))
    assert after == (
        '# note\nIPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nIPT_MODULES=""\n'
        'DEFAULT_OUTPUT_POLICY="DROP"\nDEFAULT_FORWARD_POLICY="DROP"\nIPT_SYSCTL=""\n'
    )


# What UFW 0.36.2 wrote for rules that others have added, and how people read them.
FOREIGN: list[tuple[str, tuple[str, ...], str]] = [
    (
        "allow_log tcp 8080 0.0.0.0/0 any 10.1.0.0/16 in comment=6b656570",
        (
            "-A ufw-user-logging-input -p tcp --dport 8080 -s 10.1.0.0/16 -m conntrack --ctstate"
            ' NEW -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW ALLOW] "',
            "-A ufw-user-logging-input -p tcp --dport 8080 -s 10.1.0.0/16 -j RETURN",
            "-A ufw-user-input -p tcp --dport 8080 -s 10.1.0.0/16 -j ufw-user-logging-input",
            "-A ufw-user-input -p tcp --dport 8080 -s 10.1.0.0/16 -j ACCEPT",
        ),
        "allow_log in tcp port 8080 from 10.1.0.0/16 to 0.0.0.0/0  # keep",
    ),
    (
        "allow tcp 25 0.0.0.0/0 any 10.1.1.1",
        ("-A ufw-user-input -p tcp --dport 25 -s 10.1.1.1 -j ACCEPT",),
        "allow in tcp port 25 from 10.1.1.1 to 0.0.0.0/0  # ",
    ),
    (
        "allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 Nginx%20HTTP - in comment=6b6565703a20776562",
        ("-A ufw-user-input -p tcp --dport 80 -j ACCEPT -m comment --comment 'dapp_Nginx%20HTTP'",),
        "allow in tcp port 80 from 0.0.0.0/0 to 0.0.0.0/0  # keep: web",
    ),
    (
        "route:allow tcp 80 10.9.0.2 any 0.0.0.0/0 in_eth0!out_eth1 comment=6b656570",
        ("-A ufw-user-forward -i eth0 -o eth1 -p tcp -d 10.9.0.2 --dport 80 -j ACCEPT",),
        "route:allow in on eth0!out on eth1 tcp port 80 from 0.0.0.0/0 to 10.9.0.2  # keep",
    ),
    ("nonsense", (), "nonsense"),
    ("allow tcp 1 0.0.0.0/0 any 0.0.0.0/0 in comment=abc", (), ""),
]


def foreign_file() -> str:
    """A file of UFW with all of these rules."""
    rules = "".join(f"\n{ufw.Entry(head, lines).text}" for head, lines, _said in FOREIGN)
    return f"{BEFORE}### RULES ###\n{rules}\n### END RULES ###\n{AFTER}"


def test_rules_of_others_are_read_whatever_their_form() -> None:
    found = ufw.parse_entries(foreign_file())
    assert [(entry.head, entry.lines) for entry in found] == [rule[:2] for rule in FOREIGN]
    for entry, (_head, _lines, said) in zip(found, FOREIGN, strict=True):
        assert entry.line == said or not said
        assert entry.comment in ("", "keep", "keep: web")


def test_rules_with_log_are_emptied_before_they_are_loaded_anew() -> None:
    wanted = ufw.parse_entries(foreign_file())
    text = ufw.restore_input(wanted, 4)
    chains = {line.split()[1] for line in text.splitlines() if line.startswith("-A ")}
    named = {line[1:].split()[0] for line in text.splitlines() if line.startswith(":")}
    assert "ufw-user-logging-input" in chains
    assert chains <= named, "a chain that is not named is not emptied, so its rules multiply"


def test_rules_with_log_are_missed_only_when_they_are_gone() -> None:
    wanted = ufw.parse_entries(foreign_file())
    live = [line for line in ufw.restore_input(wanted, 4).splitlines() if line.startswith("-A")]
    assert ufw.missing(live, wanted, 4) == ""
    assert ufw.missing([line for line in live if " LOG " not in line], wanted, 4) != ""


def test_logging_that_is_switched_off_stays_off_and_counts_as_right() -> None:
    assert ufw.logs("ENABLED=yes\nLOGLEVEL=low\n")
    assert not ufw.logs("ENABLED=yes\nLOGLEVEL=off\n")
    wanted = ufw.parse_entries(foreign_file())
    lines = ufw.restore_input(wanted, 4, logging=False).splitlines()
    assert "-A ufw-user-logging-input -j RETURN" in lines
    assert not [line for line in lines if line.startswith("-A ufw-user-limit -m limit")]
    assert ufw.missing([li for li in lines if li.startswith("-A")], wanted, 4, logging=False) == ""


def test_jumps_to_ufw_from_dockers_chain_are_taken_away_too() -> None:
    """The block that ufw-docker puts into after.rules."""
    live = [
        "-P INPUT DROP",
        "-A INPUT -j ufw-before-input",
        "-A DOCKER-USER -j ufw-user-forward",
        "-A DOCKER-USER -d 172.16.0.0/12 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN"
        " -j ufw-docker-logging-deny",
        "-A DOCKER-USER -j RETURN",
        "-A ufw-before-input -j ufw-user-input",
    ]
    assert commands.jumps_to_ufw(live) == [
        "-D INPUT -j ufw-before-input",
        "-D DOCKER-USER -j ufw-user-forward",
        f"-D{live[3][2:]}",
    ]


def test_the_host_reaches_its_own_containers_whatever_goes_out() -> None:
    for version, everywhere in ((4, "0.0.0.0/0"), (6, "::/0")):
        chain = "ufw-user-output" if version == 4 else "ufw6-user-output"
        deny = {"direction": "out", "action": "deny", "sources": ["any"]}
        first = ufw.entries(policy(deny, outgoing="deny"), version)[0]
        assert first.head.startswith(
            f"allow any any {everywhere} any {everywhere} out_gl-+ comment="
        )
        assert first.lines == (f"-A {chain} -o gl-+ -j ACCEPT",)
    assert "gl-" not in "".join(entry.text for entry in ufw.entries(policy({}), 4))
