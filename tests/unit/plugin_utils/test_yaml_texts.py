# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What YAML has made of a text that stands without quotes is told, for every place of one."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.greenlight.droplet.plugins.plugin_utils.yaml_texts import warnings_of

WRITTEN: list[tuple[str, str]] = [
    ("app_user: 10:10", "app_user: 610"),
    ("app_user: 0123", "app_user: 83"),
    ("app_user: 0x1F", "app_user: 31"),
    ("app_tag: 1.10", "app_tag: 1.1"),
    ("app_tag: NO", "app_tag: False"),
    ("app_tag: 2026-01-01", "app_tag: 2026-01-01"),
    ("app_sha: 01234567012", "app_sha: 175304202"),
    ("app_command: [serve, NO, 22:22]", "app_command: False, app_command: 1342"),
    ("app_env: {AT: 2026-01-01 10:00:00}", "app_env.AT: 2026-01-01T10:00:00"),
]


@pytest.mark.parametrize(("written", "said"), WRITTEN)
def test_what_yaml_made_of_it_is_told(written: str, said: str) -> None:
    (warning,) = warnings_of(yaml.safe_load(written))
    assert f"without quotes: {said}. If" in warning
    assert "put it in quotes" in warning


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"app_user": "10:10", "app_tag": "", "app_command": ["NO"], "app_env": {"A": "2026-01-01"}},
        # Module release tells of these, which it still sees.
        {"app_env": {"A": 83, "B": False}},
        {"app_user": None, "app_env": {"A": None}},
    ],
)
def test_text_needs_no_warning(texts: dict[str, t.Any]) -> None:
    assert warnings_of(texts) == []
