# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job for real, on the dev fleet: `make demo` or `python -m dev.demo`.

Two droplets are set up, a release is made, another one while a load runs through the load balancer,
a broken one is refused, the first comes back. Ends with a table; the exit code is 1 when a request
failed or a step did not do what it should. The fleet stays up. Safe to run again.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from dev import demo_process, demo_table, settings
from dev.demo_table import Row
from dev.sample_versions import VERSIONS
from tests.load.driver import LoadError, LoadRun
from tests.load.options import LoadOptions

URL = f"http://127.0.0.1:{settings.BALANCER_PORT}"
GOOD = ("A", "B", "C", "D", "E", "F")
BROKEN = "unhealthy-json"
# An upper limit for the load; it is stopped after the last step.
LOAD_SECONDS = 900.0
WARM_UP_SECONDS = 3.0
LOOKS = 8


class DemoError(RuntimeError):
    """A step did not do what it should; the text says why."""


@dataclass
class Demo:
    """The state of one run: what was done, and the load once it runs."""

    rows: list[Row] = field(default_factory=list)
    load: LoadRun | None = None
    step: str = ""
    began: float = 0.0
    number: int = 0

    def begin(self, step: str) -> None:
        """Open a step; requests sent from now on are counted for it."""
        self.number += 1
        self.step, self.began = step, time.monotonic()
        if self.load is not None:
            self.load.start_phase(step)
        print(f"\n== {self.number}. {step}", flush=True)

    def end(self) -> None:
        """Close the step and say how the load fares."""
        seconds = time.monotonic() - self.began
        self.rows.append(Row(self.step, seconds))
        text = f"== done in {seconds:.1f} s"
        if self.load is not None:
            counts = self.load.progress()
            text += f"; load so far: {counts['ok']:,} served, {counts['failed']} failed"
        print(text, flush=True)


def play(playbook: str, *arguments: str) -> tuple[int, list[str]]:
    """Run one of the project's playbooks as a user would, with its output shown."""
    shown = ["ansible-playbook", f"playbooks/{playbook}", *arguments]
    print(f"$ {' '.join(shown)}", flush=True)
    extra = {"ANSIBLE_CONFIG": str(settings.ROOT / "ansible.cfg")}
    if sys.stdout.isatty():
        extra["ANSIBLE_FORCE_COLOR"] = "1"
    command = [str(demo_process.BIN / shown[0]), *shown[1:]]
    return demo_process.run_shown(command, demo_process.environment(extra))


def must_play(playbook: str, *arguments: str) -> None:
    """Run a playbook that has to succeed; DemoError with its reason otherwise."""
    code, lines = play(playbook, *arguments)
    if code != 0:
        raise DemoError(f"{playbook} ended with exit code {code}: {demo_process.reason(lines)}")


def must_run(*arguments: str) -> None:
    """Run a module of this project that has to succeed."""
    print(f"$ python -m {' '.join(arguments)}", flush=True)
    command = [sys.executable, "-m", *arguments]
    code, lines = demo_process.run_shown(command, demo_process.environment())
    if code != 0:
        raise DemoError(f"{arguments[0]} ended with exit code {code}: {demo_process.reason(lines)}")


def serving() -> str:
    """The SHA that answers through the load balancer, empty when none does."""
    try:
        with urllib.request.urlopen(f"{URL}/v1/version", timeout=5) as reply:
            return str(json.load(reply)["sha"])
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return ""


def must_serve(sha: str) -> None:
    """See through the load balancer, several times, that every answer comes from `sha`."""
    seen = {serving() or "no release" for _look in range(LOOKS)}
    if seen != {sha}:
        raise DemoError(f"{sha[:7]} should serve, but {', '.join(sorted(seen))} does")
    print(f"{demo_process.INDENT}{LOOKS} requests through the load balancer: all from {sha[:7]}")


def choose(live: str) -> tuple[str, str, str]:
    """SHAs of this run's A and B and of a third: the good ones after the one that is live now."""
    shas = [VERSIONS[name].sha for name in GOOD]
    start = shas.index(live) + 1 if live in shas else 0
    first, second, third = (shas[(start + offset) % len(shas)] for offset in range(3))
    return first, second, third


def refuse(sha: str, old: str) -> None:
    """Release a broken version; it has to be refused, with a reason, and `old` has to serve on."""
    code, lines = play("update-api.yml", "-e", f"sha={sha}")
    if code == 0:
        raise DemoError(f"the broken release {sha[:7]} was accepted")
    text = "\n".join(lines)
    for wanted in ("failed at step 'gate'", '"status": "unhealthy"'):
        if wanted not in text:
            raise DemoError(f"{sha[:7]} was refused for another reason: no {wanted} in the output")
    must_serve(old)


def release(sha: str) -> None:
    """Release a good version and see it serve."""
    must_play("update-api.yml", "-e", f"sha={sha}")
    must_serve(sha)


def roll_back(sha: str) -> None:
    """Go back without an argument and see `sha` serve."""
    must_play("rollback-api.yml")
    must_serve(sha)


def under_load(demo: Demo, steps: Sequence[tuple[str, Callable[[], None]]]) -> None:
    """Carry out steps while the load runs; the rows get its counts, also when a step fails."""
    options = LoadOptions(URL, seconds=LOAD_SECONDS)
    first = len(demo.rows)
    with ExitStack() as stack:
        demo.load = stack.enter_context(LoadRun(options))
        print(
            f"\n== load through {URL}: {options.keepalive_rate:.0f} requests/s kept alive,"
            f" {options.connection_rate:.0f}/s on new connections, slow ones"
            f" ({options.slow_ms} ms) and {options.stream_seconds:.0f} s streams in flight",
            flush=True,
        )
        time.sleep(WARM_UP_SECONDS)
        try:
            for title, work in steps:
                carry_out(demo, title, work)
        finally:
            result = demo.load.stop()
            demo.load = None
            demo.rows[first:] = with_counts(demo.rows[first:], result)
            for example in result["examples"][:5]:
                print(f"failed request: {example}", flush=True)


def with_counts(rows: Sequence[Row], result: dict[str, Any]) -> list[Row]:
    """The rows with the load's counts; what ran before the first step gets a row of its own."""
    phases = {phase["name"]: phase for phase in result["phases"]}
    warm_up = phases.pop("start")
    counted = [Row("load alone", warm_up["seconds"], warm_up["ok"], warm_up["failed"])]
    for row in rows:
        phase = phases.pop(row.step)
        counted.append(Row(row.step, row.seconds, phase["ok"], phase["failed"]))
    # A step that failed has a phase and no row.
    counted += [Row(name, p["seconds"], p["ok"], p["failed"]) for name, p in phases.items()]
    return counted


def carry_out(demo: Demo, title: str, work: Callable[[], None]) -> None:
    """One step with its clock."""
    demo.begin(title)
    work()
    demo.end()


def perform(demo: Demo) -> None:
    """All steps in order."""
    carry_out(demo, "start the fleet", lambda: must_run("dev.fleet", "up"))
    names = list(VERSIONS)
    build = ("dev.sample_api", "build", "--push", *names)
    carry_out(demo, "build and push sample releases", lambda: must_run(*build))
    carry_out(demo, "set up both droplets", lambda: must_play("setup-api.yml"))
    a, b, _broken = choose(serving())
    c = VERSIONS[BROKEN].sha
    carry_out(demo, f"release A ({a[:7]})", lambda: release(a))
    steps: list[tuple[str, Callable[[], None]]] = [
        (f"release B ({b[:7]})", lambda: release(b)),
        (f"broken release C ({c[:7]}) refused", lambda: refuse(c, b)),
        (f"roll back to A ({a[:7]})", lambda: roll_back(a)),
        ("status", lambda: must_play("status-api.yml")),
    ]
    under_load(demo, steps)


def finish(demo: Demo) -> int:
    """Print the table; 0 when no request failed."""
    print(f"\n{demo_table.table(demo.rows)}\n", flush=True)
    failed = demo_table.total(demo.rows).failed
    if failed:
        print(f"Requests that failed: {failed}; there should be none.", file=sys.stderr)
        return 1
    print(demo_table.try_next(choose(serving())[1]), flush=True)
    return 0


def main() -> int:
    """Run the demo; the exit code is 0 when all went as planned and no request failed."""
    demo = Demo()
    try:
        perform(demo)
    except (DemoError, LoadError, OSError) as exc:
        print(f"\ndemo: step '{demo.step}' failed: {exc}", file=sys.stderr, flush=True)
        if demo.rows:
            print(f"\n{demo_table.table(demo.rows)}", file=sys.stderr)
        print("\nWhat is up stays up. Run it again: make demo", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; what is up stays up", file=sys.stderr)
        return 130
    return finish(demo)


if __name__ == "__main__":
    sys.exit(main())
