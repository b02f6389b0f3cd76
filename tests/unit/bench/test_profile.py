# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the part `profile` makes of what it measured."""

from __future__ import annotations

import pytest

from tests.bench.parts import profile

IMPORTS = """\
import time: self [us] | cumulative | imported package
import time:       450 |       4558 |       yaml.nodes
import time:      1000 |      20000 |     yaml
import time:      2000 |     300000 | ansible.cli
import time:       100 |        100 | tiny
"""


def test_a_package_counts_with_all_that_it_loads() -> None:
    assert profile.imports(IMPORTS) == {"ansible": 0.3, "yaml": 0.02}


def test_the_account_adds_up_to_the_whole_command() -> None:
    names = (profile._LOAD, profile._EMPTY, profile._RAW, profile._RELEASE)
    medians = dict(zip(names, (0.35, 0.55, 0.6, 2.8), strict=True))
    account = profile.account(medians, 1.9)
    assert sum(account.values()) == pytest.approx(2.8)
    assert account["host side: load, plan, look again"] == pytest.approx(0.3)
    assert account["inventory, playbook, plugins"] == pytest.approx(0.2)
