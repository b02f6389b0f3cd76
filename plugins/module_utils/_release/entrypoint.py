# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What module release and the command share: parameters in, one transaction, a result out."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from .._core.boundary import boundary
from .._core.errors import FinalError, GreenlightError, LockedError, RegistryError, SpecError
from .._core.redact import HIDDEN, redact, secrets_of
from .._core.text import printable_value
from .._docker.registry import Registry
from .._haproxy.runtime_api import CONFIGURATION
from .._model.engine_model import REVISION_LABEL, Container, local_repository
from .._model.spec import Order, is_full_sha, short_sha
from .._state.descriptor import read_application
from . import report
from .argument_spec import build_order
from .context import Host, observe, open_host
from .environment import yaml_notes
from .host_state import Snapshot
from .planner import Phase
from .revert import revert_order
from .target import Goal, release_goal, rollback_goal
from .transaction import Transaction

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

Action = t.Literal["release", "rollback"]

_UNNAMED: t.Final = "single-"
"""Prefix of the run identifier that is made up when the caller names none."""


def run_module(module: AnsibleModule, *, outdated: bool = False) -> t.NoReturn:
    """Run one call of module release and leave through exit_json or fail_json.

    `outdated` says whether the command that is installed on the host is of another version.
    """
    result = call(module.params["action"], module.params, module.check_mode)
    _take_over_hiding(module)
    result["outdated_command"] = outdated
    if result.pop("failed", False):
        module.fail_json(**result)
    for note in result.get("notes", []):
        module.warn(note)
    module.exit_json(**result)
    raise AssertionError("exit_json and fail_json do not return")


def call(
    action: Action,
    params: dict[str, t.Any],
    check_mode: bool,
    say: t.Callable[[report.Done], None] = report.keep_quiet,
) -> dict[str, t.Any]:
    """Carry out one call and return its result; one that failed has `failed` and `msg`.

    `say` hears of each step as soon as it is done.
    """
    try:
        with boundary(f"A defect in the {action}; please report it"):
            found = _execute(action, params, check_mode, say)
    except GreenlightError as exc:
        found = {"failed": True, "changed": False, "msg": str(exc), "final": exc.final}
        if isinstance(exc, LockedError):
            found["lease"] = exc.lease
        if isinstance(exc, report.Failure):
            steps = [done.to_dict() for done in exc.done]
            found = {**found, "failure": exc.to_dict(), "steps": steps, "changed": exc.changed}
    found.setdefault("run", params["run"])
    return t.cast("dict[str, t.Any]", printable_value(redact(found, secrets_of(params))))


def _take_over_hiding(module: AnsibleModule) -> None:
    """Keep Ansible from hiding a secret such as `green` in every word; `call` has hidden them all.

    Ansible returns the parameters too, so the secrets go from there as well.
    """
    secrets = secrets_of(module.params)
    hidden = dict.fromkeys(module.params["secrets"] or {}, HIDDEN)
    params = {**module.params, "secrets": hidden, "registry_password": HIDDEN}
    # The names of variables are the user's, so none of them makes its value a word of ours.
    env = {name: redact([text], secrets)[0] for name, text in (params["env"] or {}).items()}
    module.no_log_values = set()
    module.params = {**redact(params, secrets), "env": env}


def _execute(
    action: Action,
    params: dict[str, t.Any],
    check_mode: bool,
    say: t.Callable[[report.Done], None],
) -> dict[str, t.Any]:
    # An unknown application or a bare host is the first thing to say, before any option's value.
    read_application(params["app"])
    order = build_order(action, params)
    state = params["state"]
    order = dataclasses.replace(order, run=order.run or f"{_UNNAMED}{os.urandom(6).hex()}")
    host = open_host(params["app"])
    transaction = Transaction(host, order, say)
    if state == "reverted":
        return _reverted(host, order, check_mode, say)
    if state not in ("planned", "settled") and order.run.startswith(_UNNAMED):
        raise SpecError(
            f"state={state} needs option run: the phases of a run belong together by its name, and"
            " a host takes back what nobody goes on with."
        )
    said = [*notes(host), *_check_notes(host, order), *yaml_notes(params)]
    goal = find_goal(host, order)
    phase: Phase = "settled" if state == "planned" else state
    if state == "planned" or check_mode:
        reserve = params["reserve"] and not check_mode
        outcome = transaction.preview(goal, phase, reserve=reserve)
        changed = check_mode and state != "planned" and bool(outcome.plan.steps)
    else:
        outcome = transaction.run(goal, phase, look_after=state == "settled")
        changed = bool(outcome.done)
    result = _result(outcome, order, changed)
    if state == "planned":
        # Two names of the inventory may lead to one host; whoever leads the run compares these.
        result["identity"] = host.journal.identity()
    return {**result, "notes": [*said, *outcome.notes]}


def notes(host: Host) -> list[str]:
    """Return what somebody should know although it stops no release."""
    said: list[str] = []
    if host.proxy.is_edited():
        said.append(
            f"{CONFIGURATION} was changed by hand since set-up wrote it; setup-api.yml puts it back"
        )
    if host.hash_key.is_damaged:
        said.append(
            f"{host.hash_key.path} is damaged; the next run writes a new key, and the next release"
            " of the same SHA and configuration is carried out once more"
        )
    return said


def _check_notes(host: Host, order: Order) -> list[str]:
    """Return a note when HAProxy's own check is not the one of the order."""
    names = ", ".join(host.proxy.other_checks(order.health))
    if not names:
        return []
    return [
        f"HAProxy checks this application otherwise than this {order.action} does ({names}), as"
        " set-up was told; setup-api.yml makes them one, and what is live must pass it as well"
    ]


def find_goal(host: Host, order: Order) -> t.Callable[[Snapshot], Goal]:
    """Return the function that turns a snapshot into the goal of this order.

    Raises RegistryError, also for a revision label that contradicts the SHA, and SpecError.
    """
    config = order.container.config_hash(host.application.container_port, host.hash_key.value)
    if order.action == "release":
        sha, digest = _resolve(host, order)
        image = f"{order.source.image}@{digest}"
        return lambda snapshot: release_goal(snapshot, sha, digest, config, image, order.run)

    def goal(snapshot: Snapshot) -> Goal:
        found = rollback_goal(snapshot, order.sha, order.release, config.keyed, order.run)
        if found is not None:
            return found
        sha, digest = _resolve(host, order)
        return Goal(
            sha,
            digest,
            config.keyed,
            f"{order.source.image}@{digest}",
            note="pulled again, with the present configuration",
        )

    return goal


def _resolve(host: Host, order: Order) -> tuple[str, str]:
    """Return the full SHA and the digest that the order means, from the registry if need be."""
    if order.digest and is_full_sha(order.sha):
        return order.sha, order.digest
    if not order.source.image:
        kept = f"; {local_repository(host.application.app)} does not retain it either"
        also = kept if order.action == "rollback" else ""
        raise SpecError(
            f"No image is named to pull {order.sha} from{also}. Set app_image; nothing was changed."
        )

    def known(digest: str) -> str:
        image = host.engine.image(f"{order.source.image}@{digest}")
        return image.revision if image else ""

    registry = Registry(order.source, host.engine.proxies)
    remote = registry.find(order.sha, host.engine.architecture, known)
    revision = remote.revision.lower()
    if not is_full_sha(revision) or not revision.startswith(order.sha):
        raise RegistryError(
            f"{order.source.image}:{remote.tag} says that it was built from"
            f" {remote.revision or 'no revision at all'}, not from {order.sha}. Build it with the"
            f" label {REVISION_LABEL} set to the full SHA, and push it again; nothing was changed."
        )
    return revision, remote.digest


def _reverted(
    host: Host, order: Order, check_mode: bool, say: t.Callable[[report.Done], None]
) -> dict[str, t.Any]:
    if order.run.startswith(_UNNAMED):
        raise SpecError("state=reverted needs option run: it takes back what that run has done.")
    try:
        outcome = None if check_mode else revert_order(host, order)
    except FinalError as exc:
        live = describe(observe(host).live)
        return {"failed": True, "changed": False, "msg": str(exc), "final": True, "live": live}
    if outcome is None:
        return {
            "changed": False,
            "message": "this run has changed nothing here",
            "steps": [],
            "live": describe(observe(host).live),
        }
    for done in outcome.done:
        say(done)
    return {**_result(outcome, order, changed=True), "notes": outcome.notes}


def _result(outcome: report.Outcome, order: Order, changed: bool) -> dict[str, t.Any]:
    goal = outcome.plan.goal
    done = [item.to_dict() for item in outcome.done]
    return {
        "changed": changed,
        "needed": bool(outcome.plan.steps),
        "sha": goal.sha,
        "digest": goal.digest,
        "run": order.run,
        "release": goal.target.release if goal.target else "",
        "config": goal.config,
        "message": _message(outcome, order),
        "plan": [f"{step.kind.value}: {step.text}" for step in outcome.plan.steps],
        "steps": done,
        "seconds": round(sum(item["seconds"] for item in done), 3),
        **_states(outcome),
    }


def _states(outcome: report.Outcome) -> dict[str, t.Any]:
    before, after = outcome.before, outcome.after
    if after is None:
        return {"live": describe(outcome.live)}
    return {
        "live": describe(after.live),
        "standby": describe(after.standby),
        "diff": {
            "before": report.state_text(before),
            "after": report.state_text(after)
            if outcome.done
            else report.predicted_text(before, outcome.plan),
        },
    }


def _message(outcome: report.Outcome, order: Order) -> str:
    goal = outcome.plan.goal
    short = short_sha(goal.sha)
    if outcome.done:
        return f"{order.action} of {short}: {', '.join(done.step for done in outcome.done)}"
    if not outcome.plan.steps:
        if goal.note and not goal.note.startswith("with "):
            return goal.note
        return f"{short} is live already {goal.note or 'with this configuration'}; nothing to do"
    names = ", ".join(step.kind.value for step in outcome.plan.steps)
    note = f" ({goal.note})" if goal.note else ""
    return f"{order.action} of {short}{note}: {names}"


def describe(container: Container | None) -> dict[str, t.Any]:
    """Return what a module result says of a container; empty for none."""
    if container is None:
        return {}
    names = ("release", "sha", "digest", "config", "slot", "state", "name", "started")
    return {name: getattr(container, name) for name in names}
