# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command over light hosts: how long, how much of the controller, how many round trips."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev import demo_process, light_hosts, light_inventory, settings
from dev.shell import CommandError, run, succeeds

COMMAND_SECONDS = 300.0
_KEPT = "-o ControlMaster=auto -o ControlPersist=1800s -o ServerAliveInterval=60"
_RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+) ", re.MULTILINE)
_SESSION = "Starting session:"
_LOGIN = "Accepted publickey"


class MeasureError(RuntimeError):
    """A command did not do on every host what its time is to be kept for."""


@dataclass(frozen=True)
class Command:
    """One of our commands: playbook, variables, and whether it has to change every host or none."""

    playbook: str
    variables: Mapping[str, str]
    changes: bool


@dataclass(frozen=True)
class Outcome:
    """Seconds of wall, of the controller and of all processors; SSH commands and logins per host.

    `controller` is the processor time of Ansible and all processes it waited for; SSH's master
    processes, which stay behind, are not in it. `machine` is that of everything on this machine,
    with what else it may do.
    """

    wall: float
    controller: float
    machine: float
    round_trips: float
    logins: float


def changed_hosts(output: str) -> dict[str, bool]:
    """Return by host whether a playbook says that it changed something there."""
    return {host: int(changed) > 0 for host, changed in _RECAP.findall(output)}


def counts(text: str) -> list[int]:
    """Return the numbers in what `grep -c` says of several files, `name:number` a line."""
    return [int(line.rpartition(":")[2]) for line in text.splitlines() if line]


def _per_host(pattern: str, hosts: int) -> float:
    """Return how often each host's sshd has logged the pattern, on average."""
    names = [light_inventory.name_of(number) for number in range(1, hosts + 1)]
    logs = " ".join(f"{light_hosts.FOLDER}/log/{name}.log" for name in names)
    # A file without a match makes grep end with 1; the count is printed all the same.
    found = counts(light_hosts.inside(f"grep -H -c '{pattern}' {logs} || [ $? -eq 1 ]"))
    if len(found) != hosts:
        raise MeasureError(f"{len(found)} logs of sshd for {hosts} hosts")
    return sum(found) / hosts


@contextlib.contextmanager
def connections() -> Iterator[Path]:
    """Give a folder for SSH connections that stay open from command to command, and end them.

    As with a controller that releases often: our ansible.cfg keeps them for a minute, too, but a
    round of large fleets takes longer than that.
    """
    with tempfile.TemporaryDirectory(prefix="light-") as name:
        try:
            yield Path(name)
        finally:
            _hang_up(Path(name))


def _hang_up(folder: Path) -> None:
    for socket in folder.iterdir():
        leave = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "light"]
        # One that has just ended by itself is as good.
        if not succeeds(leave, timeout=10) and socket.exists():
            raise MeasureError(f"the SSH connection of {socket} does not end")


def _arguments(command: Command, hosts: int) -> list[str]:
    program = str(demo_process.BIN / "ansible-playbook")
    variables = {"target": light_inventory.group_of(hosts), **command.variables}
    extra = [part for key, value in variables.items() for part in ("-e", f"{key}={value}")]
    playbook = str(settings.ROOT / "playbooks" / command.playbook)
    return [program, "-i", str(light_inventory.PATH), "--forks", str(hosts), playbook, *extra]


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def busy_ticks(text: str) -> int:
    """Return the ticks in which a processor had work, from the first line of /proc/stat.

    The fields are user, nice, system, idle, iowait, irq, softirq, steal (proc(5)); guests are in
    user already.
    """
    user, nice, system, _idle, _waiting, interrupt, soft_interrupt, steal = map(
        int, text.splitlines()[0].split()[1:9]
    )
    return user + nice + system + interrupt + soft_interrupt + steal


def _machine() -> float:
    """Return the seconds for which this machine's processors have had work since it started."""
    text = Path("/proc/stat").read_text(encoding="ascii")
    return busy_ticks(text) / os.sysconf("SC_CLK_TCK")


def measure(command: Command, hosts: int, folder: Path) -> Outcome:
    """Run a command over the first hosts, on the folder's connections, and check what it did.

    Raises MeasureError with the command's output when it failed or changed what it should not.
    """
    light_hosts.inside(f"for log in {light_hosts.FOLDER}/log/*; do : > $log; done")
    paths = {"ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder), "ANSIBLE_SSH_ARGS": _KEPT}
    environment = demo_process.environment({**paths, "ANSIBLE_NOCOLOR": "1"})
    before, busy, began = _children(), _machine(), time.monotonic()
    try:
        output = run(_arguments(command, hosts), timeout=COMMAND_SECONDS, env=environment)
    except CommandError as exc:
        raise MeasureError(f"{command.playbook} on {hosts} hosts: {exc}") from exc
    wall, controller = time.monotonic() - began, _children() - before
    machine = _machine() - busy
    changed = changed_hosts(output)
    wrong = [host for host, value in changed.items() if value != command.changes]
    if len(changed) != hosts or wrong:
        raise MeasureError(
            f"{command.playbook} on {hosts} hosts: {len(changed)} in the recap, wrong about"
            f" {', '.join(wrong) or 'none'}\n{output}"
        )
    trips, logins = _per_host(_SESSION, hosts), _per_host(_LOGIN, hosts)
    return Outcome(wall, controller, machine, trips, logins)


def schedule(rounds_of: Mapping[int, int]) -> list[Sequence[int]]:
    """Return the sizes of each round; the order moves on by one each round.

    A size takes part in as many rounds as `rounds_of` says, in the first ones.
    """
    turns: list[Sequence[int]] = []
    for number in range(max(rounds_of.values(), default=0)):
        sizes = [size for size, rounds in rounds_of.items() if number < rounds]
        turn = number % len(sizes)
        turns.append(sizes[turn:] + sizes[:turn])
    return turns
