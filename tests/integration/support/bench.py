# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests work with: one droplet that is set up, the modules, and the truth beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev import settings
from dev.sample_versions import VERSIONS
from tests.integration.support.ansible import Ansible, Call, Played, Result
from tests.integration.support.direct import FOLDER, Calling, Direct, install
from tests.integration.support.machine import Machine

REMOTE = Path(__file__).resolve().parent / "remote" / "state.py"
SCRIPT = "/usr/local/bin/greenlight-test-state"
APP = "api"
REPOSITORY = "integration"
IMAGE = f"{settings.REGISTRY_HOST}:5000/{REPOSITORY}"
TOKEN = "token-of-the-tests"
# As quick as the checks can be: what is measured elsewhere is not waited for in every test.
HEALTH = {"expect": "status == 'healthy'", "interval": 0.1, "successes": 2, "deadline": 6}
QUICK: dict[str, Any] = {
    "app": APP,
    "registry_username": settings.REGISTRY_USER,
    "registry_plain_http": True,
    "image": IMAGE,
    "env": {"GREETING": "hello"},
    "secrets": {"SAMPLE_API_TOKEN": TOKEN},
    "health": HEALTH,
    "watch": {"seconds": 0},
    "drain_seconds": 3,
    "stop_timeout": 2,
}

State = dict[str, Any]


def sha(name: str) -> str:
    """The SHA of a version of the sample API."""
    return VERSIONS[name].sha


@dataclass(frozen=True)
class Four:
    """One call in check mode, for real, and both again."""

    check: Result
    apply: Result
    check_again: Result
    apply_again: Result


class Bench:
    """One set-up droplet and the module calls against it."""

    def __init__(self, machine: Machine, ansible: Ansible, password: str) -> None:
        self.machine = machine
        self.ansible = ansible
        self.password = password
        self.sh = machine.sh
        self.direct = Direct(machine)

    def options(self, **changes: Any) -> dict[str, Any]:
        """The options of a transaction, with changes."""
        return {**QUICK, "registry_password": self.password, **changes}

    def release(self, name: str, *, check: bool = False, python: str = "", **changes: Any) -> Call:
        """A call of module release for a version of the sample API, or for a SHA as it stands."""
        wanted = VERSIONS[name].sha if name in VERSIONS else name
        return Call("release", self.options(sha=wanted, **changes), check, python)

    def rollback(self, *, check: bool = False, **changes: Any) -> Call:
        """A call of module release that goes back."""
        return Call("release", self.options(action="rollback", **changes), check)

    def play(self, *calls: Call) -> list[Result]:
        """Make calls one after another, without Ansible unless one wants a Python of its own."""
        if any(call.python for call in calls):
            return self.played(*calls).results
        return self.direct.play(calls)

    def begin(self, *calls: Call) -> Calling:
        """Begin to make calls, without waiting for their end."""
        return self.direct.begin(calls)

    def played(self, *calls: Call, arguments: tuple[str, ...] = ()) -> Played:
        """Make calls one after another in a play of Ansible; also what it printed."""
        return self.ansible.play(calls, self.machine.name, *arguments)

    def one(self, call: Call) -> Result:
        """Make one call."""
        return self.play(call)[0]

    def install(self) -> None:
        """Put the script that reads the state on the droplet, and the modules themselves."""
        self.machine.write(SCRIPT, REMOTE.read_text(encoding="utf-8"))
        install(self.machine, FOLDER)

    def state(self) -> State:
        """All that a release may change, from Docker, HAProxy and the files."""
        return dict(self.machine.json(f"python3 {SCRIPT} show {APP}"))

    def clean(self) -> None:
        """Remove every release but the images."""
        self.sh(f"python3 {SCRIPT} clean {APP}")

    def fours(self, call: Call) -> tuple[Four, list[State]]:
        """Check, apply, check, apply; the state before, after each of the first two, at the end."""
        look = look_at(str(call.args.get("app", APP)))
        dry = Call(call.module, call.args, check=True)
        results = self.play(look, dry, look, call, look, dry, call, look)
        states = [dict(json.loads(results[at].ok()["stdout"])) for at in (0, 2, 4, 7)]
        return Four(results[1], results[3], results[5], results[6]), states

    def four(self, call: Call) -> Four:
        """The same with the claims that hold for every module that changes something."""
        four, states = self.fours(call)
        assert four.check.ok().changed
        assert four.apply.ok().changed
        assert same_claims(four.check, four.apply)
        assert states[0] == states[1], "check mode changed the host"
        assert states[1] != states[2], "the real run says changed and is not"
        for repeated in (four.check_again, four.apply_again):
            assert not repeated.ok().changed
        last, repeated_last = (without_times(state) for state in states[2:])
        assert last == repeated_last, "a repeated call changed the host"
        return four

    def refused(self, call: Call, *fragments: str) -> Result:
        """See a call fail with these fragments in its message, and that it changed nothing."""
        look = look_at(str(call.args.get("app", APP)))
        before, result, after = self.play(look, call, look)
        for fragment in fragments:
            assert fragment in result.msg, result.msg
        assert before.ok()["stdout"] == after.ok()["stdout"], "the refused call changed the host"
        return result

    # -- what is true on the droplet

    def containers(self) -> dict[str, dict[str, Any]]:
        """Docker's own description of the application's containers, by name."""
        listed = f"docker ps -aq --filter label=greenlight.app={APP}"
        found = self.machine.json(f'ids=$({listed}); docker inspect $ids 2>/dev/null || echo "[]"')
        return {entry["Name"].lstrip("/"): entry for entry in found}

    def inside(self, container: Mapping[str, Any]) -> dict[str, str]:
        """The environment of a container."""
        return dict(entry.split("=", 1) for entry in container["Config"]["Env"])

    def serving(self) -> str:
        """The SHA that answers on the application's port; the whole answer when it has none."""
        try:
            return self.version()["sha"]
        except ValueError:
            return self.get("/v1/version")

    def get(self, path: str) -> str:
        """What the application's port answers on the droplet."""
        return self.sh(f"python3 {SCRIPT} get {path}")

    def version(self) -> dict[str, str]:
        """What the serving release says of itself."""
        return dict(json.loads(self.get("/v1/version")))

    def journal(self) -> list[dict[str, Any]]:
        """The journal's entries."""
        text = self.sh(f"cat /var/lib/greenlight/{APP}/journal.jsonl")
        return [json.loads(line) for line in text.splitlines()]

    def kept(self) -> set[str]:
        """The SHAs whose images are on the droplet, by Docker's word."""
        return set(self.sh("docker images greenlight/api --format '{{.Tag}}'").split())


def look_at(app: str) -> Call:
    """A task that reads the application's state on the droplet."""
    return Call("ansible.builtin.command", {"argv": ["python3", SCRIPT, "show", app]})


def without_times(state: State) -> State:
    """A state without the times of the lease, which every call of an open run renews."""
    lease = json.loads(state["lease"] or "{}")
    kept = {name: value for name, value in lease.items() if name not in ("until", "uptime")}
    return {**state, "lease": kept}


def same_claims(check: Result, apply: Result) -> bool:
    """Tell whether check mode promised what the real run did; fails naming the difference.

    A phase before the last one tells what is live and looks at no more, so it has no diff.
    """
    keys = ["changed", "plan", "changes", "sha", "digest", "config", "application"]
    if "live" not in apply.raw or "standby" in apply.raw:
        keys.append("diff")
    for key in keys:
        assert check.raw.get(key) == apply.raw.get(key), key
    return True
