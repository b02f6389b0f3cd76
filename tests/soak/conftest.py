# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The long runs: the fleet of the end-to-end tests, for as long as it takes."""

from __future__ import annotations

from tests.e2e.conftest import (
    fixture_figure,
    fleet,
    pytest_terminal_summary,
)

__all__ = ["fixture_figure", "fleet", "pytest_terminal_summary"]
