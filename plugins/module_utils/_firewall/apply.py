# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's whole rule set: compared with what is asked for, then loaded atomically.

Each of the three loads (UFW's IPv4 rules, its IPv6 rules, our table) is one transaction of the
kernel: a packet meets the old rules or the new ones, never none. An established connection meets
neither, for both accept it first.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._core import files
from .._core.errors import FirewallError, GreenlightError, NotSetUpError
from . import commands, nftables, ufw
from .policy import Policy

DEFAULTS: t.Final = "/etc/default/ufw"
CONFIGURATION: t.Final = "/etc/ufw/ufw.conf"
TABLE_FILE: t.Final = "/etc/greenlight/firewall.nft"
RULES: t.Final = {4: "/etc/ufw/user.rules", 6: "/etc/ufw/user6.rules"}
BEFORE: t.Final = {4: "/etc/ufw/before.rules", 6: "/etc/ufw/before6.rules"}
_MODES: t.Final = {DEFAULTS: 0o644, TABLE_FILE: 0o600}


@dataclass(frozen=True)
class Change:
    """One thing that is not as asked for: a file, or what the kernel has loaded.

    `before` and `after` are for people; `text` is the file's new text, None for the kernel alone.
    """

    name: str
    before: str
    after: str
    text: str | None = None


class Firewall:
    """The firewall of this host, and what it is to be."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._texts = {
            path: files.read_text(path)
            for path in (DEFAULTS, CONFIGURATION, TABLE_FILE, *RULES.values(), *BEFORE.values())
        }
        self._wanted = {version: self._entries(version) for version in RULES}
        self._logs = ufw.logs(self._texts[CONFIGURATION] or "")

    @property
    def installed(self) -> bool:
        """True when UFW's files are there."""
        return self._texts[DEFAULTS] is not None and self._texts[RULES[4]] is not None

    def _entries(self, version: int) -> list[ufw.Entry]:
        """Our rules, then those of others that carry the mark which keeps them."""
        ours = ufw.entries(self._policy, version)
        mark = self._policy.keep
        kept = [
            entry
            for entry in ufw.parse_entries(self._texts[RULES[version]] or "")
            if mark and entry.comment.split(":")[0].strip() == mark and entry not in ours
        ]
        return [*ours, *kept]

    def find_changes(self) -> list[Change]:
        """Compare files and kernel with what is asked for."""
        found = [
            *self._compare_defaults(),
            *self._compare_table(),
            *(c for version in RULES for c in self._compare_before(version)),
            *(c for version in RULES for c in self._compare_rules(version)),
        ]
        live = commands.live_rules(4)
        on = "ENABLED=yes" in (self._texts[CONFIGURATION] or "").splitlines()
        if not on or "-P INPUT DROP" not in live or "-A INPUT -j ufw-before-input" not in live:
            found.append(Change("UFW", "it does not filter\n", "it filters, also after a reboot\n"))
        return found

    def _compare_defaults(self) -> list[Change]:
        before = self._texts[DEFAULTS] or ""
        after = ufw.replace_defaults(before, ufw.default_values(self._policy))
        return [Change(DEFAULTS, before, after, after)] if before != after else []

    def _compare_table(self) -> list[Change]:
        before, after = self._texts[TABLE_FILE] or "", nftables.render(self._policy)
        if before != after:
            return [Change(TABLE_FILE, _by_line(before), _by_line(after), after)]
        if not nftables.is_loaded(commands.listed_table(), after):
            return [Change(TABLE_FILE, "not loaded\n", "loaded\n", after)]
        return []

    def _compare_before(self, version: int) -> list[Change]:
        path = BEFORE[version]
        before = self._texts[path]
        if before is None:
            return []
        wanted = bool(self._policy.all_sets)
        after = ufw.replace_mark_rule(before, version, wanted)
        return [Change(path, before, after, after)] if before != after else []

    def _compare_rules(self, version: int) -> list[Change]:
        path, wanted = RULES[version], self._wanted[version]
        text = self._texts[path]
        present = ufw.parse_entries(text or "")
        before, after = _people(present), _people(wanted)
        if present != wanted:
            whole = ufw.replace_entries(text, wanted, path) if text is not None else None
            return [Change(path, before, after, whole)]
        if said := ufw.missing(commands.live_rules(version), wanted, version, self._logs):
            return [Change(path, f"{said}\n", "the kernel has them all\n", text)]
        return []

    def apply(self, changes: t.Sequence[Change]) -> None:
        """Make the host what is asked for. On an error the old files are put back.

        Raises NotSetUpError, FileError and FirewallError.
        """
        if not self.installed:
            raise NotSetUpError("UFW is not installed on this host: install the package ufw.")
        by_name = {change.name: change for change in changes}
        try:
            with commands.ufw_lock():
                self._load_table(by_name)
                self._load_rules(by_name)
        except GreenlightError:
            self._put_back(by_name)
            raise
        enabled = "ENABLED=yes" in (self._texts[CONFIGURATION] or "").splitlines()
        if not enabled:
            commands.enable_ufw()
        elif "UFW" in by_name:
            for version in RULES:
                commands.forget_ufw_chains(version)
            commands.reload_ufw()
        elif DEFAULTS in by_name:
            commands.reload_ufw()
        else:
            return
        # Switching it on leaves UFW 0.36 with half of the chains that IPv6 rules with a limit need.
        with commands.ufw_lock():
            for version in RULES:
                self._restore(version)

    def _load_table(self, changes: dict[str, Change]) -> None:
        """Load our table first: the mark has to be there before UFW's rules ask for it."""
        change = changes.get(TABLE_FILE)
        if change is None or change.text is None:
            return
        for name in self._policy.documents:
            if files.read_text(nftables.document_file(name)) is None:
                raise FirewallError(
                    f"The networks of {name!r} were never read: {nftables.document_file(name)} is"
                    " missing. 'systemctl start greenlight-networks' reads them and says why not."
                )
        commands.check_table(change.text)
        files.make_folder("/etc/greenlight", 0o755)
        files.write_atomic(TABLE_FILE, change.text, _MODES[TABLE_FILE])
        commands.load_table(TABLE_FILE)

    def _load_rules(self, changes: dict[str, Change]) -> None:
        for path in (DEFAULTS, *BEFORE.values(), *RULES.values()):
            change = changes.get(path)
            if change is not None and change.text is not None:
                files.write_atomic(path, change.text, _MODES.get(path, 0o640))
        if "UFW" in changes:
            # Nothing is loaded yet: UFW reads the files when it is switched on.
            return
        for version in RULES:
            if BEFORE[version] in changes:
                wanted = bool(self._policy.all_sets)
                commands.change_rule(ufw.mark_rule(version), version, wanted)
            if RULES[version] in changes:
                self._restore(version)

    def _restore(self, version: int) -> None:
        commands.restore(ufw.restore_input(self._wanted[version], version, self._logs), version)

    def _put_back(self, changes: dict[str, Change]) -> None:
        for path in (DEFAULTS, TABLE_FILE, *BEFORE.values(), *RULES.values()):
            text = self._texts[path]
            if path in changes and text is not None:
                files.write_atomic(path, text, _MODES.get(path, 0o640))


def _people(found: t.Sequence[ufw.Entry]) -> str:
    return "".join(f"{entry.line}\n" for entry in found)


def _by_line(text: str) -> str:
    """One network a line, so that a difference shows what came and what went."""
    return text.replace(", ", ",\n      ")
