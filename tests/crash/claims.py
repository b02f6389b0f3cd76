# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold after a crash, and after the run that follows it; asked of the parts directly."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.crash.target import STATE_FOLDER, Target, revision
from tests.integration.support.bench import APP

# What set-up and a finished run leave in the application's folder.
FILES = frozenset({"journal.jsonl", "lease.json", "live.map", "canary.map", "lock", "hash.key"})
RETAIN = 2


@dataclass(frozen=True)
class Truth:
    """What is on the droplet, by the word of Docker, HAProxy, the files and the application."""

    serving: str
    containers: dict[str, dict[str, Any]]
    images: list[dict[str, Any]]
    state: dict[str, Any]
    journal: list[dict[str, Any]]
    files: frozenset[str]
    lock_is_free: bool

    def states(self) -> dict[str, str]:
        """Docker's state of each container of the application, by name."""
        return {name: str(entry["State"]["Status"]) for name, entry in self.containers.items()}

    def label(self, name: str, key: str) -> str:
        """A label of a container of the application."""
        return str(self.containers[name]["Config"]["Labels"][f"greenlight.{key}"])

    @property
    def on_file(self) -> str:
        """The backend that the map file names; empty for none."""
        return backend(str(self.state["map"]).splitlines())

    @property
    def at_runtime(self) -> str:
        """The backend that the running HAProxy uses; empty for none."""
        return backend(list(self.state["runtime"]))

    @property
    def live_container(self) -> str:
        """The name of the running container in the slot that HAProxy uses."""
        return next(
            (
                name
                for name, state in self.states().items()
                if state == "running" and f"{APP}-{self.label(name, 'slot')}" == self.at_runtime
            ),
            "",
        )

    @property
    def turn(self) -> dict[str, Any]:
        """The journal's last entry that a release is live, less runs that were taken back.

        `recovered` is what a later run writes for one that died before it could write `live`.
        """
        reverted = {e["run"] for e in self.journal if e["event"] == "reverted"}
        turns = [e for e in self.journal if e["event"] in ("live", "recovered")]
        found = [e for e in turns if e["event"] == "recovered" or e["run"] not in reverted]
        return found[-1] if found else {}

    def evidence(self) -> str:
        """What a report of a defect needs."""
        facts = {
            "serving": self.serving,
            "containers": self.state["containers"],
            "images": [(i["RepoTags"], i["RepoDigests"]) for i in self.images],
            "map": self.state["map"],
            "runtime": self.state["runtime"],
            "files": sorted(self.files),
            "lease": self.state["lease"],
            "journal": self.journal[-8:],
        }
        return json.dumps(facts, indent=1)


def backend(lines: list[str]) -> str:
    """The application's value among the lines of a map."""
    entries = [line.split() for line in lines]
    return next((entry[1] for entry in entries if entry[:1] == [APP]), "")


def look(target: Target) -> Truth:
    """Read all of it."""
    bench = target.bench
    names = bench.sh(f"ls -A {STATE_FOLDER}").split()
    lock = f"{STATE_FOLDER}/lock"
    # The host's watchdog takes the lock for moments, to see whether a process has died.
    said = bench.sh(f"test ! -e {lock} || flock -w 5 {lock} true && echo free", check=False)
    state = bench.state()
    entries = [_entry(line) for line in str(state["journal"] or "").splitlines()]
    return Truth(
        serving=bench.serving(),
        containers=bench.containers(),
        images=target.images(),
        state=state,
        journal=[entry for entry in entries if entry],
        files=frozenset(names),
        lock_is_free=said.strip() == "free",
    )


def _entry(line: str) -> dict[str, Any]:
    # A torn line is what a crash may leave; the code under test passes over it too.
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}


def after_crash(truth: Truth, info: Mapping[str, Any], allowed: set[str]) -> Iterator[str]:
    """What is wrong right after a crash. `allowed`: the SHAs of the old and the new release."""
    if truth.serving not in allowed:
        yield f"serves {truth.serving[:80]}, neither the old nor the new release"
    if info.get("failed"):
        yield f"release_info failed: {info.get('msg')}"
        return
    if info["live"].get("sha") != truth.serving:
        yield f"release_info says {info['live'].get('sha')} is live, {truth.serving} answers"
    told = [entry for entry in (info["live"], info["standby"], *info["leftovers"]) if entry]
    if {entry["name"]: entry["state"] for entry in told} != truth.states():
        yield f"release_info tells of {[e['name'] for e in told]}, Docker of {truth.states()}"
    if info["live"].get("name", "") != truth.live_container:
        yield f"release_info says {info['live'].get('name')} is live, not {truth.live_container}"
    told_pointer = (info["pointer"]["file"], info["pointer"]["runtime"])
    pointer = tuple(
        name.removeprefix(f"{APP}-") or None for name in (truth.on_file, truth.at_runtime)
    )
    if told_pointer != pointer:
        yield f"release_info says the pointer is {told_pointer}, it is {pointer}"


def settled(truth: Truth, wanted: str) -> Iterator[str]:
    """What is wrong after a run that ended well with the release `wanted` live."""
    if truth.serving != wanted:
        yield f"serves {truth.serving[:80]}, not {wanted}"
    running = [name for name, state in truth.states().items() if state == "running"]
    if len(truth.containers) > RETAIN or running != [truth.live_container]:
        yield f"containers left over: {truth.states()}"
    if truth.on_file != truth.at_runtime or not truth.on_file:
        yield f"map file says {truth.on_file!r}, HAProxy uses {truth.at_runtime!r}"
    if truth.files - FILES:
        yield f"files left over: {sorted(truth.files - FILES)}"
    if not truth.lock_is_free:
        yield "the lock is held"
    lease = truth.state["lease"]
    if lease and json.loads(lease)["until"] > time.time():
        yield f"a lease is left over: {lease}"
    live = truth.live_container
    if not live or truth.turn.get("release") != truth.label(live, "release"):
        yield f"journal's last live release is {truth.turn.get('release')}, {live} is live"
    yield from _images(truth)


def _images(truth: Truth) -> Iterator[str]:
    """An image without our tag is one that no retention will ever remove."""
    for image in truth.images:
        sha = revision(image)
        if f"greenlight/{APP}:{sha}" not in image["RepoTags"]:
            yield f"image of {sha[:7]} is left over without our tag: {image['RepoDigests']}"
    if len(truth.images) > RETAIN:
        yield f"{len(truth.images)} images, {RETAIN} are to be retained"
