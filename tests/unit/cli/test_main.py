# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: usage, exit codes, and what becomes of errors."""

from __future__ import annotations

import os
import types
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._cli import main as command
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import LockedError


class Loaded:
    """What would be imported; each function notes its call and may raise."""

    def __init__(self) -> None:
        self.calls: list[tuple[t.Any, ...]] = []
        self.raises: BaseException | None = None

    def __call__(self, module: str) -> t.Any:
        """Return a stand-in for the module."""

        def call(*words: t.Any, **named: t.Any) -> int:
            self.calls.append((module, *words, *named.values()))
            if self.raises is not None:
                raise self.raises
            return 0

        names = (
            "show",
            "rollback",
            "revert",
            "watch_over",
            "retire",
            "refresh_all",
            "restore",
            "main",
        )
        return types.SimpleNamespace(**dict.fromkeys(names, call))


@pytest.fixture(name="loaded", autouse=True)
def fixture_loaded(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Root calls, and nothing is really done."""
    loaded = Loaded()
    monkeypatch.setattr(command, "_load", loaded)
    monkeypatch.setattr(command, "_outlive_the_terminal", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return loaded


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("status", (".status", None, False)),
        ("status api --json", (".status", "api", True)),
        ("rollback api", (".actions", "api", "", "", "", False)),
        ("rollback api --release r-1", (".actions", "api", "", "", "r-1", False)),
        (
            "rollback api --sha 0123456 --break-lease dead",
            (".actions", "api", "0123456", "dead", "", False),
        ),
        ("rollback api --with-defaults", (".actions", "api", "", "", "", True)),
        ("revert api", (".actions", "api", "")),
        ("revert api --run r1", (".actions", "api", "r1")),
        ("watchdog api", (".._release.watchdog", "api")),
        ("retire api 0123 30", (".._release.retire", "api", "0123", 30)),
        ("networks", (".._firewall.refresh", [])),
        ("networks github", (".._firewall.refresh", ["github"])),
        ("restore-access", (".._access.restore",)),
        ("restore-secrets", (".secret_files",)),
    ],
)
def test_each_subcommand_calls_its_package(
    loaded: Loaded, line: str, call: tuple[t.Any, ...]
) -> None:
    assert command.main(line.split()) == 0
    assert loaded.calls == [call]


def test_a_check_restores_nothing(loaded: Loaded) -> None:
    assert command.main(["restore-access", "--check"]) == 0
    assert loaded.calls == []


@pytest.mark.parametrize("line", ["", "deploy", "rollback", "retire api 0123 soon", "status a b"])
def test_wrong_usage_is_code_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(line.split())
    assert caught.value.code == 2
    assert "usage: greenlight" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LockedError("Another release holds the lock."), "Another release holds the lock."),
        (KeyboardInterrupt(), "interrupted; 'greenlight status' shows what serves now"),
    ],
)
def test_an_expected_error_is_its_text_and_code_1(
    loaded: Loaded, capsys: pytest.CaptureFixture[str], error: BaseException, said: str
) -> None:
    loaded.raises = error
    assert command.main(["watchdog", "api"]) == 1
    assert capsys.readouterr().err == f"greenlight: {said}\n"


def test_others_than_root_are_told_how(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert command.main(["status"]) == 1
    assert "only root may do this; say 'sudo greenlight ...'" in capsys.readouterr().err
    assert loaded.calls == []
