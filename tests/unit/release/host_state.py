# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for the clock, the journal, the lock, the freeze and the timers, on one World."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.greenlight.droplet.plugins.module_utils._core.clock import Clock
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FileError,
    LockedError,
    TimerError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._release.context import Host
from ansible_collections.greenlight.droplet.plugins.module_utils._state.freeze import (
    Freeze,
    FreezeFile,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.hash_key import HashKey
from ansible_collections.greenlight.droplet.plugins.module_utils._state.history import History, fold
from ansible_collections.greenlight.droplet.plugins.module_utils._state.journal import (
    Journal,
    parse,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.lock import (
    PATIENCE,
    HostLock,
    Lease,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.secret_store import (
    Owner,
    SecretStore,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._state.timers import Timers
from tests.unit.release.fakes import APPLICATION, FakeEngine, FakeProxy, effect
from tests.unit.release.world import World


class FakeClock(Clock):
    """Time that passes only while somebody sleeps."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        return self._world.now

    def wall(self) -> float:
        return self._world.now

    def uptime(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        self._world.now += max(seconds, 0.001)


class FakeJournal(Journal):
    """A journal in memory."""

    def __init__(self, world: World) -> None:
        super().__init__("/nowhere", FakeClock(world))
        self._world = world

    def read(self) -> History:
        entries, damaged = parse("\n".join(self._world.journal))
        return fold(entries, damaged)

    @effect("journal", FileError)
    def write(self, event: str, run: str, **data: t.Any) -> None:
        self._world.journal.append(self._render(event, run, data))

    @effect("mend journal", FileError)
    def mend(self) -> str:
        entries, _damaged = parse("\n".join(self._world.journal))
        self._world.journal[:] = [json.dumps(entry.data) for entry in entries]
        return "/nowhere/aside"

    def rotate(self) -> None:
        return None

    def use_room(self) -> None:
        return None

    def identity(self) -> str:
        return "this droplet"

    def free_bytes(self) -> int:
        return 0 if self._world.full else 1 << 30


class FakeLock(HostLock):
    """The kernel lock and the lease in memory."""

    def __init__(self, world: World) -> None:
        super().__init__("/nowhere", FakeClock(world))
        self._world = world

    def acquire(
        self, run: str, holder: str, action: str, wait: float, patience: float = PATIENCE
    ) -> None:
        if self._world.locked:
            raise LockedError("another process is at work")
        self._world.locked = True

    def release(self) -> None:
        self._world.locked = False

    def read_any_lease(self) -> Lease | None:
        return self._world.lease

    def seconds_left(self, lease: Lease) -> float:
        return lease.until - self._world.now

    @effect("lease", FileError)
    def write_lease(self, lease: Lease) -> None:
        end = self._world.now + lease.seconds
        self._world.lease = dataclasses.replace(lease, until=end, uptime=end)

    @effect("end lease", FileError)
    def end_lease(self) -> None:
        self._world.lease = None


class FakeFreeze(FreezeFile):
    """The freeze in memory."""

    def __init__(self, world: World) -> None:
        super().__init__("/nowhere", FakeClock(world))
        self._world = world

    def read(self) -> Freeze | None:
        return self._world.freeze


class FakeHashKey(HashKey):
    """The key in memory."""

    value = b"k" * 32
    is_damaged = False

    def __init__(self, world: World) -> None:
        super().__init__("/nowhere")
        self._world = world

    @effect("hash key", FileError)
    def _write(self) -> None:
        self._world.hash_key = self.value

    def keep(self) -> None:
        if self._world.hash_key != self.value:
            self._write()


class FakeSecrets(SecretStore):
    """Files of secrets in memory."""

    def __init__(self, world: World) -> None:
        super().__init__("api", "/nowhere")
        self._world = world

    @property
    def is_used(self) -> bool:
        return bool(self._world.kept or self._world.memory)

    @effect("secrets folder", FileError)
    def open_folder(self, release: str) -> str:
        self._world.memory.setdefault(release, {})
        return release

    @effect("secrets", FileError)
    def put(self, release: str, values: t.Mapping[str, str], owner: Owner) -> None:
        self._world.kept[release] = (dict(values), owner)
        self._world.memory[release] = dict(values)

    def ensure(self, release: str) -> None:
        if release in self._world.kept:
            self._world.memory[release] = self._world.kept[release][0]

    def remove(self, release: str) -> None:
        self._world.kept.pop(release, None)
        self._world.memory.pop(release, None)

    def sweep(self, kept: t.Collection[str]) -> None:
        for release in {*self._world.kept, *self._world.memory} - set(kept):
            self.remove(release)


class FakeTimers(Timers):
    """The timer of the warm standby in memory."""

    def __init__(self, world: World) -> None:
        super().__init__("api")
        self._world = world

    def planned(self) -> str:
        return self._world.ending

    @effect("arm watchdog", TimerError)
    def arm_watchdog(self) -> None:
        self._world.armed = True

    @effect("enable secrets", TimerError)
    def enable_secrets(self) -> None:
        self._world.restores_secrets = True

    @effect("plan timer", TimerError)
    def plan(self, container: str, seconds: float, grace: int) -> None:
        self._world.ending = container

    @effect("forget timer", TimerError)
    def forget(self) -> None:
        self._world.ending = ""


def make_host(world: World) -> Host:
    """Put the parts of a droplet together around one world."""
    return Host(
        APPLICATION,
        FakeEngine(world),
        FakeProxy(world),
        FakeJournal(world),
        FakeLock(world),
        FakeFreeze(world),
        FakeHashKey(world),
        FakeSecrets(world),
        FakeTimers(world),
        FakeClock(world),
    )
