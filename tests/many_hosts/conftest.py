# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's network and registry, with the releases that the light hosts take from it."""

from __future__ import annotations

import sys

import pytest

from dev.demo_process import stream
from tests.e2e.conftest import fixture_figure, pytest_terminal_summary

__all__ = ["fixture_figure", "pytest_terminal_summary"]
RELEASES = ("A", "B", "C")


@pytest.fixture(scope="session", autouse=True)
def registry(pytestconfig: pytest.Config) -> None:
    """Bring network and registry up, and push the releases."""
    reporter = pytestconfig.pluginmanager.getplugin("terminalreporter")
    commands = (
        ("dev.fleet", "up", "--droplets", "0"),
        ("dev.sample_api", "build", "--push", *RELEASES),
    )
    for arguments in commands:
        code = stream([sys.executable, "-m", *arguments], reporter.write_line)
        assert code == 0, f"{arguments[0]} ended with exit code {code}"
