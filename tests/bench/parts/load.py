# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases under load, ours and the rivals', and what passes through each proxy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median

from dev import settings
from dev.sample_versions import VERSIONS
from tests.bench import machine, throughput, under_load
from tests.bench.droplet import BenchDroplet, bench_droplet
from tests.bench.inside import Inside
from tests.bench.model import OURS, Part, Series, Target
from tests.bench.rivals import base, kamal
from tests.bench.rivals.base import Rival, RivalError
from tests.bench.rivals.roster import rivals
from tests.bench.rounds import alternate
from tests.bench.under_load import Outcome
from tests.e2e.playbooks import QUICK, extra

FAILED = "requests failed during one release"
SAMPLE = "throughput, sample application"
STATIC = "throughput, static upstream"
DIRECT = "direct"
NGINX = "nginx as a plain proxy"
NGINX_JOURNAL = "nginx, log in the journal"
LEAST_SHARE = 0.90
MOST_SLOWER = 1.25

METHOD = [
    f"The load comes from inside the droplet: {under_load.KEPT_RATE:.0f} requests/s on kept-alive"
    f" connections, every other one a POST, {under_load.NEW_RATE:.0f}/s on connections of their own"
    f" and {under_load.SLOW_RATE:.0f}/s that take {under_load.SLOW_MS} ms. Each is sent at its"
    " planned time, whether or not earlier ones are back, and latency counts from that time.",
    f"After {under_load.LEAD_SECONDS:.0f} s one release runs, A and B in turn with their images on"
    f" the droplet; the load ends {under_load.TAIL_SECONDS:.0f} s after the command. A request"
    " fails that gets no whole and right reply within 10 s; nothing is sent again.",
    '"Around the cutover" is from the start of the release command to'
    f" {under_load.TAIL_SECONDS:.0f} s after its end; steady is before it. Latencies are those of"
    " all but the slow requests, failed ones included: a refused connection is quick. A round has"
    " about a thousand steady requests, so p99.9 is nearly its slowest one.",
    "Whoever drives a release, ours or a rival's, has a machine of its own in life. Here it shares"
    " the droplet's, so it runs at the lowest priority: what is left is what the release does"
    " to the droplet.",
    f"Throughput is what wrk counts in {throughput.SECONDS} s with {throughput.CONNECTIONS}"
    " connections, inside the droplet; wrk, proxy and upstream share its cores. The static upstream"
    " is an nginx that answers at once; our HAProxy runs in front of it as a second process with"
    " the role's configuration (other port, upstream and socket) and the role's unit, sandbox and"
    " logging included. The plain nginx has Debian's settings, its access log to a file, and keeps"
    " 64 connections to the upstream. Our HAProxy logs every request to the system's journal; an"
    " nginx that logs there too shows what that alone costs. fail2ban reads the lines of the"
    " droplet's own HAProxy, so only the figure in front of the sample application has its share.",
]


class Ours:
    """Our own release, driven as the rivals are."""

    name = OURS
    port = settings.APPLICATION_PORT

    def __init__(self, droplet: BenchDroplet) -> None:
        """Release on this droplet."""
        self._droplet = droplet

    def release(self, sha: str) -> None:
        """Release with the watch at its shortest. Raises AssertionError when it failed."""
        self._droplet.play("update-api", *extra(QUICK), "-e", f"sha={sha}").ok()


def commit(number: int) -> str:
    """Return the commit that round `number` releases; A is live before the first."""
    return VERSIONS["AB"[(number + 1) % 2]].sha


def ready(droplet: BenchDroplet, part: Part, say: Callable[[str], None]) -> list[Rival]:
    """Return the rivals that serve A by now; the part's notes say why others do not."""
    found: list[Rival] = []
    images = kamal.proxy_images(droplet)
    part.notes.append(kamal.note(images))
    for rival in [*rivals(), *kamal.contenders(images, (commit(0), commit(1)))]:
        say(f"{rival.name}: prepared, first release")
        try:
            rival.prepare(droplet)
            rival.release(commit(-1))
            base.see(droplet, rival.port, commit(-1))
        except RivalError as exc:
            part.notes.append(f"{rival.name} is skipped: {str(exc).splitlines()[0]}.")
        else:
            found.append(rival)
    return found


class Releases:
    """The outcomes of the releases under load, by contender."""

    def __init__(self, droplet: BenchDroplet, inside: Inside, say: Callable[[str], None]) -> None:
        """Begin with none."""
        self._droplet, self._inside, self._say = droplet, inside, say
        self.outcomes: dict[str, list[Outcome]] = {}

    def contender(self, rival: Ours | Rival) -> Callable[[int], float]:
        """Return what measures one round: it gives the requests that failed."""

        def measure(number: int) -> float:
            sha = commit(len(self.outcomes.setdefault(rival.name, [])))
            found = under_load.release_under_load(
                self._inside, rival.port, lambda: rival.release(sha)
            )
            base.see(self._droplet, rival.port, sha)
            self.outcomes[rival.name].append(found)
            reasons = ", ".join(f"{count} {reason}" for reason, count in found.reasons.items())
            self._say(
                f"{rival.name}: round {number + 1}, release {found.seconds:.1f} s,"
                f" {found.requests} requests, failed: {reasons or 'none'}"
            )
            return float(found.failed)

        return measure

    def series(self) -> list[Series]:
        """Return the latencies of every contender, and failures by the reasons of all rounds."""
        found = []
        for window in ("steady", "around the cutover"):
            for mark in under_load.MARKS:
                for name, outcomes in self.outcomes.items():
                    marks = [one.steady if window == "steady" else one.cutover for one in outcomes]
                    values = [round(values[mark], 3) for values in marks]
                    found.append(Series(f"{mark} latency, {window}", name, "ms", values))
        return found

    def notes(self) -> list[str]:
        """Return, for each contender, how its requests failed in all rounds together."""
        found = []
        for name, outcomes in self.outcomes.items():
            counts: dict[str, int] = {}
            for reason, count in (item for one in outcomes for item in one.reasons.items()):
                counts[reason] = counts.get(reason, 0) + count
            total = sum(one.requests for one in outcomes)
            said = ", ".join(f"{count} x {reason}" for reason, count in sorted(counts.items()))
            text = f"{name}: {total} requests in {len(outcomes)} rounds, failed: {said or 'none'}"
            before = sum(one.failed_before for one in outcomes)
            found.append(
                f"{text}; {before} of them before the release began." if said else f"{text}."
            )
        return found


def under_releases(
    droplet: BenchDroplet, inside: Inside, part: Part, say: Callable[[str], None]
) -> None:
    """Release under load, everybody in turn, and add what came of it to the part."""
    ours = Ours(droplet)
    for number in (0, -1):  # both images are on the droplet by then
        ours.release(commit(number))
    others = ready(droplet, part, say)
    found = Releases(droplet, inside, say)
    everybody: list[Ours | Rival] = [ours, *others]
    contenders = {one.name: found.contender(one) for one in everybody}
    series = alternate(FAILED, contenders, part.rounds, say, "requests")
    part.series += series + found.series()
    part.notes += found.notes()
    worst = max(part.find(FAILED).values)
    text = "Requests that failed during one of our releases, the worst of all rounds"
    part.targets.append(Target(text, 0.0, worst, "requests"))
    part.targets.append(slowed(found.outcomes[OURS]))
    for rival in others:
        rival.clean()


def slowed(outcomes: Sequence[Outcome]) -> Target:
    """The target for what a release does to the latency of others' requests."""
    times = median(one.cutover["p99"] / one.steady["p99"] for one in outcomes)
    text = "p99 latency around a cutover of ours by the steady one of the same round, median"
    return Target(text, MOST_SLOWER, round(times, 3), "times")


def contender(inside: Inside, url: str, key: str, failed: dict[str, int]) -> Callable[[int], float]:
    """Return what measures one round of wrk; its failures are added up in `failed` by `key`."""

    def count(_number: int) -> float:
        found = throughput.rate(inside, url)
        failed[key] = failed.get(key, 0) + found.failed
        return found.per_second

    return count


def through_proxies(inside: Inside, part: Part, say: Callable[[str], None]) -> None:
    """Measure throughput in front of both upstreams and add it to the part."""
    throughput.install(inside)
    configuration = inside.run(f"cat {throughput.CONFIGURATION}") + "\n"
    slot = throughput.live_address(configuration, inside.run(f"cat {throughput.LIVE_MAP}"))
    static = f"127.0.0.1:{throughput.UPSTREAM_PORT}"
    failed: dict[str, int] = {}

    with ExitStack() as stack:

        def start(name: str, template: str, port: int, upstream: str = "", log: str = "") -> str:
            running = throughput.nginx(inside, name, template, port, upstream, log)
            return stack.enter_context(running)

        direct = start("static", throughput.STATIC, throughput.UPSTREAM_PORT)
        plain = start("plain", throughput.PLAIN_PROXY, throughput.NGINX_PORT, slot)
        port = throughput.STATIC_NGINX_PORT
        fast = start("plain-static", throughput.PLAIN_PROXY, port, static)
        port = throughput.JOURNAL_NGINX_PORT
        journal = start(
            "plain-journal", throughput.PLAIN_PROXY, port, static, log=throughput.JOURNAL
        )
        own = stack.enter_context(throughput.haproxy(inside, throughput.HAPROXY_PORT, static))
        ours = f"http://127.0.0.1:{settings.APPLICATION_PORT}"
        setups = {
            STATIC: {DIRECT: direct, OURS: own, NGINX: fast, NGINX_JOURNAL: journal},
            SAMPLE: {DIRECT: f"http://{slot}", OURS: ours, NGINX: plain},
        }
        for measure, roots in setups.items():
            contenders = {
                name: contender(inside, f"{root}{base.VERSION}", f"{measure}, {name}", failed)
                for name, root in roots.items()
            }
            part.series += alternate(measure, contenders, part.rounds, say, "requests/s")
    part.notes += [
        f"{key}: wrk counted {count} failures." for key, count in failed.items() if count
    ]


def share(part: Part, measure: str, other: str = NGINX) -> float:
    """Return the median over rounds of ours by another, each pair measured side by side."""
    pairs = zip(part.find(measure).values, part.find(measure, other).values, strict=True)
    return median(ours / theirs for ours, theirs in pairs)


def judge(part: Part) -> None:
    """Hold our throughput against nginx's and say what each upstream can show."""
    value = round(share(part, STATIC), 3)
    text = "Throughput through our HAProxy by that of nginx as a plain proxy, static upstream"
    part.targets.append(Target(text, LEAST_SHARE, value, "times", at_least=True))
    part.notes.append(
        f"Against an nginx whose access log goes to the journal, as our HAProxy's does, it is"
        f" {share(part, STATIC, NGINX_JOURNAL):.2f} times."
    )
    room = part.ratio(SAMPLE, DIRECT, NGINX)
    part.notes.append(
        f"In front of the sample application our HAProxy comes to {share(part, SAMPLE):.2f} of"
        f" nginx; the application itself, reached directly, gives {room:.2f} times what passes"
        " nginx. The nearer that is to 1, the more the application is what is measured; the target"
        " is held in front of the static upstream, which has room:"
        f" {part.ratio(STATIC, DIRECT, NGINX):.1f} times."
    )


def run(rounds: int, say: Callable[[str], None]) -> Part:
    """Measure releases under load and throughput.

    Raises CommandError, DropletError, LoadError, RivalError, ThroughputError or AssertionError.
    """
    machine.give_way()
    part = Part("load", "Under load", machine.today(), rounds, machine.describe(), list(METHOD))
    with bench_droplet(say) as droplet, Inside(droplet.name) as inside:
        under_releases(droplet, inside, part, say)
        through_proxies(inside, part, say)
    judge(part)
    return part
