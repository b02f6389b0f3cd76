# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which applications a host knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._state import descriptor


def test_only_applications_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptor, "DESCRIPTOR_FOLDER", str(tmp_path))
    assert descriptor.known_applications() == []
    for name in ("shop.json", "api.json", "networks.json", "firewall.nft"):
        (tmp_path / name).write_text("{}")
    assert descriptor.known_applications() == ["api", "shop"]
    with pytest.raises(SpecError, match=r"it has api, shop\."):
        descriptor.read_application("other")
