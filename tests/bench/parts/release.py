# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Part `release`: how long a release, a rollback, a no-op and a check take, and whose."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from dev.sample_versions import VERSIONS
from tests.bench import commands, machine, model
from tests.bench.droplet import BenchDroplet, bench_droplet
from tests.bench.model import OURS, Series, Target
from tests.bench.rivals import base, kamal
from tests.bench.rivals.blue_green import POLL_SECONDS, BlueGreen
from tests.bench.rivals.roster import rivals
from tests.bench.rivals.script import ATTEMPTS, PAUSE_SECONDS, StopFirstScript
from tests.bench.rounds import alternate

Say = Callable[[str], None]
Contender = Callable[[int], float]

BEFORE, BETWEEN = VERSIONS["A"].sha, VERSIONS["B"].sha
NEW = VERSIONS["one-second-start"].sha
HEAVY = VERSIONS["heavy"]

ONE = "release, one host"
MODULES = "modules of a release"
PULLED = "release, one host, image pulled"
FIRST = "release, one of the two hosts"
TWO = "release, two hosts"
SEEN = "release, two hosts, seen through the load balancer"
STOPPED = "rollback to a stopped standby"
WARM = "rollback to a warm standby"
NO_OP_ONE = "no-op release, one host"
NO_OP_TWO = "no-op release, two hosts"
CHECK = "check mode, one host"

METHOD = [
    "Each time is that of the whole command on the controller, from its start to its end; what it"
    " released is then seen to serve, by its SHA, before the time counts.",
    "All contenders release the same image on the same droplet, with the same health endpoint. A"
    " round releases the image A, which is not timed, and then one-second-start, which is: its"
    " image is on the droplet and its application needs a second to start.",
    "The controller is as warm for all: each keeps its SSH connection open for a minute"
    " (ControlMaster, ours by ansible.cfg, docker_container by Ansible's defaults, the scripts by"
    " the same options), and the release that is not timed has just used it.",
    "Our own watch after the cutover is at its shortest, zero seconds: no rival watches. We ask for"
    " three healthy answers in a row and for HAProxy's own check, each rival for one answer.",
    f"The stop-first script asks the health endpoint up to {ATTEMPTS} times, {PAUSE_SECONDS} s"
    " apart; a try that comes too early costs it the whole pause.",
    "docker_container runs with Ansible's own defaults, so without pipelining, but gathers no"
    " facts; the scripts behind nginx and HAProxy ask the health endpoint every"
    f" {POLL_SECONDS:g} s. Both are kinder to them than most playbooks and scripts are.",
    "Rivals publish to the droplet's 127.0.0.1: the hardened host drops ports that containers"
    " publish to the outside.",
    f"The pulled image is `heavy`: one layer of {HEAVY.layer_megabytes} MiB is not on the droplet,"
    " the others are; its application is told to need a second to start, too.",
    "A rollback goes from A back to one-second-start, so a stopped standby needs its second again."
    " The stop-first script and docker_container know no rollback but another release.",
    f"Two hosts are the dev fleet's. `{FIRST}` and `{TWO}` take turns, so that their ratio is of"
    " one time and of the same machines; they leave out the look through the load balancer, which"
    f" one host alone cannot pass. `{SEEN}` has it, as inventory/dev.yml says.",
    "The modules' time is the sum of the steps that the console prints; what is around them is"
    " Ansible's start, its SSH connection and the start of its modules.",
]


def _timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` took."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _rival_release(rival: base.Rival, droplet: BenchDroplet) -> Contender:
    def contend(_round: int) -> float:
        rival.release(BEFORE)
        seconds = _timed(lambda: rival.release(NEW))
        base.see(droplet, rival.port, NEW)
        return seconds

    return contend


def _rival_rollback(rival: base.Rival, droplet: BenchDroplet) -> Contender:
    def contend(_round: int) -> float:
        if base.sha_at(droplet, rival.port) == NEW:
            rival.rollback()
            base.see(droplet, rival.port, BEFORE)
        seconds = _timed(rival.rollback)
        base.see(droplet, rival.port, NEW)
        return seconds

    return contend


class Measuring:
    """The measures of this part on one droplet, in an order in which each finds what it needs."""

    def __init__(
        self, droplet: BenchDroplet, others: Sequence[base.Rival], rounds: int, say: Say
    ) -> None:
        """Measure on `droplet`, `rounds` rounds each, saying each figure.

        `others` are contenders besides those that can always run.
        """
        self._droplet, self._rounds, self._say = droplet, rounds, say
        self._ours = commands.OneHost(droplet)
        self._script = StopFirstScript(commands.ONE_SECOND)
        always = [rival for rival in rivals() if rival.name != self._script.name]
        self._rivals: list[base.Rival] = [self._script, *always, *others]
        self.series: list[Series] = []
        self.account: dict[str, dict[str, float]] = {}

    def _measure(self, name: str, contenders: dict[str, Contender]) -> None:
        self.series += alternate(name, contenders, self._rounds, self._say)

    def all(self) -> None:
        """Measure everything on one host; the rivals are cleaned away at the end."""
        with ExitStack() as stack:
            for rival in self._rivals:
                stack.callback(rival.clean)
                rival.prepare(self._droplet)
            # Afterwards both images are on the droplet, for whoever's turn comes first.
            for sha in (BEFORE, NEW):
                self._ours.update(sha)
            self._release()
            self._rollback()
            self._pulled()
        self._ours.update(BEFORE)
        self._no_op_and_check()

    def _release(self) -> None:
        totals: list[float] = []
        steps: list[dict[str, float]] = []

        def ours(_round: int) -> float:
            self._ours.update(BEFORE)
            outcome = self._ours.update(NEW)
            totals.append(outcome.seconds)
            steps.append(commands.step_seconds(outcome))
            return outcome.seconds

        theirs = {rival.name: _rival_release(rival, self._droplet) for rival in self._rivals}
        self._measure(ONE, {OURS: ours, **theirs})
        modules = [round(sum(found.values()), 4) for found in steps]
        self.series.append(Series(MODULES, OURS, "s", modules))
        self.account["release"] = commands.account(totals, steps)

    def _rollback(self) -> None:
        def ours(_round: int, **variables: str) -> float:
            # A second rollback in a row changes nothing, so A comes by a release each time.
            self._ours.update(BEFORE, **variables)
            return self._ours.rollback(NEW, **variables).seconds

        theirs: dict[str, Contender] = {
            rival.name: _rival_rollback(rival, self._droplet)
            for rival in self._rivals
            if isinstance(rival, (BlueGreen, kamal.Kamal))
        }
        self._measure(STOPPED, {OURS: ours, **theirs})
        self._measure(WARM, {OURS: lambda number: ours(number, app_standby="warm")})

    def _pulled(self) -> None:
        def ours(_round: int) -> float:
            # Neither the live nor the standby release may hold the image that is to be pulled.
            self._ours.forget_image(HEAVY.sha)
            variables = {"app_env": commands.ONE_SECOND}
            seconds = self._ours.update(HEAVY.sha, **variables).seconds
            self._ours.update(BEFORE)
            self._ours.update(BETWEEN)
            return seconds

        def script(_round: int) -> float:
            self._ours.forget_image(HEAVY.sha)
            seconds = _timed(lambda: self._script.release(HEAVY.sha))
            base.see(self._droplet, self._script.port, HEAVY.sha)
            self._script.release(BEFORE)
            return seconds

        self._measure(PULLED, {OURS: ours, self._script.name: script})

    def _no_op_and_check(self) -> None:
        def no_op(_round: int) -> float:
            outcome = self._ours.update(BEFORE)
            assert outcome.changed() == 0, outcome.text
            return outcome.seconds

        def check(_round: int) -> float:
            outcome = self._ours.update(NEW, "--check")
            assert outcome.changed() > 0, outcome.text
            base.see(self._droplet, commands.OUR_PORT, BEFORE)
            return outcome.seconds

        self._measure(NO_OP_ONE, {OURS: no_op})
        self._measure(CHECK, {OURS: check})


def _two_hosts(rounds: int, say: Say) -> list[Series]:
    """Measure on the dev fleet; it has A live afterwards."""
    fleet = commands.DevFleet()
    fleet.prepare()
    # So that both images are on the hosts.
    for sha in (BEFORE, NEW):
        fleet.update(sha, **commands.UNSEEN)

    def release(*only: str) -> float:
        fleet.update(BEFORE, *only, **commands.UNSEEN)
        return fleet.update(NEW, *only, **commands.UNSEEN).seconds

    def seen(_round: int) -> float:
        fleet.update(BEFORE)
        return fleet.update(NEW).seconds

    def no_op(_round: int) -> float:
        outcome = fleet.update(BEFORE)
        assert outcome.changed() == 0, outcome.text
        return outcome.seconds

    by_turns = {
        FIRST: lambda _round: release(commands.FIRST_HOST),
        TWO: lambda _round: release(),
    }
    taken = alternate("releases of the fleet", by_turns, rounds, say)
    series = [replace(found, measure=found.contender, contender=OURS) for found in taken]
    series += alternate(SEEN, {OURS: seen}, rounds, say)
    fleet.update(BEFORE)
    return [*series, *alternate(NO_OP_TWO, {OURS: no_op}, rounds, say)]


def targets(part: model.Part) -> list[Target]:
    """Return the figures that have to be reached and what they came to.

    Releases are compared with what people use today on one host: seconds belong to the machine.
    """
    script = part.find(ONE, StopFirstScript.name).median

    def by_script(text: str, limit: float, measure: str) -> Target:
        title = f"{text}, by the {StopFirstScript.name} on one host"
        return Target(title, limit, round(part.find(measure).median / script, 3), "x")

    return [
        by_script("a release on one host", 0.60, ONE),
        by_script("a release on two hosts", 0.85, TWO),
        by_script("a release that is live already, two hosts", 0.30, NO_OP_TWO),
        Target("a rollback to a stopped standby", 2.5, part.find(STOPPED).median, "s"),
        Target("a rollback to a warm standby", 1.5, part.find(WARM).median, "s"),
    ]


def run(rounds: int, say: Say) -> model.Part:
    """Measure; raises RivalError, AssertionError or CommandError when a contender fails."""
    part = model.Part(
        "release", "Releases and rollbacks", machine.today(), rounds, machine.describe()
    )
    part.method = METHOD
    with bench_droplet(say) as droplet:
        images = kamal.proxy_images(droplet)
        part.notes.append(kamal.note(images))
        measuring = Measuring(droplet, kamal.contenders(images, (BEFORE, NEW)), rounds, say)
        measuring.all()
    part.series = [*measuring.series, *_two_hosts(rounds, say)]
    part.account = measuring.account
    part.targets = targets(part)
    return part
