# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment and the command of a container: what Linux takes, and what YAML made of it. Pure.

Each refusal is a SpecError that names the option and what to do, and never a value.
"""

from __future__ import annotations

import re
import typing as t

from .._core.errors import SpecError
from .._model.secret_files import MOST_BYTES, SUFFIX

_VARIABLE: t.Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST: t.Final = 131_071
"""Most bytes of one argument or one `NAME=value` of a program on Linux (MAX_ARG_STRLEN, less 1)."""

_STACK: t.Final = 8_388_608
"""Bytes of a program's stack unless a limit says otherwise; a quarter is for what starts it."""

_MOST: t.Final = 6_291_456
"""Most bytes of all arguments and the environment, however large the stack is (execve(2))."""

_POINTER: t.Final = 9
"""Bytes that each of them takes besides its own: a pointer, and the end of the text."""


def variables(name: str, values: dict[str, t.Any]) -> dict[str, str]:
    """Return the environment of option `name` as text. Raises SpecError."""
    for key, value in values.items():
        _check_name(name, key, value)
        check_word(f"{name}.{key}", f"{key}={_plain(value)}", "a volume")
    return {str(key): _plain(value) for key, value in values.items()}


def _check_name(name: str, key: t.Any, value: t.Any) -> None:
    if not _VARIABLE.fullmatch(str(key)):
        raise SpecError(
            f"{name} has the key {key!r}, which cannot name an environment variable: take"
            " letters, digits and '_', and no digit first."
        )
    if value is None or isinstance(value, (dict, list)):
        kind = "null" if value is None else type(value).__name__
        raise SpecError(f"{name}.{key} must be one value; it is {kind}. Write text, '' for none.")


def _plain(value: t.Any) -> str:
    # YAML's true is 'true' for every other tool that reads an environment; Python says 'True'.
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_word(label: str, word: str, place: str) -> None:
    """Raise SpecError for what no program can be started with.

    The value itself is never shown: it may be a secret. `place` is where a long one belongs.
    """
    size = len(word.encode("utf-8", "surrogatepass"))
    if size > _LONGEST:
        raise SpecError(
            f"{label} has {size} bytes in all; Linux takes at most {_LONGEST}. Put it into a file"
            f" on {place}, and hand over the file's path."
        )
    if "\0" in word:
        raise SpecError(f"{label} has a NUL character in it, which Linux does not take. Remove it.")


def secret_texts(values: dict[str, t.Any], env: t.Mapping[str, str]) -> dict[str, str]:
    """Return option secrets as the texts of files. Raises SpecError for what none can have.

    `env` is the environment beside which the variables with their paths stand.
    """
    for key, value in values.items():
        _check_name("secrets", key, value)
        size = len(_plain(value).encode("utf-8", "surrogatepass"))
        if size > MOST_BYTES:
            raise SpecError(
                f"secrets.{key} has {size} bytes; a file of a secret has at most {MOST_BYTES}. Put"
                " it into a volume."
            )
        if f"{key}{SUFFIX}" in env or f"{key}{SUFFIX}" in values:
            raise SpecError(
                f"{key}{SUFFIX} is in env or in secrets, and option secret_files makes it from the"
                f" secret {key}. Take it out of there."
            )
    return {str(key): _plain(value) for key, value in values.items()}


def yaml_notes(params: dict[str, t.Any]) -> list[str]:
    """Return a note that says which values of the environment YAML has not taken as text.

    What stood in the file is not known here: `0123` arrives as 83, `22:22` as 1342, `NO` as false.
    """
    said = []
    for name in ("env", "secrets"):
        for key, value in params[name].items():
            if str(key).lower() in ("true", "false"):
                said.append(f"the name {key} in {name}")
            if isinstance(value, (bool, int, float)):
                kind = "a boolean" if isinstance(value, bool) else "a number"
                said.append(f"{name}.{key}: {_plain(value) if name == 'env' else kind}")
    if not said:
        return []
    return [
        f"YAML made booleans and numbers of what stands without quotes, and the container gets them"
        f" so: {', '.join(said)}. If something else was meant, such as NO, 0123 or 22:22, put it in"
        " quotes; a template ends with the filter string"
    ]


def check_sum(env: t.Mapping[str, str], command: t.Sequence[str], stack: int | None) -> None:
    """Raise SpecError when all of it is more than Linux starts a program with.

    `stack` is the container's limit in bytes, -1 for none; None leaves the engine's own.
    """
    limit = _STACK if stack is None else stack
    most = _MOST if limit < 0 else max(min(limit // 4, _MOST), _LONGEST)
    words = [*(f"{name}={value}" for name, value in env.items()), *command]
    size = sum(len(word.encode("utf-8", "surrogatepass")) + _POINTER for word in words)
    if size > most:
        raise SpecError(
            f"env, secrets and command have {size} bytes in all; Linux starts a program with"
            f" at most {most}. Put the longest of them into files on a volume."
        )
