# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a droplet from the image of dev/set_up.py, before systemd does: its own name and key.

Usage: python3 first_boot.py OLD, the name of the droplet that the image was made of. Without effect
from the second boot on.
"""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
import sys
from pathlib import Path

CHECKSUM = re.compile(r"(?<=checksum )[0-9a-f]{64}")
RSA_KEY = Path("/etc/ssh/ssh_host_rsa_key")


def renamed(text: str, old: str, new: str) -> str:
    """The text with the name `new` for `old`; a checksum in its first line is that of the rest."""
    first, end, rest = text.replace(old, new).partition("\n")
    return CHECKSUM.sub(hashlib.sha256(rest.strip().encode()).hexdigest(), first) + end + rest


def rename(folder: Path, old: str, new: str) -> list[Path]:
    """Rename in all files of a folder, whose owners and modes stay; return those that had it."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        if old.encode() in data:
            path.write_text(renamed(data.decode(), old, new), encoding="utf-8")
            found.append(path)
    return found


if __name__ == "__main__":
    rename(Path("/etc"), sys.argv[1], socket.gethostname())
    if not RSA_KEY.exists():
        # As long as role ssh makes it.
        kind = ("-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", str(RSA_KEY))
        subprocess.run(["ssh-keygen", *kind], check=True)
