# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as people call it: other options of ansible-playbook, another output, a typo."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from dev.engine import docker_command
from dev.sample_versions import VERSIONS
from dev.settings import REGISTRY_PASSWORD
from tests.e2e.hosts import HOSTS, fleet, look, serving
from tests.e2e.playbooks import CUT_OVER, QUICK, environment, extra, rollback, run, update
from tests.e2e.traffic import Traffic

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
NEW = VERSIONS["C"].sha
PLUGINS = Path(__file__).parent / "connection"
DEFAULT = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
TYPOS: dict[str, dict[str, Any]] = {
    "an unknown key": {"app_health": {"pathh": "/v1/health"}},
    "a word for a number": {"app_watch": {"seconds": "ten"}},
    "no choice": {"app_standby": "hot"},
    "a list for a mapping": {"app_env": ["GREETING"]},
    "a word for a limit": {"app_memory": "much"},
}


def test_one_fork_serves_two_hosts(aligned: str, traffic: Traffic) -> None:
    update(NEW, "--forks", "1").ok()
    assert set(serving().values()) == {NEW} != {aligned}
    rollback("--forks", "1").ok()
    assert set(serving().values()) == {aligned}
    traffic.stop().clean()


def test_a_limit_leaves_the_other_host_alone(aligned: str, traffic: Traffic) -> None:
    before = look("api-2")
    outcome = update(NEW, "--limit", "api-1").ok()
    assert set(outcome.recap()) == {"api-1"}
    assert look("api-1").sha == NEW
    assert look("api-2") == before
    rollback("--limit", "api-1").ok()
    assert set(serving().values()) == {aligned}
    traffic.stop().clean()


def test_check_mode_shows_the_plan_of_a_rollback_and_does_nothing(aligned: str) -> None:
    before = fleet()
    outcome = rollback("--check", "--diff").ok()
    assert f"-live: {aligned}" in outcome.text
    assert f"+live: {VERSIONS['A'].sha}" in outcome.text
    assert CUT_OVER not in outcome.text
    assert fleet() == before


@pytest.mark.usefixtures("aligned")
def test_another_strategy_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    before = fleet()
    playbook = tmp_path / "free.yml"
    role = {"role": "greenlight.droplet.app", "app_sha": NEW}
    play = {"hosts": "api", "gather_facts": False, "strategy": "free", "roles": [role]}
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    run("ansible-playbook", str(playbook)).refused("strategy free", "Nothing was changed")
    assert fleet() == before


@pytest.mark.usefixtures("aligned")
@pytest.mark.parametrize("typo", TYPOS)
def test_a_typo_shows_no_secret_in_the_default_output(typo: str) -> None:
    before, marker = fleet(), f"marker-{secrets.token_hex(8)}"
    hidden = {"app_secrets": {"SAMPLE_API_TOKEN": marker}}
    outcome = update(NEW, *extra(hidden), *extra(TYPOS[typo]), env=environment(DEFAULT))
    outcome.refused()
    (name,) = TYPOS[typo]
    assert name.removeprefix("app_") in outcome.text
    for secret in (marker, REGISTRY_PASSWORD.read_text(encoding="utf-8").strip()):
        assert secret not in outcome.text
    assert fleet() == before


def test_the_default_output_of_releases_shows_no_secret(aligned: str) -> None:
    marker = f"marker-{secrets.token_hex(8)}"
    hidden = extra({"app_secrets": {"SAMPLE_API_TOKEN": marker}})
    env = environment(DEFAULT)
    done = update(NEW, *hidden, "--diff", env=env).ok()
    assert set(serving().values()) == {NEW} != {aligned}
    assert set(done.recap()) == set(HOSTS)
    refused = update(VERSIONS["crash-on-start"].sha, *hidden, env=env).refused("failed at step")
    for secret in (marker, REGISTRY_PASSWORD.read_text(encoding="utf-8").strip()):
        assert secret not in done.text
        assert secret not in refused.text


def test_a_connection_that_is_not_ssh_carries_a_release_and_a_rollback(
    aligned: str, traffic: Traffic
) -> None:
    variables = extra({"ansible_connection": "inside"})
    command = json.dumps([*docker_command(), "exec", "-i"])
    env = environment(
        {"ANSIBLE_CONNECTION_PLUGINS": str(PLUGINS), "GREENLIGHT_TEST_INSIDE": command}
    )
    update(NEW, *variables, env=env).ok()
    assert set(serving().values()) == {NEW} != {aligned}
    rollback(*variables, env=env).ok()
    assert set(serving().values()) == {aligned}
    traffic.stop().clean()


def test_a_play_of_ones_own_hides_all_with_no_log_and_is_chosen_by_tag(
    aligned: str, tmp_path: Path
) -> None:
    playbook = tmp_path / "own.yml"
    marker = f"marker-{secrets.token_hex(8)}"
    values = {"app_sha": NEW, "app_env": {"GREETING": marker}, **QUICK}
    role = {"role": "greenlight.droplet.app", "no_log": True, "tags": ["api"], **values}
    play = {"hosts": "api", "gather_facts": False, "become": True, "roles": [role]}
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    assert run("ansible-playbook", str(playbook), "--tags", "other").ok().changed() == 0
    assert set(serving().values()) == {aligned}
    done = run("ansible-playbook", str(playbook), "--tags", "api", "-vv").ok()
    assert set(serving().values()) == {NEW}
    assert marker not in done.text
