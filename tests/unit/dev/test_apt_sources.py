# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the machine's apt settings go into an image."""

from __future__ import annotations

from pathlib import Path

from dev import apt_sources

DEB822 = """\
Types: deb
# a comment inside the stanza
URIs: http://packages.example/debian
Suites: bookworm bookworm-updates trixie
Components: main
  contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
Enabled: no
URIs: http://off.example/debian
Suites: bookworm

Types: deb
URIs: http://other.example/engine
Suites: bookworm
Signed-By: /etc/apt/keyrings/other.asc

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
"""
ARCHIVE = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"


def test_deb822_keeps_only_the_release_and_its_archive() -> None:
    """Other releases, switched-off entries, foreign keys and source packages stay out."""
    assert apt_sources.from_deb822(DEB822, "bookworm") == [
        f"deb {ARCHIVE} http://packages.example/debian bookworm main contrib",
        f"deb {ARCHIVE} http://packages.example/debian bookworm-updates main contrib",
    ]
    assert apt_sources.from_deb822(DEB822, "jammy") == []


def test_list_keeps_only_the_release_and_its_archive() -> None:
    """The one-line form follows the same rules."""
    text = f"""\
# deb http://commented.example/debian bookworm main
deb http://packages.example/debian bookworm main contrib # why
deb {ARCHIVE} http://packages.example/security bookworm-security main
deb [signed-by=/etc/apt/keyrings/other.asc] http://other.example/engine bookworm stable
deb http://packages.example/debian bookwormish main
deb-src http://packages.example/debian bookworm main
"""
    assert apt_sources.from_list(text, "bookworm") == [
        "deb http://packages.example/debian bookworm main contrib",
        f"deb {ARCHIVE} http://packages.example/security bookworm-security main",
    ]


def test_acquire_options_are_those_of_fetching() -> None:
    """Proxies, dates and retries are copied; index targets and empty values are not."""
    dump = """\
Acquire "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Verify-Peer "true";
Acquire::http::Proxy "";
Acquire::Check-Valid-Until "false";
Acquire::Retries "3";
Acquire::IndexTargets::deb::Packages "Packages";
DPkg::Post-Invoke:: "touch /tmp/x";
"""
    assert apt_sources.acquire_options(dump) == [
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::https::Verify-Peer "true";',
        'Acquire::Check-Valid-Until "false";',
        'Acquire::Retries "3";',
    ]


def test_machine_sources_reads_all_files_once(tmp_path: Path) -> None:
    """Both forms are read, files with other endings are not, and nothing comes twice."""
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    line = "deb http://packages.example/debian bookworm main\n"
    (tmp_path / "sources.list").write_text(line, encoding="utf-8")
    (folder / "again.list").write_text(line, encoding="utf-8")
    (folder / "off.list.disabled").write_text(line.replace("main", "off"), encoding="utf-8")
    (folder / "debian.sources").write_text(DEB822, encoding="utf-8")
    found = apt_sources.machine_sources("bookworm", tmp_path)
    assert len(found) == 3
    assert found[0] == line.strip()
