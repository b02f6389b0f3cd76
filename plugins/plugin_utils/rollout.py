# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host's part in bringing a release to the whole fleet, or to none of it. Controller side.

Every host goes through the same phases and meets the others at the board after each: nobody cuts
over before all are staged, nobody settles before all are live, and when one fails all go back.
"""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.greenlight.droplet.plugins.plugin_utils.board import (
    AbandonedError,
    Board,
    Post,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.fleet import (
    expected_backends,
    short,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.remote import (
    RemoteError,
    UnreachableError,
)
from ansible_collections.greenlight.droplet.plugins.plugin_utils.rollout_report import (
    FleetError,
    View,
    batches,
    hosts_in_need,
    summary,
    unsettled,
)

Result = dict[str, t.Any]

_POSTED: t.Final = ("failed", "msg", "failure", "sha", "digest", "release", "needed", "live")


class Remote(t.Protocol):
    """The host side of a release; see plugin_utils/remote.py."""

    def plan(self, run: str, *, reserve: bool) -> Result:
        """Ask for the plan; with `reserve` the host is reserved when there is something to do."""

    def whole(self, run: str) -> Result:
        """Carry out all phases at once and tell each step as it is done."""

    def phase(self, state: str, **changes: str) -> Result:
        """Carry out a phase and tell each step as it is done."""

    def inspect(self, events: int = 0) -> Result:
        """Read what serves now."""

    def close(self) -> None:
        """End what the plan left behind on the host."""


@dataclass(frozen=True)
class Terms:
    """What a fleet release is about.

    `hosts` are all of the play in order, `batch` how many of them cut over at a time. `verify`
    looks through the load balancer and returns what is missing there and what it saw; None without
    a balancer.
    """

    action: str
    app: str
    hosts: list[str]
    batch: int
    check_mode: bool
    verify: Callable[[dict[str, str]], tuple[str, str]] | None


@dataclass(frozen=True)
class Voice:
    """How a host is heard: `title` once for all hosts, `line` and `error` with its name."""

    title: Callable[[str], None]
    line: Callable[[str], None]
    error: Callable[[str], None]


@dataclass
class Rollout:
    """The release as seen from the process of one `host`."""

    host: str
    terms: Terms
    board: Board
    remote: Remote
    voice: Voice
    _plans: dict[str, Post] = field(default_factory=dict)
    _need: list[str] = field(default_factory=list)
    _changed: bool = False

    @property
    def _leads(self) -> bool:
        """Whether this host does what is done once: reserve, look through the balancer, sum up."""
        return self.host == min(self.terms.hosts)

    def run(self, run: str) -> Result:
        """Take part from the plan to the end; return this host's result.

        Raises UnreachableError when the host could not even be asked for its plan, and
        AbandonedError when the playbook's process has ended.
        """
        if len(self.terms.hosts) == 1 and self.terms.verify is None and not self.terms.check_mode:
            return self._alone(run)
        try:
            plan_it = functools.partial(self.remote.plan, run, reserve=self._leads)
            plan = self._attempt("planned", plan_it)
            self._plans = self.board.wait("planned", self.terms.hosts)
            if any(post.get("failed") for post in self._plans.values()):
                return self._begin_nothing(plan)
            self._need = hosts_in_need(self._plans)
            if self.terms.check_mode:
                return plan
            return self._go(plan) if self._need else {**plan, "changed": False}
        except FleetError as exc:
            return self._begin_nothing({**plan, "failed": True, "msg": str(exc)})
        finally:
            self.remote.close()

    def _alone(self, run: str) -> Result:
        """Carry out all phases at once: nobody to wait for, nothing to look at in between."""
        try:
            result = self.remote.whole(run)
            if result.get("lost"):
                back = self.remote.phase("reverted", sha="0000000")
                result["msg"] += f". {back.get('msg') or 'The old release serves'}."
                result["failure"] = {"reason": result["msg"]}
        finally:
            self.remote.close()
        self._changed = bool(result.get("changed"))
        if result.get("failed") and "failure" not in result:
            return {**result, "msg": f"{result['msg']}\nNo host was touched."}
        return self._result(result) if result.get("needed", True) else result

    def _attempt(self, kind: str, work: Callable[[], Result]) -> Result:
        """Do the work and post what came of it, whatever came of it."""
        try:
            result = work()
        except UnreachableError as exc:
            text = f"unreachable in phase {kind}"
            self.board.post(kind, self.host, failed=True, msg=text)
            if kind == "planned":
                raise
            return {"failed": True, "msg": f"{text}: {exc}"}
        except RemoteError as exc:
            result = {"failed": True, "msg": str(exc)}
        self._changed = self._changed or bool(result.get("changed"))
        self.board.post(kind, self.host, **{n: result[n] for n in _POSTED if n in result})
        return result

    def _begin_nothing(self, plan: Result) -> Result:
        """End before any host was touched; the reservation is given back."""
        reason = plan["msg"] if plan.get("failed") else "Another host cannot take part."
        lines = [reason, "No host was touched."]
        if self._leads and self._plans[self.host].get("needed") and not self.terms.check_mode:
            lines += self._give_back()
        return {"failed": True, "changed": False, "msg": "\n".join(lines)}

    def _give_back(self) -> list[str]:
        """Give the reservation back; return what to say when that fails."""
        try:
            result = self.remote.phase("reverted", sha="0000000")
        except RemoteError as exc:
            result = {"failed": True, "msg": str(exc)}
        if not result.get("failed"):
            return []
        return [f"It stays reserved for a while, since that could not be undone: {result['msg']}"]

    def _go(self, plan: Result) -> Result:
        try:
            proved = self._prove(plan)
        except AbandonedError:
            # Nobody knows how far the others get by themselves; the next run puts that right.
            raise
        except BaseException:
            # A defect, or the task's limit of time. The others notice, and go back as well.
            self._go_back("", plan)
            raise
        if not proved:
            return self._back(plan)
        result = self._phase("settled", plan)
        failures = self._failures("settled")
        if failures and self._leads:
            result = {**result, "failed": True, "msg": unsettled(plan["sha"], failures)}
        return self._result(result)

    def _prove(self, plan: Result) -> bool:
        """Stage, cut over and look at the fleet; tell whether it may settle on the new release."""
        for state in ("staged", "live"):
            self._phase(state, plan)
            if self._failures(state):
                return False
        return self._verify()

    def _result(self, result: Result) -> Result:
        if result.get("failed"):
            return {**result, "changed": self._changed, "told": True}
        said = f"{short(result['sha'])} is live"
        if result.get("standby"):
            said += f", {short(result['standby']['sha'])} is the standby"
        return {**result, "changed": self._changed, "message": said, "told": True}

    def _phase(self, state: str, plan: Result) -> Result:
        """Take this host's turn in a phase, unless somebody has failed before it."""
        size = self.terms.batch if state == "live" else len(self._need)
        turns = batches(self._need, size)
        result = plan
        if self.host in self._need:
            place = next(i for i, turn in enumerate(turns) if self.host in turn)
            before = [host for turn in turns[:place] for host in turn]
            posts = self.board.wait(state, before, enough=_any_failed)
            if _any_failed(posts):
                self.board.post(state, self.host)
            else:
                if self.host == turns[place][0]:
                    names = ", ".join(turns[place])
                    self.voice.title(f"Phase {state} of the {self.terms.action} on {names}")
                aim = {name: plan[name] for name in ("sha", "digest", "release")}
                result = self._attempt(state, functools.partial(self.remote.phase, state, **aim))
                if result.get("failed"):
                    self.voice.error(result["msg"])
        return result

    def _verify(self) -> bool:
        """Look at the fleet through the load balancer, once for all; tell whether it is right."""
        if self.terms.verify is None:
            return True
        if self._leads:
            lives = self.board.posts("live", self._need)
            live = {host: (lives.get(host) or self._plans[host])["live"] for host in self._plans}
            self.voice.title("See every host on its new slot through the load balancer")
            missing, seen = self.terms.verify(expected_backends(live, self.terms.app))
            if missing:
                self.voice.error(missing)
            else:
                self.voice.line(seen)
            self.board.post("verified", self.host, failed=bool(missing), msg=missing)
        return not self._failures("verified")

    def _failures(self, state: str) -> dict[str, str]:
        """Wait until a phase is over, and return why hosts failed in it, by host."""
        hosts = [min(self.terms.hosts)] if state == "verified" else self._need
        posts = self.board.wait(state, hosts)
        return {host: _reason(post) for host, post in posts.items() if post.get("failed")}

    def _back(self, plan: Result) -> Result:
        """Take back what the run has done, read what serves, and say it once for all hosts."""
        failures: dict[str, str] = {}
        for state in ("staged", "live", "verified"):
            hosts = self.terms.hosts
            posts = self.board.posts(state, hosts)
            failures |= {h: _reason(post) for h, post in posts.items() if post.get("failed")}
        if self._leads:
            self.voice.title("Take back what this run has done, the old release serves")
        view = self._go_back(failures.get(self.host, ""), plan)
        self.board.post("view", self.host, **vars(view))
        posts = self.board.wait("view", self.terms.hosts)
        views = {host: _view(post) for host, post in posts.items()}
        text = f"{short(plan['sha'])} was not released; serving here: {view.serving()}"
        if self._leads:
            text = summary(plan["sha"], views)
        return {**plan, "failed": True, "changed": self._changed, "msg": text, "told": True}

    def _go_back(self, failure: str, plan: Result) -> View:
        try:
            if self.host in self._need:
                result = self.remote.phase("reverted", sha=plan["sha"])
                if result.get("failed"):
                    failure = "\n".join(filter(None, [failure, result["msg"]]))
            info = self.remote.inspect()
            if info.get("failed"):
                return View("\n".join(filter(None, [failure, info["msg"]])), unreachable=True)
        except RemoteError as exc:
            return View(failure or f"on the way back: {exc}", unreachable=True)
        return View(failure, info.get("live") or {})


def _any_failed(posts: dict[str, Post]) -> bool:
    return any(post.get("failed") for post in posts.values())


def _view(post: Post) -> View:
    """Return what a host has said in the end; one that has left can say nothing."""
    return View(_reason(post), unreachable=True) if post.get("failed") else View(**post)


def _reason(post: Post) -> str:
    failure: dict[str, t.Any] = post.get("failure") or {}
    return str(failure.get("reason") or post.get("msg") or "failed")
