# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the command `greenlight`: this collection's own packages, a launcher, its unit.

A version is a folder of its own, complete and on disk before the link leads to it. So a call finds
the old or the new version, whatever moment the power goes, and a process keeps the one it has.
"""

from __future__ import annotations

import base64
import binascii
import compileall
import fcntl
import glob
import io
import os
import typing as t
import zipfile

from .._core import file_set, files, trees
from .._core.errors import SpecError
from . import installation, timers

UNIT: t.Final = "/etc/systemd/system/greenlight-watchdog@.service"

OLD_PROGRAMS: t.Final = tuple(
    f"{installation.FOLDER}/{n}.py" for n in ("retire", "networks", "put_back")
)
"""What earlier commits installed for timers; each goes as soon as no unit names it."""

UNIT_FOLDERS: t.Final = ("/etc/systemd/system", "/run/systemd/transient")

_LAUNCHER_TEXT: t.Final = f'''#!/usr/bin/python3 -I
# Written by greenlight.droplet. The version that a process starts with stays until it ends.
import fcntl
import os
import sys

FOLDER = os.path.realpath("{installation.CURRENT}")
try:
    # Who installs removes no version that is in use.
    fcntl.flock(os.open(FOLDER, os.O_RDONLY), fcntl.LOCK_SH)
    sys.path.insert(0, FOLDER)
    from greenlight._cli.main import main
except (OSError, ImportError, SyntaxError, EOFError, ValueError) as exc:
    sys.exit(f"greenlight: not installed whole ({{exc}}); run setup-api.yml")
sys.exit(main(sys.argv[1:]))
'''

_UNIT_TEXT: t.Final = f"""# Written by greenlight.droplet.
[Unit]
Description=Watch over an unfinished release of %i, and take it back when nobody comes back to it
ConditionPathExists={installation.DESCRIPTOR_FOLDER}/%i.json
After=docker.service haproxy.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={installation.LAUNCHER} watchdog %i
Restart=on-failure
RestartSec=1
Nice=5

[Install]
WantedBy=multi-user.target
"""

SECRETS_UNIT: t.Final = f"/etc/systemd/system/{timers.SECRETS_UNIT}"

_SECRETS_TEXT: t.Final = f"""# Written by greenlight.droplet.
[Unit]
Description=Lay out the secrets of applications before Docker starts their containers
Before=docker.service
RequiresMountsFor=/run /var/lib/greenlight

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={installation.LAUNCHER} restore-secrets

[Install]
WantedBy=docker.service
"""

_FILES: t.Final = (
    file_set.WantedFile(installation.LAUNCHER, _LAUNCHER_TEXT, 0o755),
    file_set.WantedFile(UNIT, _UNIT_TEXT),
    file_set.WantedFile(SECRETS_UNIT, _SECRETS_TEXT),
)


class Installation:
    """One version of the command, and what the host lacks of it."""

    def __init__(self, archive: str) -> None:
        self._sources = unpack(archive)
        self.version = installation.version_of(self._sources)
        self._folder = f"{installation.FOLDER}/{self.version}"
        self.is_damaged = installation.version_of(trees.read_sources(self._folder)) != self.version
        self.before = installation.installed_version()
        self.differences = file_set.find_differences(_FILES, _unneeded())

    @property
    def changed(self) -> bool:
        """Whether the host lacks anything of it."""
        return bool(self.differences) or self.is_damaged or self.before != self.version

    def apply(self) -> None:
        """Install what is missing. Raises FileError and TimerError; the old version stays then."""
        files.make_folder(installation.FOLDER, 0o755)
        if self.is_damaged:
            self._write()
        if self.before != self.version:
            trees.replace_link(self.version, installation.CURRENT)
            self._remove_older()
        file_set.apply(self.differences)
        if any(difference.path in (UNIT, SECRETS_UNIT) for difference in self.differences):
            timers.demand("systemctl", "daemon-reload")

    def _remove_older(self) -> None:
        for name in sorted(os.listdir(installation.FOLDER)):
            if name not in (self.version, self.before, "current"):
                _remove_unused(f"{installation.FOLDER}/{name}")

    def _write(self) -> None:
        for name in set(trees.read_sources(self._folder)) - set(self._sources):
            files.remove(f"{self._folder}/{name}")
        for name, content in self._sources.items():
            path = f"{self._folder}/{name}"
            files.make_folder(os.path.dirname(path), 0o755)
            files.write_atomic(path, content.decode())
        # What cannot be compiled ahead is compiled when it is imported, only more slowly.
        compileall.compile_dir(self._folder, quiet=2, force=True)
        trees.sync(self._folder)


def unpack(archive: str) -> dict[str, bytes]:
    """Return the files of a packed host side, by relative path. Raises SpecError."""
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(archive, validate=True))) as packed:
            found = {name: packed.read(name) for name in packed.namelist()}
    except (binascii.Error, ValueError, zipfile.BadZipFile) as exc:
        raise SpecError(
            f"archive is not what lookup greenlight.droplet.host_files returns: {exc}."
        ) from exc
    for name in found:
        if not name.startswith("greenlight/") or not name.endswith(".py") or ".." in name:
            raise SpecError(f"archive holds {name!r}, which is no part of the host side.")
    return found


def _unneeded() -> list[str]:
    """Return the earlier programs that are there and that no unit's file names."""
    units = [
        path for folder in UNIT_FOLDERS for path in glob.glob(f"{folder}/greenlight-*.service")
    ]
    texts = [files.read_damaged_text(path) for path in units]
    return [
        path
        for path in OLD_PROGRAMS
        if os.path.exists(path) and not any(path in text for text in texts)
    ]


def _remove_unused(path: str) -> None:
    """Remove an older version's folder, unless a process still runs with it."""
    if not os.path.isdir(path) or os.path.islink(path):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        trees.remove(path)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
