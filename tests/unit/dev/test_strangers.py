# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that another checkout has made are told from our own by the key that fits them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import docker_cli, keys, settings


@pytest.fixture(autouse=True)
def _key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login key of this checkout's own."""
    key = tmp_path / "id_ed25519"
    key.with_suffix(".pub").write_text("ssh-ed25519 AAAA mine\n")
    monkeypatch.setattr(settings, "KEY", key)


def test_every_machine_carries_the_fingerprint_of_the_key() -> None:
    arguments = docker_cli.label_arguments("droplet", "api-1")
    assert f"{settings.KEY_LABEL}={keys.fingerprint()}" in arguments
    before = keys.fingerprint()
    settings.KEY.with_suffix(".pub").write_text("ssh-ed25519 BBBB other\n")
    assert keys.fingerprint() != before


def test_strangers_are_those_without_our_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = f"label={settings.KEY_LABEL}={keys.fingerprint()}"

    def listed(_kind: str, *filters: str) -> list[str]:
        return ["api-1"] if mine in filters else ["api-1", "api-2", "lb"]

    monkeypatch.setattr(docker_cli, "ours", listed)
    assert docker_cli.strangers("container") == ["api-2", "lb"]
