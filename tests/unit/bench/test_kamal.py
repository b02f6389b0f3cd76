# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamal as a rival, without a droplet and without its proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from dev import registry
from dev.shell import CommandError
from tests.bench.rivals import base, kamal
from tests.unit.bench.fakes import FakeDroplet, fake

IMAGE = "basecamp/kamal-proxy:v0.9.2"
OLD, NEW = "1" * 40, "2" * 40


class Commands:
    """Keeps the commands on the controller; `broken` is one that fails."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], Mapping[str, str]]] = []
        self.broken = ""

    def run(
        self,
        command: Sequence[str],
        *,
        timeout: float,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Keep a command, or fail as the shell would."""
        assert timeout > 0
        self.calls.append((list(command), env or {}))
        if self.broken and self.broken in command:
            raise CommandError(command, "exit code 1", "Error: target failed to become healthy")
        return ""


@pytest.fixture(name="commands")
def fixture_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Commands:
    """Run nothing; the files go to a folder of the test."""
    commands = Commands()
    monkeypatch.setattr(kamal, "run", commands.run)
    monkeypatch.setattr(registry, "password", lambda: "hunter2-hunter2")
    monkeypatch.setattr(kamal.Kamal, "_folder", tmp_path / "kamal")
    return commands


def prepared() -> tuple[kamal.Kamal, FakeDroplet]:
    """Return Kamal on a droplet that keeps what is run there."""
    (rival,) = cast("list[kamal.Kamal]", kamal.contenders([IMAGE], [OLD, NEW]))
    droplet, passed = fake()
    rival.prepare(passed)
    return rival, droplet


def test_without_its_proxy_it_is_skipped_with_the_reason_and_marked_figures() -> None:
    assert kamal.contenders([], [OLD]) == []
    note = kamal.note([])
    assert "is not on the droplet" in note
    assert "4.8 s idle and 6.3 s under load" in note
    assert "not of this run" in note


def test_with_its_proxy_it_is_measured_and_the_page_says_with_which() -> None:
    note = kamal.note([IMAGE])
    assert IMAGE in note
    assert "skipped" not in note
    assert "not of this run" not in note
    assert [rival.name for rival in kamal.contenders([IMAGE], [OLD])] == ["Kamal"]


def test_its_configuration_names_host_image_proxy_and_health(
    commands: Commands, tmp_path: Path
) -> None:
    rival, droplet = prepared()
    folder = tmp_path / "kamal"
    found: dict[str, Any] = yaml.safe_load((folder / "config" / "deploy.yml").read_text())
    assert found["servers"] == {"web": {"hosts": ["127.0.0.1"]}}
    assert (found["ssh"]["port"], found["ssh"]["keys"]) == ("2399", ["/k"])
    assert found["proxy"]["run"]["version"] == "v0.9.2"
    assert found["proxy"]["run"]["http_port"] == rival.port
    assert found["proxy"]["run"]["bind_ips"] == ["127.0.0.1"]
    assert found["proxy"]["healthcheck"]["path"] == base.HEALTH
    assert "/pins" in Path(found["ssh"]["config"]).read_text()
    assert f"kamal=={kamal.RELEASE}" in commands.calls[0][0]
    script = droplet.scripts[-1]
    for sha in (OLD, NEW):
        assert f"FROM {base.image_of(sha)}" in script
        assert f"docker push --quiet {base.REGISTRY}/{kamal.REPOSITORY}:{sha}" in script
    assert f"LABEL service={found['service']}" in script


def test_the_password_is_in_no_file_and_no_argument(commands: Commands, tmp_path: Path) -> None:
    rival, _droplet = prepared()
    rival.release(OLD)
    files = [path for path in (tmp_path / "kamal").rglob("*") if path.is_file()]
    assert len(files) == 3
    assert not any("hunter2" in path.read_text() for path in files)
    assert not any("hunter2" in part for command, _env in commands.calls for part in command)
    assert commands.calls[-1][1][kamal.PASSWORD] == "hunter2-hunter2"


def test_it_deploys_and_goes_back_by_its_own_commands(commands: Commands) -> None:
    rival, _droplet = prepared()
    with pytest.raises(base.RivalError, match="has released nothing before"):
        rival.rollback()
    rival.release(OLD)
    with pytest.raises(base.RivalError, match="has released nothing before"):
        rival.rollback()
    rival.release(NEW)
    rival.rollback()
    rival.rollback()
    said = [command[command.index("kamal") + 1 :] for command, _env in commands.calls[1:]]
    assert said == [
        ["deploy", "--skip-push", f"--version={OLD}"],
        ["deploy", "--skip-push", f"--version={NEW}"],
        ["rollback", OLD],
        ["rollback", NEW],
    ]


def test_what_it_says_when_it_fails_is_told(commands: Commands) -> None:
    rival, _droplet = prepared()
    commands.broken = "deploy"
    with pytest.raises(base.RivalError, match=r"(?s)Kamal: .*failed to become healthy"):
        rival.release(NEW)
    commands.broken = "pip"
    with pytest.raises(base.RivalError, match="cannot be installed"):
        prepared()


def test_it_leaves_nothing_behind(commands: Commands, tmp_path: Path) -> None:
    rival, droplet = prepared()
    rival.clean()
    script = droplet.scripts[-1]
    assert f"label=service={kamal.SERVICE}" in script
    assert "docker network rm kamal" in script
    assert not (tmp_path / "kamal").exists()
    assert commands.calls


def test_it_has_to_be_prepared_first() -> None:
    with pytest.raises(base.RivalError, match="was not prepared"):
        kamal.Kamal("v0.9.2", [OLD]).clean()
