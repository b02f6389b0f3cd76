# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys of the fleet: one to log in with, one host key per droplet, pinned."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dev import settings, state
from dev.shell import run


def _generate(path: Path, comment: str) -> bool:
    """Make an ed25519 key pair at `path`; False when it is there."""
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    return True


def ensure_login_key() -> bool:
    """Make the key that logs in on droplets; False when it is there."""
    return _generate(settings.KEY, "greenlight-fleet")


def login_public_key() -> str:
    """Public half of the login key, one line."""
    return settings.KEY.with_suffix(".pub").read_text(encoding="utf-8")


def fingerprint() -> str:
    """Sixteen hex digits that tell this checkout's key from any other's."""
    return hashlib.sha256(login_public_key().encode()).hexdigest()[:16]


def ensure_host_key(name: str) -> Path:
    """Path of the host key of the droplet `name`, made once and kept until `clean`."""
    path = settings.STATE / "hostkeys" / name / "ssh_host_ed25519_key"
    _generate(path, name)
    return path


def pinned_line(host: str, port: int, public_key: str) -> str:
    """The known_hosts line for a droplet, e.g. `[127.0.0.1]:2221 ssh-ed25519 AAAA...`."""
    algorithm, key = public_key.split()[:2]
    return f"[{host}]:{port} {algorithm} {key}\n"


def replace_pin(known: str, line: str) -> str:
    """The text of a known_hosts file with `line` instead of what it said of the same address."""
    address = line.split(maxsplit=1)[0]
    kept = [old for old in known.splitlines() if old and not old.startswith(f"{address} ")]
    return "\n".join([*kept, line.rstrip("\n")]) + "\n"


def pin(path: Path, host: str, port: int, host_key: Path) -> None:
    """Write the droplet's host key into the known_hosts file at `path`."""
    public = host_key.with_name(f"{host_key.name}.pub").read_text(encoding="utf-8")
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    wanted = replace_pin(known, pinned_line(host, port, public))
    if wanted != known:
        state.write_private(path, wanted)
