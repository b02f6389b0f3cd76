# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys by which sshd is known, and the groups (moduli) that it agrees session keys in."""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
import typing as t
from dataclasses import dataclass

from .._core import files
from .._core.errors import FileError

FOLDER: t.Final = "/etc/ssh"
MODULI: t.Final = f"{FOLDER}/moduli"

_SIZE_FIELD: t.Final = 4
"""Field of a line of the moduli file that holds the size, one bit less than the group has."""

_LEAST_GROUPS: t.Final = 20
"""With fewer groups than this, something is wrong with the file rather than with its groups."""

KEYGEN_SECONDS: t.Final = 120
"""Seconds that making a key may take."""


@dataclass(frozen=True)
class Difference:
    """What a file of keys is and what it will be, in words; `content` is a new text, if any."""

    path: str
    before: str
    after: str
    content: str = ""


def rsa_bits(public_key: str) -> int:
    """Return the size in bits of an RSA public key in OpenSSH's format; 0 when it is none."""
    words = public_key.split()
    if len(words) < 2 or words[0] != "ssh-rsa":
        return 0
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return 0
    numbers: list[bytes] = []
    # Three fields, each behind its length in four bytes: the type, the exponent, the modulus.
    while len(blob) >= 4:
        end = 4 + int.from_bytes(blob[:4], "big")
        numbers.append(blob[4:end])
        blob = blob[end:]
    return int.from_bytes(numbers[2], "big").bit_length() if len(numbers) == 3 else 0


def strong_moduli(text: str, least: int) -> str:
    """Return the text of a moduli file without the groups whose size is below `least` bits."""

    def is_kept(line: str) -> bool:
        fields = line.split()
        if line.startswith("#") or len(fields) <= _SIZE_FIELD:
            return True
        return not fields[_SIZE_FIELD].isdigit() or int(fields[_SIZE_FIELD]) >= least

    return "".join(line for line in text.splitlines(keepends=True) if is_kept(line))


def find_differences(kinds: t.Sequence[str], least_rsa: int, least_group: int) -> list[Difference]:
    """Compare the host's keys and groups with what is wanted. Raises FileError."""
    found: list[Difference] = []
    for kind in kinds:
        path = f"{FOLDER}/ssh_host_{kind}_key"
        public = files.read_text(f"{path}.pub") or ""
        if not public or not os.path.exists(path):
            found.append(Difference(path, "absent", f"a new {kind} key"))
        elif kind == "rsa" and rsa_bits(public) < least_rsa:
            found.append(
                Difference(path, f"{rsa_bits(public)} bits", f"a new key of {least_rsa} bits")
            )
    text = files.read_text(MODULI) or ""
    strong = strong_moduli(text, least_group)
    if strong != text:
        if strong.count("\n") < _LEAST_GROUPS:
            raise FileError(
                f"{MODULI} would hold {strong.count(chr(10))} lines without its groups below"
                f" {least_group} bits. Lower the limit or restore the file from its package;"
                " nothing was changed."
            )
        before, after = (f"{len(part.splitlines())} lines" for part in (text, strong))
        found.append(Difference(MODULI, before, after, strong))
    return found


def apply(differences: t.Sequence[Difference], least_rsa: int) -> None:
    """Make the keys and write the file of groups. Raises FileError."""
    for difference in differences:
        if difference.content:
            files.write_atomic(difference.path, difference.content, 0o644)
        else:
            kind = "rsa" if difference.path.endswith("_rsa_key") else "ed25519"
            _make_key(difference.path, kind, least_rsa)


def _make_key(path: str, kind: str, bits: int) -> None:
    """Make a key beside the present one and put it in its place, the public half first."""
    temporary = f"{path}.greenlight"
    for left in (temporary, f"{temporary}.pub"):
        files.remove(left)
    size = ("-b", str(bits)) if kind == "rsa" else ()
    command = ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "", "-f", temporary]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=KEYGEN_SECONDS
        )
        if done.returncode != 0:
            raise FileError(f"ssh-keygen could not make {path}: {done.stderr.strip()}.")
        # After a crash between the two, the public half without its partner is made anew.
        if os.path.exists(path):
            os.unlink(path)
        os.replace(f"{temporary}.pub", f"{path}.pub")
        os.replace(temporary, path)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise FileError(f"Cannot make {path}: {exc}.") from exc
