# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leftovers of sshd: what OpenSSH 9.2 said for a file of ours alone and beside others.

tests/hardening/test_not_fresh.py asks the sshd of a droplet itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._leftovers import sshd
from ansible_collections.greenlight.droplet.plugins.module_utils._leftovers.model import Findings

MEANT: sshd.Answer = {
    "port": {"22"},
    "listenaddress": {"[::]:22", "0.0.0.0:22"},
    "usepam": {"no"},
    "printmotd": {"yes"},
    "passwordauthentication": {"no"},
    "authorizedkeysfile": {".ssh/authorized_keys .ssh/authorized_keys2"},
    "clientalivecountmax": {"3"},
}
PACKAGE: sshd.Answer = {
    **MEANT,
    "usepam": {"yes"},
    "printmotd": {"no"},
    "acceptenv": {"LANG", "LC_*"},
    "subsystem": {"sftp /usr/lib/openssh/sftp-server"},
}


def test_what_the_distribution_sets_is_no_leftover() -> None:
    assert sshd.differences(MEANT, PACKAGE) == []


@pytest.mark.parametrize(
    ("change", "strict"),
    [
        ({"port": {"22", "2222"}}, True),
        ({"listenaddress": {"10.0.0.1:22", "10.0.0.1:2222"}}, True),
        ({"listenaddress": {"0.0.0.0:22"}}, False),
        ({"allowusers": {"bob"}}, True),
        ({"authorizedkeysfile": {"/etc/keys/%u"}}, True),
        ({"trustedusercakeys": {"/etc/ssh/ca.pub"}}, True),
        ({"usepam": {"no"}}, True),
        ({"clientalivecountmax": {"9"}}, False),
        ({"acceptenv": {"LANG", "EVERYTHING"}}, False),
    ],
)
def test_each_difference_is_found_and_what_decides_who_comes_in_is_strict(
    change: sshd.Answer, strict: bool
) -> None:
    said = {**PACKAGE, **change}
    (keyword,) = sshd.differences(MEANT, said)
    assert [keyword] == list(change)
    assert sshd.is_strict(keyword, MEANT, said) is strict


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of sshd's files, as a distribution has it, with a leftover."""
    folder = tmp_path / "ssh"
    (folder / "sshd_config.d").mkdir(parents=True)
    (folder / "sshd_config").write_text(
        f"include {folder}/sshd_config.d/*.conf sshd_config.d/more/*.conf\nUsePAM yes\n",
        encoding="utf-8",
    )
    texts = {
        "90-old": "# Port 1\nPort=2222\n  AllowUsers bob\nMatch User backup\n",
        "00-greenlight": "Port 22\n",
    }
    for name, text in texts.items():
        (folder / "sshd_config.d" / f"{name}.conf").write_text(text, encoding="utf-8")
    monkeypatch.setattr(sshd, "FOLDER", str(folder))
    monkeypatch.setattr(sshd, "SOCKET_LINK", str(tmp_path / "ssh.socket"))
    monkeypatch.setattr(sshd, "SOCKET_FOLDER", str(tmp_path / "socket.d"))
    monkeypatch.setattr(sshd, "OPTIONS", str(tmp_path / "default"))
    return folder


def test_sshd_is_asked_for_copies_with_our_file_as_it_will_be(folder: Path, tmp_path: Path) -> None:
    path = Path(sshd.mirror(str(folder), str(tmp_path), "Port 2200\n"))
    assert path.read_text(encoding="utf-8") == (
        f"Include {tmp_path}/sshd_config.d/*.conf {tmp_path}/sshd_config.d/more/*.conf\nUsePAM yes"
    )
    copies = {p.name: p.read_text(encoding="utf-8") for p in path.parent.glob("sshd_config.d/*")}
    assert copies["00-greenlight.conf"] == "Port 2200\n"
    assert "AllowUsers bob" in copies["90-old.conf"]


# Reads like sshd as far as a test of our own steps needs it: prints the lines of all files.
PROGRAM = """
import glob, sys
text = open(sys.argv[sys.argv.index("-f") + 1]).read()
lines = []
for line in text.splitlines():
    if line.startswith("Include"):
        for pattern in line.split()[1:]:
            for path in sorted(glob.glob(pattern)):
                lines += open(path).read().splitlines()
    else:
        lines.append(line)
if "nonsense" in lines:
    sys.exit(f"{sys.argv[sys.argv.index('-f') + 1]} line 1: Bad configuration option: nonsense")
for line in lines:
    words = line.replace("=", " ").split()
    if words and words[0] not in ("#", "Match"):
        print(words[0].lower(), *words[1:])
"""


def find(text: str, users: list[str]) -> Findings:
    """Look with the program above in sshd's place."""
    return sshd.find(text, users, "10.0.0.1", (sys.executable, "-c", PROGRAM))


def test_a_leftover_is_named_once_with_its_place_and_for_whom(folder: Path) -> None:
    found = find("Port 22\nUsePAM yes\n", ["root", "ops"])
    place = f"{folder}/sshd_config.d/90-old.conf"
    assert found.refused == (
        f"allowusers is bob for root and ops instead of nothing: take it out of {place}:3.",
        f"port is 22, 2222 for root and ops instead of 22: take it out of {place}:2.",
    )
    assert found.notes == (
        f"{place}:4 'Match User backup' may hold for logins that were not looked at.",
    )


def test_what_sshd_refuses_is_told_with_the_name_of_our_file(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"sshd_config.d/00-greenlight.conf line 1: Bad conf"):
        find("nonsense\n", ["root"])
    assert folder.is_dir()


def test_a_configuration_that_does_not_read_ours_is_refused(folder: Path) -> None:
    (folder / "sshd_config").write_text("Port 22\n", encoding="utf-8")
    assert "does not read our settings" in find("Port 22\n", ["root"]).refused[0]


def test_ports_of_the_socket_and_options_of_the_command_line_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "socket.d").mkdir()
    (tmp_path / "socket.d" / "override.conf").write_text(
        "[Socket]\nListenStream=\nListenStream=2222\n", encoding="utf-8"
    )
    assert find("UsePAM yes\n", []).refused == ()
    (tmp_path / "ssh.socket").symlink_to(folder)
    (tmp_path / "default").write_text('SSHD_OPTS="-p 2222"\n', encoding="utf-8")
    socket, options = find("UsePAM yes\n", []).refused
    assert "override.conf has ListenStream=2222" in socket
    assert "beats all settings in files" in options
    (tmp_path / "default").write_text("SSHD_OPTS=\n", encoding="utf-8")
    assert len(find("UsePAM yes\n", []).refused) == 1
