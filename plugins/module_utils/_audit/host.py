# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of our own: what set-up promises of a host, seen on the host itself. Pure."""

from __future__ import annotations

import re
import typing as t

from .containers import published
from .daemon import name_of
from .model import Facts, Listener, Rule

OURS: t.Final = (
    "/etc/greenlight",
    "/etc/greenlight/*",
    "/etc/haproxy/haproxy.cfg",
    "/etc/fail2ban/jail.d/*",
    "/etc/ssh/sshd_config.d/*",
    "/etc/sudoers.d/*",
    "/etc/sysctl.d/*",
    "/etc/systemd/system/*.d/greenlight.conf",
    "/usr/local/lib/greenlight",
    "/usr/local/lib/greenlight/*",
    "/var/lib/greenlight",
    "/var/lib/greenlight/*",
)
"""Patterns of the files that set-up makes, in which what somebody may write has root's power."""

PRIVATE: t.Final = re.compile(r"/var/lib/greenlight/[^/]+|/etc/sudoers\.d/[^/]+")
"""What nobody but root reads or, for sudo, nobody but root's group."""

RUNTIME_SOCKET: t.Final = "/run/haproxy/admin.sock"

WANTED_UNITS: t.Final = ("docker.service", "haproxy.service", "fail2ban.service")

_LOOPBACK: t.Final = ("127.", "[::1]", "::1", "[::ffff:127.")
_DHCP_CLIENT: t.Final = (68, 546)

_WEAK: t.Final = (
    ("ciphers", re.compile(r"cbc|3des|arcfour|blowfish|cast128")),
    ("macs", re.compile(r"md5|umac-64|hmac-sha1|-96")),
    ("kexalgorithms", re.compile(r"sha1|group1-|group14-sha1|group-exchange-sha1")),
    ("hostkeyalgorithms", re.compile(r"^ssh-rsa$|^ssh-dss|^ssh-rsa-cert|^ssh-dss-cert")),
)


def _ufw_active(facts: Facts) -> str:
    return "" if "Status: active" in facts.ufw else "ufw does not filter"


def _ufw_policy(facts: Facts) -> str:
    line = next((line for line in facts.ufw.splitlines() if line.startswith("Default:")), "")
    closed = any(f"{word} (incoming)" in line for word in ("deny", "reject"))
    return "" if closed else f"what no rule allows: {line or 'unknown'}"


def _table(facts: Facts) -> str:
    there = "table inet greenlight" in facts.tables
    return "" if there else "there is no table inet greenlight"


def _is_open(listener: Listener, facts: Facts) -> bool:
    """Tell whether a listener that nobody has asked for can be reached from outside."""
    if listener.address.startswith(_LOOPBACK) or "%lo" in listener.address:
        return False
    if listener.protocol == "udp" and listener.port in _DHCP_CLIENT:
        return False
    return listener.protocol != "tcp" or listener.port not in facts.allowed_ports


def _listeners(facts: Facts) -> str:
    found = sorted(
        {
            f"{entry.protocol} {entry.address}:{entry.port} ({entry.process or 'unknown'})"
            for entry in facts.listeners
            if _is_open(entry, facts)
        }
    )
    return f"listening besides what is allowed: {', '.join(found)}" if found else ""


def _published(facts: Facts) -> str | None:
    if facts.docker is None:
        return None
    found = {name_of(entry): published(entry) for entry in facts.docker.containers}
    words = [f"{name} publishes {', '.join(ports)}" for name, ports in found.items() if ports]
    return "; ".join(sorted(words))


def _sshd_is(option: str, *wanted: str) -> t.Callable[[Facts], str]:
    def check(facts: Facts) -> str:
        value = " ".join(facts.sshd.get(option, ())) or "unknown"
        return "" if value in wanted else f"{option} is {value}"

    return check


def _sshd_groups(facts: Facts) -> str:
    limited = facts.sshd.get("allowgroups") or facts.sshd.get("allowusers")
    return "" if limited else "every user may log in over SSH"


def _sshd_tries(facts: Facts) -> str:
    value = "".join(facts.sshd.get("maxauthtries", ("0",)))
    return "" if value.isdigit() and 1 <= int(value) <= 4 else f"maxauthtries is {value}"


def _sshd_algorithms(facts: Facts) -> str:
    if not facts.sshd:
        return "sshd does not say which algorithms it takes"
    weak = [
        name
        for option, pattern in _WEAK
        for name in ",".join(facts.sshd.get(option, ())).split(",")
        if pattern.search(name)
    ]
    return f"sshd takes {', '.join(sorted(weak))}" if weak else ""


def _jail(facts: Facts) -> str:
    return "" if "sshd" in facts.jails else "no jail sshd"


def _owners(facts: Facts) -> str:
    wrong = [
        f"{path} belongs to {fact.owner}:{fact.group} with mode {fact.mode:04o}"
        for path, fact in sorted(facts.files.items())
        if _is_ours(path) and (fact.owner != "root" or fact.mode & 0o022)
    ]
    return "; ".join(wrong)


def _private(facts: Facts) -> str:
    wrong = [
        f"{path} has mode {fact.mode:04o}"
        for path, fact in sorted(facts.files.items())
        if (PRIVATE.fullmatch(path) or path == RUNTIME_SOCKET) and fact.mode & 0o007
    ]
    return "; ".join(wrong)


def _is_ours(path: str) -> bool:
    prefixes = {pattern.partition("*")[0].rstrip("/") for pattern in OURS}
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def _journals(facts: Facts) -> str | None:
    wrong = [f"{app}: {said}" for app, said in sorted(facts.journals.items()) if said]
    return "; ".join(wrong) if facts.journals else None


def _units(facts: Facts) -> str:
    wrong = [
        f"{unit} is {facts.units.get(unit, 'unknown')}"
        for unit in WANTED_UNITS
        if facts.units.get(unit) != "active enabled"
    ]
    return "; ".join(wrong)


def _loaded(facts: Facts) -> str:
    if facts.audit_loaded < 0:
        return "the kernel does not say which audit rules it has"
    return "" if facts.audit_loaded > 0 else "the kernel has no audit rule"


def _upgrades(facts: Facts) -> str:
    names = facts.security_upgrades
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"waiting: {', '.join(names[:5])}{more}" if names else ""


def _unattended(facts: Facts) -> str:
    timer = facts.units.get("apt-daily-upgrade.timer", "unknown")
    if not facts.unattended_upgrades:
        return "APT::Periodic::Unattended-Upgrade is not 1"
    return "" if timer == "active enabled" else f"apt-daily-upgrade.timer is {timer}"


def _reboot(facts: Facts) -> str:
    return "/run/reboot-required is there" if facts.reboot_required else ""


def _clock(facts: Facts) -> str:
    return "" if facts.clock_synchronised else "no time server has set the clock"


_SETUP: t.Final = "Run setup-api.yml"
_DROP_IN: t.Final = "Run setup-api.yml; 'sshd -T' shows which value is in force"

_OWN: t.Final[tuple[tuple[str, str, str, t.Callable[[Facts], str | None]], ...]] = (
    ("firewall-active", "UFW filters", _SETUP, _ufw_active),
    ("firewall-default", "What no rule allows does not come in", _SETUP, _ufw_policy),
    ("firewall-table", "Our own table guards the containers", _SETUP, _table),
    ("open-ports", "Only what is allowed listens", "Stop it, or add audit_ports", _listeners),
    ("published-ports", "No container publishes a port", "Remove that container", _published),
    ("ssh-root", "root does not log in", _DROP_IN, _sshd_is("permitrootlogin", "no")),
    ("ssh-password", "SSH takes no password", _DROP_IN, _sshd_is("passwordauthentication", "no")),
    (
        "ssh-interactive",
        "SSH asks no questions",
        _DROP_IN,
        _sshd_is("kbdinteractiveauthentication", "no"),
    ),
    ("ssh-groups", "SSH knows who may log in", _DROP_IN, _sshd_groups),
    ("ssh-tries", "SSH gives four tries at most", _DROP_IN, _sshd_tries),
    ("ssh-algorithms", "SSH takes no weak algorithm", _DROP_IN, _sshd_algorithms),
    ("ban-jails", "fail2ban watches SSH", _SETUP, _jail),
    ("file-owners", "Our files can be changed by root alone", "chown and chmod them", _owners),
    ("file-private", "State and sockets are closed to others", "chmod o= them", _private),
    ("journals", "The journals of the releases can be read", "docs/recovery.md", _journals),
    ("services", "What serves runs, and starts at boot", _SETUP, _units),
    ("audit-loaded", "The kernel records what auditd's rules say", _SETUP, _loaded),
    ("security-upgrades", "No security upgrade waits", "Run 'apt-get upgrade'", _upgrades),
    ("unattended-upgrades", "Security upgrades install themselves", _SETUP, _unattended),
    ("reboot", "No reboot is due", "Reboot it; one host at a time", _reboot),
    ("clock", "The clock is set by a time server", _SETUP, _clock),
)

RULES: t.Final[tuple[Rule, ...]] = tuple(
    Rule(name, "greenlight", title, remedy, check) for name, title, remedy, check in _OWN
)
