# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet for all tests here, and the figures that they measured, printed at the end.

The fleet is left up, with one release on both droplets: `make fleet-down` stops it, and so does
.ci/run after the last stage.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import pytest

from dev.demo_process import stream
from dev.sample_versions import VERSIONS
from tests.e2e.hosts import fleet as look_at_fleet
from tests.e2e.hosts import serving
from tests.e2e.playbooks import play, update
from tests.e2e.traffic import Traffic

FIGURES = pytest.StashKey[list[str]]()
BEFORE, AFTER = VERSIONS["A"].sha, VERSIONS["B"].sha
Figure = Callable[[str], None]


@pytest.fixture(name="figure", scope="session")
def fixture_figure(pytestconfig: pytest.Config) -> Figure:
    """Keep a measured figure for the summary at the end of the run."""
    return pytestconfig.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what was measured."""
    if figures := config.stash.get(FIGURES, []):
        terminalreporter.section("measured on the fleet")
        for text in figures:
            terminalreporter.write_line(text)


@pytest.fixture(scope="session", autouse=True)
def fleet(pytestconfig: pytest.Config, figure: Figure) -> Iterator[None]:
    """Bring the fleet up and set it up; the sample releases are in its registry afterwards.

    At the end both droplets serve one release again, so that whoever comes next finds them whole.
    """
    reporter = pytestconfig.pluginmanager.getplugin("terminalreporter")
    names = list(VERSIONS)
    for arguments in (("dev.fleet", "up"), ("dev.sample_api", "build", "--push", *names)):
        # A first start takes minutes: its lines are shown although pytest captures output.
        code = stream([sys.executable, "-m", *arguments], reporter.write_line)
        assert code == 0, f"{arguments[0]} ended with exit code {code}"
    outcome = play("setup-api").ok()
    kind = "from bare or changed" if outcome.changed() else "when nothing was to be done"
    figure(f"setup-api.yml {kind}: {outcome.seconds:.1f} s for two droplets")
    # Whatever ran before: both releases with the inventory's own configuration.
    align()
    yield
    if not is_aligned():
        align()


@pytest.fixture
def aligned() -> str:
    """Both droplets have B live and A as the standby; the SHA of B."""
    if not is_aligned():
        align()
    return AFTER


def is_aligned() -> bool:
    """True when no test has left anything else behind than what `aligned` promises."""
    wanted = {(AFTER, "running"), (BEFORE, "exited")}
    return all(
        view.sha == AFTER and {(facts[1], facts[2]) for facts in view.containers.values()} == wanted
        for view in look_at_fleet().values()
    )


def align() -> None:
    """Bring both droplets to release B with A as the standby."""
    update(BEFORE).ok()
    update(AFTER).ok()
    assert set(serving().values()) == {AFTER}


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    """The load, for the length of one test; it has run for two seconds when the test begins."""
    with Traffic() as running:
        time.sleep(2.0)
        yield running
