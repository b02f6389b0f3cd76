# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we keep running on a droplet: its memory, its CPU while idle, under load, for a release.

"Ours" is whatever runs on a droplet that is set up and does not run on a bare one, apart from
Docker, fail2ban, sshd and the containers. Nothing is looked for by name: what set-up adds one day
is counted from that day on.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev import bases, droplets, settings
from dev.sample_versions import VERSIONS
from tests.bench import machine, probe
from tests.bench.droplet import BenchDroplet, bench_droplet
from tests.bench.inside import Inside, InsideLoad
from tests.bench.model import OURS, Part, Series, Target
from tests.e2e.playbooks import QUICK, extra
from tests.load.options import LoadOptions

BARE = "bare droplet"
IDLE_SECONDS = 6.0
LOAD_SECONDS = 5.0
LOAD_RATE = 200.0
LIMIT_MIB = 40.0
KIB = 1024.0
# Docker and the containers, fail2ban, sshd, our own visits, and what rivals left on the droplet.
OTHERS = re.compile(r"^(docker|containerd|fail2ban|ssh|session-|user@|user-|nginx|bench-)|^$")
LOGGING = "systemd-journald.service"
TOTAL = "resident memory (PSS), all that we add"
RESIDENT = "resident memory (RSS), all that we add"
SYSTEM = "resident memory (PSS), the distribution's own services"
IDLE_CPU = "CPU while idle, all that we add (share of one core)"
LOAD_CPU = "CPU at 200 requests/s, all that we add (share of one core)"
LOG_CPU = "CPU at 200 requests/s, the system's journal (share of one core)"
RELEASE_CPU = "CPU seconds of one release, the whole droplet without containers"

METHOD = [
    "A process belongs to us when its unit of systemd runs on a droplet that is set up and not on a"
    " bare one, which is started for the comparison; Docker, fail2ban, sshd and containers are left"
    " out, and so are units that run once and end, and what rivals have put on the droplet.",
    "Memory is the sum of PSS in /proc/PID/smaps_rollup: a page that several processes share counts"
    " in parts for each, so the sum is what would be free without them. RSS counts it in full each"
    " time.",
    f"CPU comes from /proc/PID/task/*/schedstat over {IDLE_SECONDS:.0f} s without requests and over"
    f" {LOAD_SECONDS:.0f} s of {LOAD_RATE:.0f} requests/s on kept-alive connections from inside the"
    " droplet, every other one a POST; the CPU of one release is that of the droplet's control"
    " group, from before the command to after it: sshd, the modules, Docker and HAProxy together.",
]


@dataclass(frozen=True)
class Look:
    """What the processes of a droplet use at one moment; by unit, KiB and seconds."""

    pss: Mapping[str, int]
    rss: Mapping[str, int]
    cpu: Mapping[str, float]
    droplet_cpu: float
    at: float

    def memory(self, units: set[str]) -> float:
        """PSS of some units in MiB."""
        return sum(self.pss[unit] for unit in units if unit in self.pss) / KIB

    def resident(self, units: set[str]) -> float:
        """RSS of some units in MiB."""
        return sum(self.rss[unit] for unit in units if unit in self.rss) / KIB

    def share(self, later: Look, units: set[str]) -> float:
        """CPU of some units until a later look, in per cent of one core."""
        used = sum(spent(self, later).get(unit, 0.0) for unit in units)
        return 100 * used / (later.at - self.at)


def look_of(found: dict[str, Any], at: float) -> Look:
    """Return what the probe printed, added up by unit; `at` is when, in seconds of any clock."""
    pss: Counter[str] = Counter()
    rss: Counter[str] = Counter()
    cpu: dict[str, float] = {}
    for process in found["processes"]:
        unit = process["unit"]
        pss[unit] += process["pss"]
        rss[unit] += process["rss"]
        cpu[unit] = cpu.get(unit, 0.0) + process["cpu"]
    return Look(pss, rss, cpu, found["cpu"], at)


def spent(before: Look, after: Look) -> dict[str, float]:
    """Return the CPU seconds of each unit between two looks; never less than none."""
    return {
        unit: max(0.0, seconds - before.cpu.get(unit, 0.0)) for unit, seconds in after.cpu.items()
    }


def added(bare: Look, ready: Look) -> set[str]:
    """Return the units that run after set-up alone, without those that are not counted."""
    return {unit for unit in ready.pss if unit not in bare.pss and not OTHERS.search(unit)}


def look(inside: Inside) -> Look:
    """Look at a droplet now."""
    program = Path(probe.__file__).read_text(encoding="utf-8")
    return look_of(inside.python(program), time.monotonic())


@contextmanager
def bare_droplet(name: str) -> Iterator[str]:
    """Start a droplet that nobody sets up; it is removed at the end, whatever happens."""
    try:
        distribution = bases.DISTRIBUTIONS[bases.DEFAULT_DISTRIBUTION]
        connection, _done = droplets.start(droplets.Droplet(name), distribution)
        droplets.wait_booted(connection)
        yield name
    finally:
        droplets.remove(name)


def release(droplet: BenchDroplet, version: str) -> None:
    """Release a version of the sample application with the watch at its shortest."""
    droplet.play("update-api", *extra(QUICK), "-e", f"sha={VERSIONS[version].sha}").ok()


class Measurement:
    """Collects the values of all rounds by measure; contender ours."""

    def __init__(self, droplet: BenchDroplet, inside: Inside, bare: Look) -> None:
        """Take what runs on the droplet now for what we add, less what runs once and ends."""
        self.droplet, self.inside = droplet, inside
        running = added(bare, look(inside))
        self.once = {unit for unit in running if self._runs_once(unit)}
        self.units = running - self.once
        self.system = set(bare.pss) - {unit for unit in bare.pss if OTHERS.search(unit)}
        self.values: dict[tuple[str, str], list[float]] = {}
        self.accounts: list[dict[str, float]] = []

    def _runs_once(self, unit: str) -> bool:
        """Tell whether a unit is no service that stays."""
        return self.inside.run(f"systemctl show -p Type --value {unit}").strip() == "oneshot"

    def keep(self, measure: str, unit: str, value: float) -> None:
        """Keep a value of this round."""
        self.values.setdefault((measure, unit), []).append(round(value, 4))

    def round(self, number: int) -> None:
        """Look at memory, then at CPU while idle, under load and by one release."""
        begin = look(self.inside)
        time.sleep(IDLE_SECONDS)
        idle = look(self.inside)
        self.keep(TOTAL, "MiB", idle.memory(self.units))
        self.keep(RESIDENT, "MiB", idle.resident(self.units))
        for unit in sorted(self.units):
            self.keep(f"resident memory (PSS), {unit}", "MiB", idle.memory({unit}))
        self.keep(SYSTEM, "MiB", idle.memory(self.system))
        self.keep(IDLE_CPU, "%", begin.share(idle, self.units))
        self._under_load()
        self._one_release("B" if number % 2 == 0 else "A")

    def _under_load(self) -> None:
        """See what the load costs; a request that fails would make the figure worth nothing."""
        url = f"http://127.0.0.1:{settings.APPLICATION_PORT}"
        options = LoadOptions(
            url,
            seconds=LOAD_SECONDS + 30,
            keepalive_rate=LOAD_RATE,
            connection_rate=0,
            slow_rate=0,
            stream_rate=0,
        )
        with InsideLoad(self.inside, "footprint", options) as load:
            time.sleep(1)  # the connections are opened by then
            before = look(self.inside)
            time.sleep(LOAD_SECONDS)
            after = look(self.inside)
            came = load.stop()
        if came.failed:
            raise RuntimeError(f"{came.failed} requests failed under load: {came.reasons}")
        self.keep(LOAD_CPU, "%", before.share(after, self.units))
        self.keep(LOG_CPU, "%", before.share(after, {LOGGING}))

    def _one_release(self, version: str) -> None:
        """See what CPU one release takes, and whose."""
        before = look(self.inside)
        release(self.droplet, version)
        after = look(self.inside)
        total = after.droplet_cpu - before.droplet_cpu
        self.keep(RELEASE_CPU, "s", total)
        services = {unit: seconds for unit, seconds in spent(before, after).items() if unit}
        lasting = sum(services.values())
        account = {unit: round(seconds, 3) for unit, seconds in services.items() if seconds > 0.005}
        # What has ended since: SSH's sessions, the modules, Docker's helpers.
        account["programs that came and went"] = round(max(0.0, total - lasting), 3)
        self.accounts.append(account)


def report(found: Measurement, bare: Look, rounds: int) -> Part:
    """Return the part: series, target, account of the round in the middle, notes."""
    part = Part("footprint", "What we keep running", machine.today(), rounds)
    part.machine = machine.describe()
    part.method = list(METHOD)
    part.series = [
        Series(measure, OURS, unit, values) for (measure, unit), values in found.values.items()
    ]
    part.series.append(Series(SYSTEM, BARE, "MiB", [round(bare.memory(found.system), 4)]))
    text = "Resident memory of all that we keep running besides Docker, fail2ban and sshd"
    part.targets = [Target(text, LIMIT_MIB, part.find(TOTAL).median, "MiB")]
    part.notes = [f"What set-up adds and keeps running: {', '.join(sorted(found.units))}."]
    part.notes.append(
        f"RSS, which counts shared pages once for each process, comes to"
        f" {part.find(RESIDENT).median:.1f} MiB; the target is held against PSS."
    )
    if found.once:
        part.notes.append(f"Running once just then, not counted: {', '.join(sorted(found.once))}.")
    totals = part.find(RELEASE_CPU).values
    middle = sorted(range(len(totals)), key=totals.__getitem__)[len(totals) // 2]
    part.account = {RELEASE_CPU: found.accounts[middle]}
    return part


def run(rounds: int, say: Callable[[str], None]) -> Part:
    """Measure the footprint. Raises CommandError, DropletError, LoadError, AssertionError."""
    with bench_droplet(say) as droplet:
        with bare_droplet(f"{droplet.name}-bare") as name, Inside(name) as inside:
            bare = look(inside)
        for version in "BA":  # both images are on the droplet by then
            release(droplet, version)
        with Inside(droplet.name) as inside:
            found = Measurement(droplet, inside, bare)
            for number in range(rounds):
                found.round(number)
                last = {measure: values[-1] for (measure, _unit), values in found.values.items()}
                say(f"footprint: round {number + 1} of {rounds}, {last[TOTAL]:.1f} MiB")
    return report(found, bare, rounds)
