# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How results are shown on the controller: one line a step, errors as text. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.greenlight.droplet.plugins.module_utils._core.text import (
    printable,
    printable_lines,
)

_OURS: t.Final = "greenlight.droplet."
_TEXTS: t.Final = ("ansible.builtin.debug", "ansible.builtin.fail", "debug", "fail")


_PLUMBING: t.Final = ("ansible.builtin.set_fact", "ansible.builtin.include_tasks")


def is_ours(action: str) -> bool:
    """Tell whether a task runs a module of this collection."""
    return action.startswith(_OURS)


def is_plumbing(action: str) -> bool:
    """Tell whether a task only moves values about, which nobody watching a release needs to see."""
    return action in _PLUMBING


def result_lines(action: str, result: Mapping[str, t.Any]) -> list[str] | None:
    """Return the lines for a successful result, or None to leave it to the default output."""
    lines = _lines(action, result)
    return None if lines is None else [printable(line) for line in lines]


def _lines(action: str, result: Mapping[str, t.Any]) -> list[str] | None:
    if action in _TEXTS:
        message = result.get("msg")
        return message.split("\n") if isinstance(message, str) and "\n" in message else None
    if not is_ours(action) or "item" in result:
        return None
    steps = result.get("steps") or []
    if steps:
        return [step_line(step) for step in steps]
    plan = result.get("plan") or []
    if result.get("message") and plan and result.get("changed"):
        return [result["message"], *(f"  {step}" for step in plan)]
    return [result["message"]] if result.get("message") else None


def step_line(step: Mapping[str, t.Any]) -> str:
    """Return the line of a step that was done: its name, its seconds, what came of it."""
    return f"{step['step']:<14} {step['seconds']:>7.2f} s   {step['text']}"


def failure_text(action: str, result: Mapping[str, t.Any]) -> str | None:
    """Return the text of an error of ours, or None to leave it to the default output."""
    message = result.get("msg")
    ours = is_ours(action) or action in _TEXTS
    return printable_lines(message) if ours and isinstance(message, str) else None
