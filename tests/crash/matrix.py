# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One crash: a droplet with two releases, a run killed at a point, what is found, the next run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import SubprocessError
from typing import Any, Literal

from dev.droplets import DropletError
from dev.shell import CommandError
from tests.crash import claims
from tests.crash.claims import RETAIN, Truth, look
from tests.crash.report import Row
from tests.crash.target import NotReachedError, Target
from tests.integration.support.bench import sha
from tests.load.driver import LoadError, LoadRun
from tests.load.options import LoadOptions

Action = Literal["release", "rollback"]
Kind = Literal["kill", "power"]
FOLLOWING = ("same", "other", "back")
NAMES = ("A", "B", "C", "D")
CHANGES: dict[str, Any] = {"watch": {"seconds": 0.2, "interval": 0.1}, "retain": RETAIN}
# The application answers one second after its start; the rest is Docker's and HAProxy's share.
BOOT_LIMIT = 20.0
LOAD_SECONDS = 240.0
# What a droplet that is worse off than expected makes the test's own helpers raise.
ERRORS = (AssertionError, SubprocessError, CommandError, DropletError, LoadError, ValueError)


@dataclass(frozen=True)
class Scene:
    """What a crash begins with, as SHAs: what is live, the standby, and two that are not there."""

    live: str
    standby: str
    goal: str
    other: str


class Matrix:
    """Crashes of one droplet. Each begins from where the one before it has ended."""

    def __init__(self, target: Target, report: Callable[[Row], None]) -> None:
        self.target = target
        self._report = report
        self._found: Truth | None = None
        self._recorded: dict[str, list[str]] = {}

    # -- calls

    def options(self, **more: Any) -> dict[str, Any]:
        """The parameters of a transaction."""
        return self.target.bench.options(**CHANGES, **more)

    def call(self, action: Action, scene: Scene) -> tuple[str, dict[str, Any]]:
        """The module and the parameters of the call that is killed."""
        if action == "release":
            return "release", self.options(sha=scene.goal)
        return "release", self.options(action="rollback")

    def following(
        self, name: str, action: Action, scene: Scene, found: str
    ) -> tuple[str, dict[str, Any], str]:
        """The next call: module, parameters, and the SHA that must be live after it."""
        wanted = scene.goal if action == "release" else scene.standby
        if name == "other":
            return "release", self.options(sha=scene.other), scene.other
        if action == "release" and name == "back":
            before = scene.live if found == scene.goal else scene.standby
            return "release", self.options(action="rollback"), before
        if name == "back":
            return "release", self.options(sha=scene.standby), wanted
        return (*self.call(action, scene), wanted)

    # -- scenes

    def scene(self, action: Action) -> Scene:
        """Set the scene, with as few runs as it takes."""
        truth, self._found = self._found or self._begin_anew(), None
        if action == "rollback" and truth.turn.get("action") == "rollback":
            # After a rollback another one does nothing.
            self.target.run("release", self.options(sha=self._absent(truth)[0])).ok()
            truth = look(self.target)
        standby = next(name for name in truth.containers if name != truth.live_container)
        goal, other = self._absent(truth)
        scene = Scene(truth.serving, truth.label(standby, "sha"), goal, other)
        self.target.forget_images({scene.live, scene.standby})
        return scene

    def _absent(self, truth: Truth) -> list[str]:
        there = {truth.label(name, "sha") for name in truth.containers}
        return [sha(name) for name in NAMES if sha(name) not in there]

    def _begin_anew(self) -> Truth:
        self.target.bench.clean()
        self.target.bench.sh("rm -f /var/lib/greenlight/api/.[!.]*")
        self.target.forget_images(set())
        for name in NAMES[:2]:
            self.target.run("release", self.options(sha=sha(name))).ok()
        return look(self.target)

    def points(self, action: Action) -> list[str]:
        """The keys of the points of an action, found by running it once to its end."""
        if action not in self._recorded:
            module, parameters = self.call(action, self.scene(action))
            self._recorded[action] = self.target.record(module, parameters)
        return self._recorded[action]

    # -- crashes

    def crash(self, action: Action, kind: Kind, point: str, following: str) -> Row:
        """Crash once and add the row; what is wrong stands in its `problems`."""
        row = Row(action, kind, point, following)
        try:
            scene = self.scene(action)
            crashed = self._kill if kind == "kill" else self._cut
            crashed(row, scene)
        except NotReachedError as exc:
            self._found = None
            row.found = "the run ended without coming by"
            # Whether something is asked a second time depends on the first answer.
            if not point.endswith("#2"):
                row.problems.append(f"the point was not reached: {exc}")
        except ERRORS as exc:
            row.problems.append(f"{type(exc).__name__}: {exc}"[:600])
        if row.problems:
            self._found = None
            row.evidence += self.target.log()
        self._report(row)
        return row

    def _kill(self, row: Row, scene: Scene) -> None:
        with self._load(row):
            self.target.kill(*self.call(as_action(row.action), scene), row.point)
            self._judge(row, scene)

    def _cut(self, row: Row, scene: Scene) -> None:
        with LoadRun(self._load_options()) as load:
            self.target.cut(*self.call(as_action(row.action), scene), row.point)
            row.boot_seconds = round(self.target.boot(), 2)
            row.lost = int(load.stop()["failed"])
        if row.boot_seconds > BOOT_LIMIT:
            row.problems.append(f"answered only {row.boot_seconds:.1f} s after the boot began")
        self.target.wait_booted()
        with self._load(row):
            self._judge(row, scene)

    def _judge(self, row: Row, scene: Scene) -> None:
        """Look at what the crash has left, make the next call, look again."""
        action = as_action(row.action)
        truth = look(self.target)
        info = self.target.run("release_info", {"app": "api"}).raw
        new = scene.goal if action == "release" else scene.standby
        row.found = describe(truth, scene, new)
        row.problems += claims.after_crash(truth, info, {scene.live, new})
        module, parameters, wanted = self.following(row.following, action, scene, truth.serving)
        began = time.monotonic()
        result = self.target.run(module, parameters)
        row.recovery_seconds = round(time.monotonic() - began, 2)
        self._found = after = look(self.target)
        if result.failed:
            row.problems.append(f"the next run failed: {result.msg[:400]}")
        row.problems += claims.settled(after, wanted)
        if row.problems:
            row.evidence = (
                f"after the crash: {truth.evidence()}\nafter the next run: {after.evidence()}"
            )

    # -- load

    def _load_options(self) -> LoadOptions:
        return LoadOptions(
            self.target.url,
            LOAD_SECONDS,
            keepalive_rate=15.0,
            connection_rate=15.0,
            slow_rate=0.0,
            stream_rate=0.0,
            connections=4,
        )

    @contextmanager
    def _load(self, row: Row) -> Iterator[None]:
        """Load of which nothing may fail, unless the power was off just before.

        Right after a boot, a request on a kept connection is at times closed without a reply; why
        is not known yet. The row counts it.
        """
        with LoadRun(self._load_options()) as load:
            yield
            counts = load.stop()
        row.requests, row.failed = int(counts["requests"]), int(counts["failed"])
        if row.failed and row.kind == "kill":
            row.problems.append(f"{row.failed} requests failed: {counts['examples'][:3]}")


def as_action(name: str) -> Action:
    """The action that a row names."""
    return "release" if name == "release" else "rollback"


def describe(truth: Truth, scene: Scene, new: str) -> str:
    """What a crash has left, in a few words."""
    names = {scene.live: "old", scene.standby: "standby", new: "new"}
    others = {name: state for name, state in truth.states().items() if name != truth.live_container}
    parts = [f"serves {names.get(truth.serving, truth.serving[:20])}"]
    if truth.on_file != truth.at_runtime:
        parts.append(f"file names {truth.on_file.removeprefix('api-') or 'nothing'}")
    said = [
        f"{names.get(truth.label(name, 'sha'), name)} {state}"
        for name, state in sorted(others.items())
    ]
    return f"{', '.join(parts)}; beside it {', '.join(said) or 'nothing'}"


def around_move(keys: Sequence[str]) -> list[str]:
    """The points from the map file's replacement to the journal's word that it has happened."""
    names = [key.partition(" ")[2] for key in keys]
    first = names.index("rename live.map")
    moved = next(at for at, name in enumerate(names) if re.fullmatch("haproxy (add|set) map", name))
    last = names.index("fsync journal.jsonl", moved)
    return [keys[at] for at in range(first, last + 1) if "#" not in names[at]]


def spread(keys: Sequence[str], count: int) -> list[str]:
    """`count` of the points (2 at least), evenly spread, the first and the last among them."""
    step = (len(keys) - 1) / (count - 1)
    return [keys[round(step * number)] for number in range(count)]
