# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host keys and groups: what counts as weak, and what is done about it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._access import host_keys
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import FileError


def make(folder: Path, kind: str, bits: int = 0) -> Path:
    """Make a host key with OpenSSH's own program."""
    path = folder / f"ssh_host_{kind}_key"
    size = ["-b", str(bits)] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /etc/ssh."""
    monkeypatch.setattr(host_keys, "FOLDER", str(tmp_path))
    monkeypatch.setattr(host_keys, "MODULI", str(tmp_path / "moduli"))
    return tmp_path


def moduli(*sizes: int) -> str:
    """A moduli file with groups of these sizes, as OpenSSH writes them."""
    lines = [f"20210101000000 2 6 100 {size} 2 C0FFEE\n" for size in sizes]
    return "# Time Type Tests Tries Size Generator Modulus\n" + "".join(lines)


@pytest.mark.parametrize("bits", [1024, 2048, 3072])
def test_size_of_an_rsa_key_is_read_from_the_key(tmp_path: Path, bits: int) -> None:
    public = make(tmp_path, "rsa", bits).with_suffix(".pub").read_text()
    assert host_keys.rsa_bits(public) == bits


@pytest.mark.parametrize("text", ["", "ssh-rsa", "ssh-rsa !!!!", "ssh-rsa AAAA", "ssh-ed25519 AA"])
def test_what_is_no_rsa_key_has_no_size(text: str) -> None:
    assert host_keys.rsa_bits(text) == 0


def test_short_key_is_made_anew_and_the_good_one_stays(folder: Path) -> None:
    make(folder, "rsa", 2048)
    good = make(folder, "ed25519").read_text()
    found = host_keys.find_differences(["ed25519", "rsa"], 3072, 3071)
    assert [(one.before, one.after) for one in found] == [("2048 bits", "a new key of 3072 bits")]
    host_keys.apply(found, 3072)
    assert host_keys.rsa_bits((folder / "ssh_host_rsa_key.pub").read_text()) == 3072
    assert (folder / "ssh_host_rsa_key").stat().st_mode & 0o777 == 0o600
    assert (folder / "ssh_host_ed25519_key").read_text() == good
    assert host_keys.find_differences(["ed25519", "rsa"], 3072, 3071) == []


def test_missing_halves_of_a_key_are_made(folder: Path) -> None:
    make(folder, "ed25519").with_suffix(".pub").unlink()
    found = host_keys.find_differences(["ed25519"], 3072, 3071)
    host_keys.apply(found, 3072)
    assert [one.before for one in found] == ["absent"]
    assert host_keys.find_differences(["ed25519"], 3072, 3071) == []


def test_small_groups_go_and_the_rest_stays(folder: Path) -> None:
    large = [3071, 4095, 8191] * 10
    (folder / "moduli").write_text(moduli(2047, *large, 1535))
    host_keys.apply(host_keys.find_differences([], 3072, 3071), 3072)
    assert (folder / "moduli").read_text() == moduli(*large)
    assert host_keys.find_differences([], 3072, 3071) == []


def test_groups_are_not_all_taken_away(folder: Path) -> None:
    (folder / "moduli").write_text(moduli(*[2047] * 50))
    with pytest.raises(FileError, match="below 3071 bits"):
        host_keys.find_differences([], 3072, 3071)
