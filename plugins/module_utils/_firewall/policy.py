# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the firewall is asked to let through: rules, named sets of networks, and who is admitted.

Pure. Every value is checked here, so that rendering cannot produce a rule that is refused.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from .._core.errors import SpecError

Network: t.TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

EXPANDED: t.Final = 64
"""Up to so many networks of a set become rules that people can read; more make a kernel set."""

ANY: t.Final = "any"
"""The source that stands for everybody."""

BRIDGES: t.Final = "gl-+"
"""All bridges of applications, as iptables and UFW write the beginning of a name."""

_COMMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,59}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,23}")
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}")
_PORTS = re.compile(r"\d{1,5}(:\d{1,5})?(,\d{1,5}(:\d{1,5})?)*")


@dataclass(frozen=True)
class Rule:
    """One rule as people write it. `networks` are its sources; empty means everybody.

    `sets` names kernel sets among its sources, which are matched by nftables.
    """

    action: str
    direction: str
    protocol: str
    ports: str
    networks: tuple[Network, ...]
    sets: tuple[str, ...]
    destination: Network | None
    interface: str
    comment: str

    @property
    def for_all(self) -> bool:
        """True when the rule is not narrowed to sources at all."""
        return not self.networks and not self.sets


@dataclass(frozen=True)
class Policy:
    """Everything that the firewall is asked for. `kernel_sets` hold collapsed networks.

    A set of `documents` has its networks from the host's last good copy of that document.
    """

    rules: tuple[Rule, ...]
    kernel_sets: dict[str, tuple[Network, ...]] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    outgoing: str = "allow"
    forward_interfaces: tuple[str, ...] = ()
    keep: str = "keep"

    @property
    def all_sets(self) -> list[str]:
        """Names of the kernel sets, those of documents included."""
        return sorted({*self.kernel_sets, *self.documents})


def parse_network(text: str, place: str) -> Network:
    """Read an address or a network. Raises SpecError that says where it stands."""
    try:
        return ipaddress.ip_network(str(text).strip(), strict=False)
    except ValueError as exc:
        raise SpecError(
            f"{text!r} in {place} is neither an address nor a network such as 10.20.0.0/20, nor the"
            " name of a set."
        ) from exc


def collapse(networks: t.Iterable[Network]) -> tuple[Network, ...]:
    """Join networks that overlap or touch; IPv4 first."""
    listed = list(networks)
    four = [n for n in listed if isinstance(n, ipaddress.IPv4Network)]
    six = [n for n in listed if isinstance(n, ipaddress.IPv6Network)]
    return (*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six))


def build_policy(raw: dict[str, t.Any]) -> Policy:
    """Read the options of module firewall. Raises SpecError naming the value that is wrong."""
    sets = _read_sets(raw["sets"])
    documents = tuple(dict.fromkeys(raw["documents"]))
    for name in (*sets, *documents):
        if not _NAME.fullmatch(name):
            raise SpecError(f"{name!r} cannot be the name of a set: use a-z, 0-9 and _.")
    if both := sorted(set(sets) & set(documents)):
        raise SpecError(f"The set {both[0]!r} is given both as networks and as a document.")
    for name in raw["forward_interfaces"]:
        if not _INTERFACE.fullmatch(name):
            raise SpecError(f"forward_interfaces has {name!r}, which is no interface's name.")
    large = {name: found for name, found in sets.items() if len(found) > EXPANDED}
    rules = tuple(
        _read_rule(entry, number, sets, {*large, *documents})
        for number, entry in enumerate(raw["rules"], 1)
    )
    used = {name for rule in rules for name in rule.sets}
    return Policy(
        (*_own_ways(raw["outgoing"]), *rules),
        {name: found for name, found in large.items() if name in used},
        tuple(name for name in documents if name in used),
        raw["outgoing"],
        tuple(raw["forward_interfaces"]),
        raw["keep"],
    )


def _own_ways(outgoing: str) -> tuple[Rule, ...]:
    """What the host itself needs whatever the rules say: the way to its own containers.

    HAProxy and the health gate reach slots there. It stands first, because the first rule that fits
    decides.
    """
    if outgoing == "allow":
        return ()
    return (Rule("allow", "out", "any", "", (), (), None, BRIDGES, "own containers"),)


def _read_sets(raw: dict[str, t.Any]) -> dict[str, tuple[Network, ...]]:
    found: dict[str, tuple[Network, ...]] = {}
    for name, networks in raw.items():
        if not isinstance(networks, list):
            raise SpecError(f"The set {name!r} is {networks!r}; it has to be a list of networks.")
        found[str(name)] = collapse(parse_network(n, f"the set {name!r}") for n in networks)
    return found


def _read_rule(
    raw: dict[str, t.Any],
    number: int,
    sets: dict[str, tuple[Network, ...]],
    kernel_sets: set[str],
) -> Rule:
    place = f"firewall rule {number} ({raw['comment']!r})"
    if not _COMMENT.fullmatch(raw["comment"]):
        raise SpecError(
            f"The comment of {place} takes 1 to 60 letters, digits, spaces and . _ : / - only."
        )
    ports = _read_ports(str(raw["port"]), raw["protocol"], place)
    if raw["interface"] and not _INTERFACE.fullmatch(raw["interface"]):
        raise SpecError(f"The interface of {place} is {raw['interface']!r}, which is no name.")
    networks, named = _read_sources(raw["sources"], place, sets, kernel_sets)
    if named and (raw["direction"], raw["action"]) != ("in", "allow"):
        raise SpecError(
            f"{place} uses the large set {named[0]!r}, which only rules that allow incoming"
            f" traffic can; it has action {raw['action']!r} and direction {raw['direction']!r}."
        )
    destination = parse_network(raw["destination"], place) if raw["destination"] else None
    return Rule(
        raw["action"],
        raw["direction"],
        raw["protocol"],
        ports,
        networks,
        named,
        destination,
        raw["interface"],
        raw["comment"],
    )


def _read_sources(
    raw: t.Sequence[str],
    place: str,
    sets: dict[str, tuple[Network, ...]],
    kernel_sets: set[str],
) -> tuple[tuple[Network, ...], tuple[str, ...]]:
    """Return networks and names of kernel sets; both are empty for 'any'."""
    if not raw:
        raise SpecError(f"{place} has no sources. Name them, or say 'any' to let everybody in.")
    if ANY in raw:
        return (), ()
    networks: list[Network] = []
    named: list[str] = []
    for source in raw:
        if source in kernel_sets:
            named.append(source)
        elif source in sets:
            if not sets[source]:
                raise SpecError(f"The set {source!r}, a source of {place}, is empty.")
            networks.extend(sets[source])
        else:
            networks.append(parse_network(source, f"the sources of {place}"))
    return tuple(dict.fromkeys(networks)), tuple(dict.fromkeys(named))


def _read_ports(text: str, protocol: str, place: str) -> str:
    if text in ("", "0"):
        if protocol != "any":
            raise SpecError(
                f"{place} has protocol {protocol} but no port: give one, or protocol any."
            )
        return ""
    if protocol == "any":
        raise SpecError(f"{place} has port {text}; say protocol tcp or udp.")
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    if not _PORTS.fullmatch(text) or not all(1 <= n <= 65535 for n in numbers):
        raise SpecError(
            f"{place} has port {text!r}: give a number from 1 to 65535, a range such as 3000:3010,"
            " or several with commas."
        )
    if len(numbers) > 15:
        raise SpecError(f"{place} has {len(numbers)} ports; a rule takes 15. Make it two rules.")
    return text


def holds(ports: str, port: int) -> bool:
    """Tell whether a rule's ports include the port; no ports are all."""
    if not ports:
        return True
    for part in ports.split(","):
        first, _colon, last = part.partition(":")
        if int(first) <= port <= int(last or first):
            return True
    return False


def admits(policy: Policy, address: str, port: int) -> bool:
    """Tell whether a new TCP connection from the address to the port gets in.

    The first rule that fits decides, as in UFW. Kernel sets are passed over: what is in a document
    may change without us. A rule for one interface, or one destination, does not count either, for
    we may come in by another.
    """
    source = ipaddress.ip_address(address.partition("%")[0])
    for rule in policy.rules:
        fits = (
            rule.direction == "in"
            and rule.protocol in ("tcp", "any")
            and holds(rule.ports, port)
            and (rule.for_all or any(source in network for network in rule.networks))
        )
        if fits and rule.action in ("deny", "reject"):
            return False
        if fits and not rule.interface and rule.destination is None:
            return True
    return False


def refuse_lock_out(policy: Policy, address: str, port: int) -> None:
    """Raise SpecError when the address that we come from could not come in again."""
    if not admits(policy, address, port):
        raise SpecError(
            f"We come from {address}, and no rule lets that address reach port {port}: the firewall"
            " would lock us out, so nothing was changed. Add the address or its network to"
            " admin_networks."
        )
