# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where foreign data is read: what is wrong with it becomes an error of ours that names it."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import traceback
import types
import typing as t

from .errors import GreenlightError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

FAULTS: t.Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)
"""What data of an unexpected form or depth, a library or a defect of ours can raise."""


DEFECT: t.Final = "a defect, please report it"
"""What begins the reason when only a defect of ours can be behind it."""


def boundary(
    part: str, error: type[GreenlightError] = GreenlightError
) -> contextlib.AbstractContextManager[None]:
    """Turn what goes wrong inside into an `error` of one line that begins with `part`.

    Nothing is swallowed: whoever goes the way back for a GreenlightError does so for this one too.
    """
    return _Boundary(part, error)


class _Boundary(contextlib.AbstractContextManager[None]):
    """Knows no list of kinds: each library has errors of its own, and a defect may raise any."""

    def __init__(self, part: str, error: type[GreenlightError]) -> None:
        self._part = part
        self._error = error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        """Raise an error of ours for whatever else ends the work; the end of the process passes."""
        if isinstance(exc, Exception) and not isinstance(exc, GreenlightError):
            raise self._error(f"{self._part}: {told(exc)}") from exc


@contextlib.contextmanager
def reported(module: AnsibleModule) -> t.Iterator[None]:
    """Leave through fail_json with one line for what goes wrong inside, a defect of ours too."""
    try:
        with boundary(f"A defect in {module._name}; please report it"):
            yield
    except GreenlightError as exc:
        module.fail_json(msg=str(exc))


def told(exc: BaseException) -> str:
    """Say what an exception is and where it was raised, in one line."""
    said = " ".join(str(exc).split())
    text = f"{type(exc).__name__}: {said}" if said else type(exc).__name__
    for frame, line in collections.deque(traceback.walk_tb(exc.__traceback__), maxlen=1):
        text += f" ({os.path.basename(frame.f_code.co_filename)}:{line})"
    return text


def parse_json(text: str) -> t.Any:
    """Return the value of a JSON text (RFC 8259); a byte order mark before it is passed over.

    Raises ValueError, also for NaN and Infinity and for what is nested too deep to be read.
    """
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
    except RecursionError as exc:
        raise ValueError("it is nested too deep") from exc


def _refuse_constant(name: str) -> t.NoReturn:
    raise ValueError(f"{name} is no JSON")
