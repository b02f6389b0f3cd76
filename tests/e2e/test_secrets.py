# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is in the container and nowhere else; and how many round trips a release takes."""

from __future__ import annotations

import re
import secrets

import pytest

from dev.sample_versions import VERSIONS
from tests.e2e.conftest import Figure
from tests.e2e.hosts import HOSTS, on
from tests.e2e.playbooks import extra, play, update

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
# One call of the module for each phase: planned, staged, live, proved, settled.
PHASES = 5
PLACES = "/var/lib/greenlight /etc/greenlight /var/log /root/.ansible /tmp /etc/haproxy"


def round_trips(text: str) -> dict[str, int]:
    """Commands sent over SSH to each host, in output at -vvv."""
    ports = re.findall(r"SSH: EXEC .*?(?:Port=|-p )(\d+)", text)
    return {host: ports.count(f"222{number}") for number, host in enumerate(HOSTS, 1)}


@pytest.mark.usefixtures("aligned")
def test_a_secret_is_nowhere_but_in_the_container(figure: Figure) -> None:
    marker = f"marker-{secrets.token_hex(8)}"
    hidden = extra({"app_secrets": {"SAMPLE_API_TOKEN": marker}})
    outcome = update(VERSIONS["C"].sha, *hidden, "-vvv").ok()
    assert marker not in outcome.text
    for host in HOSTS:
        name = on(host, "docker ps -q --filter label=greenlight.app=api").strip()
        assert marker in on(host, f"docker inspect {name}"), "the secret was never set"
        assert on(host, f"journalctl --no-pager -q | grep -c {marker} || true").strip() == "0"
        assert on(host, f"grep -rl {marker} {PLACES} || true").strip() == ""
    trips = round_trips(outcome.text)
    figure(f"SSH round trips of one update-api.yml: {trips}, {PHASES} of them by design")
    assert set(trips.values()) == {PHASES}, trips
    assert marker not in play("status-api", "-vvv").ok().text


@pytest.mark.usefixtures("aligned")
def test_a_refused_release_says_no_secret_either() -> None:
    marker = f"marker-{secrets.token_hex(8)}"
    hidden = extra({"app_secrets": {"SAMPLE_API_TOKEN": marker}})
    outcome = update(VERSIONS["crash-on-start"].sha, *hidden, "-vvv").refused("failed at step")
    assert marker not in outcome.text
    for host in HOSTS:
        assert on(host, f"grep -rl {marker} {PLACES} || true").strip() == ""
