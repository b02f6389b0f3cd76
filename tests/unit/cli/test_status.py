# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person at the console reads first."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._cli import status
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    EngineError,
    NotSetUpError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._model.spec import (
    design_application,
)

SHA = "0123456789abcdef0123456789abcdef01234567"
LIVE = {"sha": SHA, "slot": "green", "state": "running", "since": "2026-01-02T03:04:05Z"}
FACTS: dict[str, t.Any] = {
    "app": "api",
    "live": LIVE,
    "standby": {"sha": "f" * 40, "slot": "blue", "state": "exited", "since": ""},
    "leftovers": [],
    "retained": [{"sha": SHA, "state": "live"}, {"sha": "f" * 40, "state": "standby"}],
    "pointer": {"file": "green", "runtime": "green", "answered": True},
    "slots": {"blue": "DOWN", "green": "UP"},
    "lease": "",
    "freeze": "",
    "unfinished": "",
    "notes": [],
}


def test_everything_that_is_known_is_shown() -> None:
    assert status.text(FACTS) == (
        f"api serves {SHA}\n"
        "  live        0123456 in slot green, running, HAProxy's check: UP,"
        " became live 2026-01-02T03:04:05Z\n"
        "  standby     fffffff in slot blue, exited\n"
        "  retained    0123456 (live), fffffff (standby)\n"
        "  pointer     file: green, HAProxy: green\n"
        "  unfinished  none\n"
        "  lease       none\n"
        "  freeze      none"
    )


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        ({"live": {}}, "api serves NOTHING: no release is live"),
        ({"live": {**LIVE, "state": "exited"}}, "api serves NOTHING: the container of 0123456 is"),
        (
            {"pointer": {"file": "green", "runtime": None, "answered": False}},
            "api serves NOTHING: HAProxy does not answer",
        ),
        ({"slots": {"green": "DOWN"}}, f"api serves {SHA}, but HAProxy's check says DOWN"),
        ({"slots": {}}, f"api serves {SHA}"),
        ({"live": {**LIVE, "state": "unknown"}}, f"api serves {SHA}, as the journal has it"),
    ],
)
def test_the_first_line_says_what_serves(changed: dict[str, t.Any], first: str) -> None:
    assert status.text({**FACTS, **changed}).splitlines()[0].startswith(first)


def test_what_needs_attention_is_shown() -> None:
    pointer = {"file": "blue", "runtime": "green", "answered": True}
    facts = {**FACTS, "pointer": pointer, "leftovers": [LIVE], "notes": ["changed by hand"]}
    shown = status.text({**facts, "unfinished": "release of abc", "lease": "me until noon"})
    for line in (
        "  pointer     file: blue, HAProxy: green; they differ, the next run repairs that",
        "  unfinished  release of abc",
        "  lease       me until noon",
        "  note        changed by hand",
    ):
        assert line in shown.splitlines()
    assert "  left over   0123456 in slot green" in shown


@pytest.fixture(name="host")
def fixture_host(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with one application, no HAProxy, and a Docker that does not answer."""
    application = design_application(
        "api", 3002, 3002, "172.31.10.0/24", str(tmp_path), str(tmp_path / "no.sock")
    )
    folder = tmp_path / "api"
    folder.mkdir()
    (folder / "live.map").write_text("api api-green\n")
    event = {"event": "live", "run": "r", "time": "T", "release": "x", "sha": SHA}
    (folder / "journal.jsonl").write_text(json.dumps(event) + "\n")
    monkeypatch.setattr(status, "read_application", lambda _app: application)
    monkeypatch.setattr(status, "known_applications", lambda: ["api"])

    def dead(_app: str, _events: int) -> t.NoReturn:
        raise EngineError("Docker did not answer.")

    monkeypatch.setattr(status, "inspect_releases", dead)


@pytest.mark.usefixtures("host")
def test_without_docker_the_files_still_say_what_they_know(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status.show("", as_json=False) == 1
    said = capsys.readouterr()
    assert "  live        0123456 in slot green, unknown, became live T" in said.out
    assert "file: green, HAProxy: no answer" in said.out
    assert said.err == "greenlight: Docker did not answer.\n"


@pytest.mark.usefixtures("host")
def test_json_has_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    assert status.show("api", as_json=True) == 1
    facts = json.loads(capsys.readouterr().out)["api"]
    assert facts["live"]["sha"] == SHA
    assert facts["problem"] == "Docker did not answer."


def test_a_host_that_is_not_set_up_is_named() -> None:
    with pytest.raises(NotSetUpError, match="not set up"):
        status.read("api")
