# Copyright (c) 2026, Greenlight contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines for whoever called the command. A module must never write any: its output is its result."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{text}\n")
