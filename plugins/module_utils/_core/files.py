# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that touches the host's files: atomic writes, appends, locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import json
import os
import pwd
import stat
import tempfile
import typing as t
from pathlib import Path

from .errors import FileError


@contextlib.contextmanager
def errors_of(work: str, more: str = "") -> t.Iterator[None]:
    """Turn an error of the system inside into a FileError that says what could not be done."""
    try:
        yield
    except (OSError, UnicodeError) as exc:
        raise FileError(f"Cannot {work}: {exc}.{more}") from exc


def read_text(path: str) -> str | None:
    """Return the file's text, or None when there is no such file. Raises FileError otherwise."""
    with errors_of(f"read {path}"), contextlib.suppress(FileNotFoundError):
        return Path(path).read_text(encoding="utf-8")
    return None


def read_damaged_text(path: str) -> str:
    """Return the file's text with bytes that are no UTF-8 replaced; empty when there is none."""
    with errors_of(f"read {path}"), contextlib.suppress(FileNotFoundError):
        return Path(path).read_text(encoding="utf-8", errors="replace")
    return ""


def size(path: str) -> int:
    """Return the file's size in bytes; 0 when there is no such file."""
    with errors_of(f"look at {path}"), contextlib.suppress(FileNotFoundError):
        return os.stat(path).st_size
    return 0


def free_bytes(path: str) -> int:
    """Return how many bytes can still be written on the file system that holds the path."""
    with errors_of(f"look at {path}"):
        found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def boot_identifier() -> str:
    """Return the kernel's identifier of this boot."""
    return read_damaged_text("/proc/sys/kernel/random/boot_id").strip()


def sync_folder(folder: str) -> None:
    """Put the folder's own entries on disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(
    path: str, text: str, mode: int = 0o644, owner: tuple[int, int] | None = None
) -> None:
    """Replace the file so that a reader, also after a power cut, sees the old or the new text.

    Temporary file in the same folder, fsync, rename, fsync of the folder. `owner` is a user and a
    group by number; without it the file is ours. Raises FileError.
    """
    folder = os.path.dirname(path)
    with errors_of(f"write {path}", " The old file is untouched."):
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{os.path.basename(path)}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                if owner is not None:
                    os.fchown(stream.fileno(), *owner)
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        finally:
            # Once it has its new name there is nothing left under this one.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        sync_folder(folder)


def append_lines(path: str, lines: t.Sequence[str]) -> None:
    """Append lines in one write and fsync them. A torn last line of a crash is closed first.

    What could not be written whole, on a full disk for instance, is taken off again.
    """
    with errors_of(f"append to {path}"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            text = "".join(f"{line}\n" for line in lines)
            if end > 0 and os.pread(descriptor, 1, end - 1) != b"\n":
                text = f"\n{text}"
            _write_whole(descriptor, text.encode(), end)
        finally:
            os.close(descriptor)


def _write_whole(descriptor: int, content: bytes, end: int) -> None:
    """Write and fsync all of it, or cut the file back to `end` bytes and raise OSError."""
    try:
        while content:
            # A nearly full disk takes a part; the next call then says that it is full.
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


def link(path: str, name: str) -> None:
    """Give the file a second name in the same folder; a file that has that name is replaced."""
    with errors_of(f"keep {path} as {name}"):
        temporary = f"{name}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        os.link(path, temporary)
        os.replace(temporary, name)
        sync_folder(os.path.dirname(name))


def remove(path: str) -> None:
    """Remove the file if it is there. Raises FileError when that fails."""
    with errors_of(f"remove {path}"), contextlib.suppress(FileNotFoundError):
        os.unlink(path)
        sync_folder(os.path.dirname(path))


def remove_temporaries(folder: str, name: str) -> None:
    """Remove what a killed `write_atomic` of that file has left. Raises FileError."""
    prefix = f".{name}."
    with errors_of(f"look into {folder}"):
        names = os.listdir(folder)
    for found in names:
        if found.startswith(prefix):
            remove(f"{folder}/{found}")


def permissions(path: str) -> tuple[int, int, int] | None:
    """Return mode, user and group of what is at the path, by number; None when nothing is."""
    with errors_of(f"look at {path}"), contextlib.suppress(FileNotFoundError, NotADirectoryError):
        found = os.lstat(path)
        return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid
    return None


def user_name(number: int) -> str:
    """Return the name of a user; who has none is told by number."""
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


def group_name(number: int) -> str:
    """Return the name of a group; one that has none is told by number."""
    with contextlib.suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)


def make_folder(path: str, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Create the folder with its parents and give it that mode, and that user and group.

    Raises FileError.
    """
    with errors_of(f"create the folder {path}"):
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if owner is not None:
            os.chown(path, *owner)


def file_system(path: str) -> str:
    """Return the type of the file system that holds the path, such as tmpfs. Raises FileError."""
    kind, longest = "", ""
    real = os.path.realpath(path)
    for line in (read_text("/proc/self/mounts") or "").splitlines():
        _device, place, found, *_options = line.split(" ")
        inside = real == place or real.startswith(f"{place.rstrip('/')}/")
        # Of two at one place the later one is on top.
        if inside and len(place) >= len(longest):
            kind, longest = found, place
    return kind


def list_stems(folder: str, suffix: str) -> list[str]:
    """Return the sorted names, less `suffix`, of the folder's files that end with it."""
    with errors_of(f"look into {folder}"), contextlib.suppress(FileNotFoundError):
        return sorted(n.removesuffix(suffix) for n in os.listdir(folder) if n.endswith(suffix))
    return []


class HeldLock:
    """A kernel lock (flock) on a file. It dies with its process, so it can never be stuck."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, holder: dict[str, t.Any]) -> bool:
        """Take the lock and write who holds it. Returns False when another process has it."""
        with errors_of(f"lock {self.path}"):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                os.close(descriptor)
                if exc.errno in (errno.EAGAIN, errno.EACCES):
                    return False
                raise
        self._descriptor = descriptor
        self._name_holder(holder)
        return True

    def _name_holder(self, holder: dict[str, t.Any]) -> None:
        """Write who holds it; on a full disk nobody is named, but the way back gets the lock."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
                os.write(self._descriptor, json.dumps(holder).encode())

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would race with a waiting process."""
        if self._descriptor is not None:
            # A name that stays is that of nobody: whoever reads it looks at the lock first.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
