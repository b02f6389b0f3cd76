# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits on Python files: length, length of functions, broad excepts, suppressed findings."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from scripts.project import files

FILE_LINES = 300
FUNCTION_LINES = 40

# Ansible's documentation stands in the plugin's own file; its length is no measure of the code.
DOCUMENTATION_NAMES = frozenset({"DOCUMENTATION", "EXAMPLES", "RETURN"})
BROAD = frozenset({"BaseException", "Exception"})

# Here not even a handler that raises again may be broad: cleaning up is the work of `finally`.
STRICT = "plugins"
SUPPRESSION = re.compile(r"#\s*(?:noqa|nosec|type:\s*ignore|mypy:|pylint:|ruff:)", re.IGNORECASE)


def problems(root: Path) -> list[str]:
    """What breaks a limit in any Python file under `root`."""
    found = []
    for path in files(root):
        if path.suffix == ".py":
            name = path.relative_to(root)
            source, strict = path.read_text(encoding="utf-8"), name.parts[0] == STRICT
            found += [f"{name}: {text}" for text in check(source, strict)]
    return found


def check(source: str, strict: bool = False) -> Iterator[str]:
    """What breaks a limit in the Python file with the text `source`.

    With `strict` a broad except is refused even where it raises again.
    """
    tree = ast.parse(source)
    lines = len(source.splitlines()) - _documentation_lines(tree)
    if lines > FILE_LINES:
        yield f"{lines} lines without its documentation, {FILE_LINES} allowed"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _function_problems(node)
        elif isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            if strict or not _reraises(node):
                yield f"line {node.lineno}: broad except"
        elif isinstance(node, ast.Call) and _suppresses_all(node):
            yield f"line {node.lineno}: broad suppress"
    yield from _suppressions(source)


def _function_problems(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    length = _span(node)
    if length > FUNCTION_LINES:
        yield f"line {node.lineno}: {node.name}() has {length} lines, {FUNCTION_LINES} allowed"


def _documentation_lines(tree: ast.Module) -> int:
    return sum(
        _span(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in DOCUMENTATION_NAMES
    )


def _span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    parts = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(part, ast.Name) and part.id in BROAD for part in parts)


def _suppresses_all(call: ast.Call) -> bool:
    """True for contextlib.suppress of a broad class, which is an except of another spelling."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "suppress" and any(_is_broad(argument) for argument in call.args)


def _reraises(handler: ast.ExceptHandler) -> bool:
    """True for a handler that cleans up and lets the exception go on: it hides nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _suppressions(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and SUPPRESSION.search(token.string):
            yield f"line {token.start[0]}: suppresses a finding: {token.string}"
