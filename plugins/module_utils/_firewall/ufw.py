# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules in the format of UFW's own files, so that its command line goes on understanding them.

/etc/ufw/user.rules and user6.rules are input of iptables-restore. In front of each rule stands a
comment, the tuple, from which UFW reads the rule back (format of UFW 0.36). Pure.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._core.errors import FileError
from .policy import Network, Policy, Rule

MARK: t.Final = "0x10000000/0x10000000"
"""The bit of the packet mark by which nftables tells UFW that a source is in an allowed set."""

_BEGIN, _END = "### RULES ###", "### END RULES ###"
_TUPLE = "### tuple ### "
_BLOCK = ("# BEGIN greenlight.droplet", "# END greenlight.droplet")
_LIMIT = (
    "-m conntrack --ctstate NEW -m recent --set",
    "-m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 -j {chain}-limit",
    "-j {chain}-limit-accept",
)


@dataclass(frozen=True)
class Entry:
    """One rule of a file: its tuple as `head`, and the lines that iptables-restore reads."""

    head: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The rule as it stands in the file."""
        return "\n".join((f"{_TUPLE}{self.head}", *self.lines)) + "\n"

    @property
    def comment(self) -> str:
        """The comment that UFW keeps in hexadecimal digits."""
        found = re.search(r" comment=((?:[0-9a-f]{2})*)$", self.head)
        return bytes.fromhex(found[1]).decode("utf-8", "replace") if found else ""

    @property
    def line(self) -> str:
        """The rule for people: action, direction, protocol, port, source, destination, comment.

        UFW's old tuples have six fields, or eight with names of applications: those mean `in`.
        """
        words = self.head.partition(" comment=")[0].split()
        if not 6 <= len(words) <= 9:
            return self.head
        action, protocol, port, destination, _sport, source = words[:6]
        way = words[-1] if len(words) in (7, 9) else "in"
        return (
            f"{action} {way.replace('_', ' on ')} {protocol} port {port} from {source} to"
            f" {destination}  # {self.comment}"
        )


def entries(policy: Policy, version: int) -> list[Entry]:
    """Return the file's rules in order, for IPv4 (4) or IPv6 (6)."""
    found: list[Entry] = []
    for rule in policy.rules:
        if rule.destination is not None and rule.destination.version != version:
            continue
        sources: list[Network | None] = [n for n in rule.networks if n.version == version]
        if rule.for_all:
            sources = [None]
        found.extend(_entry(rule, source, version) for source in sources)
    return list({entry.head: entry for entry in found}.values())


def _entry(rule: Rule, source: Network | None, version: int) -> Entry:
    everywhere = "0.0.0.0/0" if version == 4 else "::/0"
    way = f"{rule.direction}_{rule.interface}" if rule.interface else rule.direction
    here, there = _shown(rule.destination), _shown(source)
    comment = rule.comment.encode().hex()
    head = (
        f"{rule.action} {rule.protocol} {rule.ports or 'any'} {here or everywhere} any"
        f" {there or everywhere} {way} comment={comment}"
    )
    return Entry(head, tuple(_lines(rule, here, there, version)))


def _shown(network: Network | None) -> str:
    """Write a network as UFW does: a single address without its prefix length."""
    if network is None:
        return ""
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if single else str(network)


def _lines(rule: Rule, here: str, there: str, version: int) -> list[str]:
    chain = "ufw-user" if version == 4 else "ufw6-user"
    incoming = rule.direction == "in"
    words = [f"-A {chain}-{'input' if incoming else 'output'}"]
    if rule.interface:
        words.append(f"{'-i' if incoming else '-o'} {rule.interface}")
    if rule.protocol != "any":
        words.append(f"-p {rule.protocol}")
    several = ":" in rule.ports or "," in rule.ports
    port = f"-m multiport --dports {rule.ports}" if several else f"--dport {rule.ports}"
    # The order is UFW's: with several ports they come first, a single one follows the destination.
    if rule.ports and several:
        words.append(port)
    if here:
        words.append(f"-d {here}")
    if rule.ports and not several:
        words.append(port)
    if there:
        words.append(f"-s {there}")
    begin = " ".join(words)
    if rule.action == "limit":
        return [f"{begin} {part.format(chain=chain)}" for part in _LIMIT]
    reset = " --reject-with tcp-reset" if rule.protocol == "tcp" else ""
    targets = {"allow": "-j ACCEPT", "deny": "-j DROP", "reject": f"-j REJECT{reset}"}
    return [f"{begin} {targets[rule.action]}"]


def parse_entries(text: str) -> list[Entry]:
    """Return the rules of a file, in order."""
    found: list[Entry] = []
    head, lines = "", list[str]()
    for line in [*_section(text).splitlines(), _END]:
        if line.startswith(_TUPLE) or line == _END:
            if head:
                found.append(Entry(head, tuple(lines)))
            head, lines = line.removeprefix(_TUPLE).strip(), []
        elif line.strip():
            lines.append(line)
    return found


def _section(text: str) -> str:
    _before, begin, rest = text.partition(f"{_BEGIN}\n")
    return rest.partition(f"{_END}\n")[0] if begin and _END in rest else ""


def replace_entries(text: str, wanted: t.Sequence[Entry], path: str) -> str:
    """Return the file with these rules and everything else as it was. Raises FileError."""
    before, begin, rest = text.partition(f"{_BEGIN}\n")
    if not begin:
        raise FileError(
            f"{path} has no line '{_BEGIN}', so it is not UFW's. 'ufw reset' writes it anew; then"
            " run setup-api.yml again. Nothing was changed."
        )
    middle = "".join(f"{entry.text}\n" for entry in wanted)
    _old, end, after = rest.partition(f"{_END}\n")
    if end:
        return f"{before}{_BEGIN}\n\n{middle}{_END}\n{after}"
    # The package's file, which UFW has not written yet: for IPv6 it lacks the limit's chains.
    chain = "ufw6-user" if ":ufw6-user-input" in before else "ufw-user"
    heads = "\n".join(_heads(chain))
    limits = "\n".join(_limit_chains(chain))
    return (
        f"*filter\n{heads}\n{_BEGIN}\n\n{middle}{_END}\n\n"
        f"### RATE LIMITING ###\n{limits}\n### END RATE LIMITING ###\nCOMMIT\n"
    )


_WAYS = ("input", "output", "forward")


def _heads(chain: str) -> list[str]:
    # Rules with `log` have lines in the logging chains: what is not emptied would grow.
    logging = (f"logging-{way}" for way in _WAYS)
    names = (*_WAYS, *logging, "limit", "limit-accept")
    return [f":{chain}-{name} - [0:0]" for name in names]


def _limit_chains(chain: str, logs: bool = True) -> list[str]:
    """What becomes of a source beyond the limit, and of one within it, as UFW has it."""
    log = f'-A {chain}-limit -m limit --limit 3/minute -j LOG --log-prefix "[UFW LIMIT BLOCK] "'
    return [
        *([log] if logs else []),
        f"-A {chain}-limit -j REJECT",
        f"-A {chain}-limit-accept -j ACCEPT",
    ]


def _off_switches(chain: str) -> list[str]:
    """The rules by which 'ufw logging off' leaves each logging chain at its beginning."""
    return [f"-A {chain}-logging-{way} -j RETURN" for way in _WAYS]


def logs(configuration: str) -> bool:
    """Tell from the text of ufw.conf whether UFW logs at all."""
    found = re.search(r"^LOGLEVEL=['\"]?(\w+)", configuration, re.MULTILINE)
    return found is None or found[1] != "off"


def missing(
    live: t.Sequence[str], wanted: t.Sequence[Entry], version: int, logging: bool = True
) -> str:
    """Compare the rules that iptables lists with those wanted; say what differs, or nothing.

    `logging` is what `logs` says.
    """
    chain = "ufw-user" if version == 4 else "ufw6-user"
    marks = tuple(f"-A {head[1:].split()[0]} " for head in _heads(chain))
    switches = _off_switches(chain)
    ours = [line for entry in wanted for line in entry.lines]
    ours += _limit_chains(chain, logging)
    # UFW switches its logging chains off and on whenever it likes.
    found = sum(line.startswith(marks) and line not in switches for line in live)
    lines = sum(" ".join(line.split()) not in switches for line in ours)
    return "" if found == lines else f"the kernel has {found} of {lines} rules"


def restore_input(wanted: t.Sequence[Entry], version: int, logging: bool = True) -> str:
    """Return input of 'iptables-restore --noflush' that replaces all rules in one transaction.

    Naming a chain of one's own empties it, as the manual of iptables-restore says. `logging` is
    what `logs` says.
    """
    chain = "ufw-user" if version == 4 else "ufw6-user"
    off = [] if logging else _off_switches(chain)
    lines = [*off, *(line for entry in wanted for line in entry.lines)]
    lines += _limit_chains(chain, logging)
    return "\n".join(("*filter", *_heads(chain), *lines, "COMMIT", ""))


def mark_rule(version: int) -> str:
    """Return the rule of before.rules that lets marked packets in."""
    chain = "ufw-before-input" if version == 4 else "ufw6-before-input"
    return f"-A {chain} -m mark --mark {MARK} -j ACCEPT"


def replace_mark_rule(text: str, version: int, wanted: bool) -> str:
    """Return before.rules with or without our block, which stands in front of its COMMIT."""
    begin, end = _BLOCK
    bare = re.sub(rf"{begin}\n.*?{end}\n", "", text, flags=re.DOTALL)
    if not wanted:
        return bare
    block = f"{begin}\n{mark_rule(version)}\n{end}\n"
    head, _commit, tail = bare.rpartition("COMMIT\n")
    return f"{head}{block}COMMIT\n{tail}"


def replace_defaults(text: str, values: dict[str, str]) -> str:
    """Return /etc/default/ufw with these settings; what it says besides stays."""
    for key, value in values.items():
        line = f"{key}={value}"
        if re.search(rf"^{key}=", text, re.MULTILINE):
            text = re.sub(rf"^{key}=.*$", line, text, flags=re.MULTILINE)
        else:
            text = f"{text.rstrip()}\n{line}\n" if text else f"{line}\n"
    return text


def default_values(policy: Policy) -> dict[str, str]:
    """Return UFW's default policies."""
    return {
        "IPV6": "yes",
        "DEFAULT_INPUT_POLICY": '"DROP"',
        "DEFAULT_OUTPUT_POLICY": '"ACCEPT"' if policy.outgoing == "allow" else '"DROP"',
        "DEFAULT_FORWARD_POLICY": '"DROP"',
        # Role system sets the kernel's values; UFW would put its own over them at each start.
        "IPT_SYSCTL": '""',
    }
