# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host side of a fleet release: which files it is made of, and the commands that run it.

Ansible's own way of sending a module packs it anew for every run, sends more than half a megabyte
and compiles it again on every host. This side changes only with a new version of the collection, so
it is sent once, into a folder named by its content.
"""

from __future__ import annotations

import functools
import hashlib
import io
import shlex
import typing as t
import zipfile
from pathlib import Path

from ansible_collections.greenlight.droplet.plugins.module_utils.session_client import PROGRAM

_PACKAGE: t.Final = "ansible_collections/greenlight/droplet/plugins/module_utils"
_SOURCES: t.Final = Path(__file__).resolve().parent.parent / "module_utils"

PARENT: t.Final = "/usr/local/lib/greenlight/versions"
"""Folder on a host that holds a folder per version."""

MISSING: t.Final = 86
"""Exit code that says that this version is not on the host yet."""

_OPEN: t.Final = (
    "import gc, os, sys\n"
    # All that is loaded stays: to look for garbage in it, or to unload it, is time for nothing.
    "gc.disable()\n"
    f"if not os.path.isdir(sys.argv[1]): sys.exit({MISSING})\n"
    # In use, so that it is not the first to go when another version comes.
    "os.utime(sys.argv[1])\n"
    "sys.path.insert(0, sys.argv[1])\n"
    "from ansible_collections.greenlight.droplet.plugins.module_utils import session\n"
    "gc.freeze()\n"
    "gc.enable()\n"
    "session.main()\n"
    "os._exit(0)\n"
)


@functools.cache
def _files() -> dict[str, bytes]:
    """Return the content of each file by its name within the folder."""
    found = {f"{_PACKAGE}/{path.name}": path.read_bytes() for path in _SOURCES.glob("*.py")}
    folders = _PACKAGE.split("/")
    for depth in range(1, len(folders) + 1):
        found.setdefault("/".join([*folders[:depth], "__init__.py"]), b"")
    return dict(sorted(found.items()))


@functools.cache
def root() -> str:
    """Return the folder on a host in which this version is, or will be."""
    content = hashlib.sha256()
    for name, text in _files().items():
        content.update(f"{name}\0{len(text)}\0".encode() + text)
    return f"{PARENT}/{content.hexdigest()[:16]}"


def archive() -> bytes:
    """Return the files as one zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive_:
        for name, text in _files().items():
            archive_.writestr(name, text)
    return packed.getvalue()


def open_command(python: str) -> str:
    """Return the command that asks the first question; it ends with MISSING where it cannot."""
    return shlex.join([python, "-I", "-c", _OPEN, root()])


def install_command(python: str) -> str:
    """Return the command that installs the archive from its standard input."""
    source = _files()[f"{_PACKAGE}/agent_install.py"].decode()
    return shlex.join([python, "-I", "-c", source, root()])


def ask_command(socket: str) -> str:
    """Return the command that passes a question to the session of that socket."""
    # Perl complains of a locale that is not there, and loads what its variable names.
    return "LC_ALL=C PERL5OPT= " + shlex.join(["/usr/bin/perl", "-e", PROGRAM, socket])
