# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module release as Ansible starts it: what Ansible itself refuses stays readable."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils import basic

from ansible_collections.greenlight.droplet.plugins.modules import release


def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **arguments: t.Any
) -> dict[str, t.Any]:
    """The result of a call that Ansible refuses."""
    given = json.dumps({"ANSIBLE_MODULE_ARGS": {"sha": "a" * 40, **arguments}}).encode()
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", given)
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    with pytest.raises(SystemExit):
        release.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    assert result["failed"]
    return result


def test_a_refusal_is_readable_although_secrets_are_ordinary_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = refused(
        monkeypatch, capsys, secrets={"A": "e", "B": "int"}, health={"interval": "often"}
    )
    assert "argument 'interval' is of type" in found["msg"]
    assert "*" not in found["msg"]


def test_a_refusal_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = {"A": "e", "B": "marker-5711", "C": "abc"}
    found = refused(
        monkeypatch, capsys, secrets=secrets, env={"X": "marker-5711 abc"}, retain="marker-5711"
    )
    assert "'retain' is of type" in found["msg"]
    assert "marker-5711" not in json.dumps(found)
    assert "abc" not in json.dumps(found)
